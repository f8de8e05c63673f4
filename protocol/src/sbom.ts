import * as z from 'zod';
import { type Sha256Digest, sha256 } from './digest.ts';
import { parseJson } from './json.ts';

export const sbomFormats = ['cyclonedx', 'spdx'] as const;
/** More of them would leave no room in a statement: then only the file's digest is signed. */
export const maximumComponents = 512;
const maximumSbomBytes = 32 * 1024 * 1024;

export const componentSchema = z.object({ name: z.string().min(1).max(200), version: z.string().max(100) });
export type Component = z.infer<typeof componentSchema>;

/** What a statement says of a software bill of materials. */
export type Sbom = {
  readonly format: (typeof sbomFormats)[number];
  readonly digest: Sha256Digest;
  components?: Component[] | undefined;
};

const cycloneDxSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  components: z.array(z.object({ name: z.string(), version: z.string().default('') })).default([]),
});
const spdxSchema = z.object({
  spdxVersion: z.string(),
  packages: z.array(z.object({ name: z.string(), versionInfo: z.string().default('') })).default([]),
});

const documentSchema = z.union([
  cycloneDxSchema.transform(({ components }) => ({ format: 'cyclonedx' as const, components })),
  spdxSchema.transform(({ packages }) => ({
    format: 'spdx' as const,
    components: packages.map(({ name, versionInfo }) => ({ name, version: versionInfo })),
  })),
]);

/** Reads a CycloneDX or SPDX document in JSON. @throws FirmproofError `sbom-malformed` */
export function readSbom(text: string): Sbom {
  const { format, components } = parseJson(text, documentSchema, {
    code: 'sbom-malformed',
    maximumBytes: maximumSbomBytes,
    what: 'the SBOM',
  });
  const digest = sha256(new TextEncoder().encode(text));
  const short = z.array(componentSchema).max(maximumComponents).safeParse(components);
  return { format, digest, ...(short.success && { components: sorted(short.data) }) };
}

const key = ({ name, version }: Component) => `${name}\n${version}`;
const sorted = (components: readonly Component[]) =>
  [...new Map(components.map((component) => [key(component), component])).values()].sort((a, b) =>
    key(a) < key(b) ? -1 : 1,
  );

export type ComponentChange = {
  readonly name: string;
  /** Empty where it comes. */
  readonly before: readonly string[];
  /** Empty where it goes. */
  readonly now: readonly string[];
};

/** What comes, goes and changes its version from one list to the other; sorted by name. */
export function componentChanges(before: readonly Component[], now: readonly Component[]): readonly ComponentChange[] {
  const versions = (list: readonly Component[], name: string) =>
    list
      .filter((component) => component.name === name)
      .map(({ version }) => version)
      .sort();
  const names = [...new Set([...before, ...now].map(({ name }) => name))].sort();
  return names
    .map((name) => ({ name, before: versions(before, name), now: versions(now, name) }))
    .filter((change) => change.before.join('\n') !== change.now.join('\n'));
}
