import * as z from 'zod';
import type { Sha256Digest } from './digest.ts';
import { readSbomDocument, type SbomComponent, type SbomDocument } from './sbom-document.ts';

export const sbomFormats = ['cyclonedx', 'spdx'] as const;
/** More of them would leave no room in a statement: then only the file's digest is signed. */
export const maximumComponents = 512;
/** What the components may take of the 64 KiB of a statement, as JSON. */
const maximumComponentsBytes = 32 * 1024;

export const componentSchema = z.object({ name: z.string().min(1).max(200), version: z.string().max(100) });
export type Component = z.infer<typeof componentSchema>;

/** What a statement says of a software bill of materials. */
export type Sbom = {
  readonly format: (typeof sbomFormats)[number];
  readonly digest: Sha256Digest;
  components?: Component[] | undefined;
};

/** Reads a CycloneDX or SPDX document in JSON. @throws FirmproofError `sbom-malformed` */
export function readSbom(text: string): Sbom {
  return sbomOf(readSbomDocument(text));
}

/** What a statement says of this document: its components too, where there is room for them. */
export function sbomOf({ format, digest, components }: SbomDocument): Sbom {
  const short = z.array(componentSchema).max(maximumComponents).safeParse(components);
  if (!short.success) return { format, digest };
  const list = sorted(short.data);
  const { length } = new TextEncoder().encode(JSON.stringify(list));
  return { format, digest, ...(length <= maximumComponentsBytes && { components: list }) };
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
  return pairsByName(before, now)
    .map(([name, was, is]) => ({ name, before: versionsOf(was), now: versionsOf(is) }))
    .filter((change) => !sameList(change.before, change.now));
}

/** With what only the whole documents tell. */
export type SbomChange = ComponentChange & {
  /** Null where nobody says what it is licensed under, or that has not changed. */
  readonly licenses: { readonly before: readonly string[]; readonly now: readonly string[] } | null;
  /** Where it comes from, without the version: another one under the same name is another thing. Null where that stays. */
  readonly origins: { readonly before: readonly string[]; readonly now: readonly string[] } | null;
};

/** How the parts of a product differ between two bills of materials, of whatever format; sorted by name. */
export function sbomChanges(
  before: Pick<SbomDocument, 'components'>,
  now: Pick<SbomDocument, 'components'>,
): readonly SbomChange[] {
  return pairsByName(before.components, now.components).flatMap(([name, was, is]) => {
    const change = { name, before: versionsOf(was), now: versionsOf(is) };
    const stays = was.length > 0 && is.length > 0;
    const licenses = stays ? difference(was, is, ({ licenses }) => licenses) : null;
    const origins = stays ? difference(was, is, ({ purl }) => (purl === null ? [] : [originOf(purl)])) : null;
    if (sameList(change.before, change.now) && licenses === null && origins === null) return [];
    return [{ ...change, licenses, origins }];
  });
}

/** `pkg:npm/lodash` of `pkg:npm/lodash@4.17.21?arch=any`. */
const originOf = (purl: string) => purl.replace(/[?#].*$/s, '').replace(/@[^@/]*$/s, '');

function difference(
  before: readonly SbomComponent[],
  now: readonly SbomComponent[],
  of: (component: SbomComponent) => readonly string[],
): { before: readonly string[]; now: readonly string[] } | null {
  const [was, is] = [unique(before.flatMap(of)), unique(now.flatMap(of))];
  // A tool that says nothing has not changed anything.
  return was.length === 0 || is.length === 0 || sameList(was, is) ? null : { before: was, now: is };
}

const unique = (list: readonly string[]) => [...new Set(list)].sort();
const versionsOf = (list: readonly { version: string }[]) => list.map(({ version }) => version).sort();
const sameList = (a: readonly string[], b: readonly string[]) => a.join('\n') === b.join('\n');

function pairsByName<Part extends { readonly name: string }>(
  before: readonly Part[],
  now: readonly Part[],
): readonly (readonly [string, readonly Part[], readonly Part[]])[] {
  const [was, is] = [Map.groupBy(before, ({ name }) => name), Map.groupBy(now, ({ name }) => name)];
  return [...new Set([...was.keys(), ...is.keys()])]
    .sort()
    .map((name) => [name, was.get(name) ?? [], is.get(name) ?? []] as const);
}
