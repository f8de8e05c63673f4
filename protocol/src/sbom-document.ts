import * as z from 'zod';
import type { Sha256Digest } from './digest.ts';
import { sha256 } from './digest.ts';
import { maximumDocumentBytes } from './documents.ts';
import { FirmproofError } from './errors.ts';
import { parseJson, requireShallow } from './json.ts';

/** One part of a product, as a bill of materials describes it. */
export type SbomComponent = {
  /** With its group in front, where it has one. */
  readonly name: string;
  /** Empty where the document does not say. */
  readonly version: string;
  readonly purl: string | null;
  /** SPDX ids, expressions or names, each once, sorted. */
  readonly licenses: readonly string[];
};

export type SbomDocument = {
  readonly format: 'cyclonedx' | 'spdx';
  /** As the document names it: 1.6, SPDX-2.3, 3.0.1. */
  readonly specVersion: string;
  /** Sha-256 of the text. */
  readonly digest: Sha256Digest;
  readonly components: readonly SbomComponent[];
};

const maximumComponents = 100_000;
/** No tool nests deeper; whoever reads recursively survives this. */
const maximumNesting = 100;

const text = z.string();
/** What is no text where text belongs is left out: only names decide what a component is. */
const lenient = text.optional().catch(undefined);

const cycloneDxLicenseSchema = z
  .object({ license: z.object({ id: lenient, name: lenient }).optional().catch(undefined), expression: lenient })
  .transform(({ license, expression }) => expression ?? license?.id ?? license?.name);
const cycloneDxComponentSchema = z.object({
  group: lenient,
  name: text,
  version: lenient,
  purl: lenient,
  licenses: z.array(cycloneDxLicenseSchema.catch(undefined)).catch([]).default([]),
  get components(): z.ZodDefault<z.ZodArray<typeof cycloneDxComponentSchema>> {
    return z.array(cycloneDxComponentSchema).default([]);
  },
});
type CycloneDxComponent = z.infer<typeof cycloneDxComponentSchema>;
const cycloneDxSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: text.default(''),
  components: z.array(cycloneDxComponentSchema).default([]),
});

const spdx2Schema = z.object({
  spdxVersion: text,
  packages: z
    .array(
      z.object({
        name: text,
        versionInfo: lenient,
        licenseConcluded: lenient,
        licenseDeclared: lenient,
        externalRefs: z
          .array(z.object({ referenceType: lenient, referenceLocator: lenient }).catch({}))
          .catch([])
          .default([]),
      }),
    )
    .default([]),
});

const spdx3ElementSchema = z
  .object({
    type: lenient,
    spdxId: lenient,
    name: lenient,
    specVersion: lenient,
    software_packageVersion: lenient,
    software_packageUrl: lenient,
    simplelicensing_licenseExpression: lenient,
    relationshipType: lenient,
    from: lenient,
    to: z.array(z.unknown()).catch([]).default([]),
  })
  .catch({ to: [] });
type Spdx3Element = z.infer<typeof spdx3ElementSchema>;
const spdx3Schema = z.object({
  '@context': text.regex(/^https:\/\/spdx\.org\/rdf\/3\./),
  '@graph': z.array(spdx3ElementSchema),
});

const anything = z.unknown().optional();
const kindSchema = z.object({ bomFormat: anything, spdxVersion: anything, '@context': anything });

/**
 * Reads a bill of materials, leniently and bounded: CycloneDX, SPDX 2 in JSON, SPDX 3 in JSON-LD. That it is well-formed in
 * every part is for whoever publishes it to check.
 * @throws FirmproofError `sbom-malformed`
 */
export function readSbomDocument(text: string, what = 'the SBOM'): SbomDocument {
  const options = { code: 'sbom-malformed', maximumBytes: maximumDocumentBytes, what } as const;
  const json = text.replace(/^\ufeff/, '');
  requireShallow(json, maximumNesting, options);
  const read = { ...readParts(json, options), digest: sha256(new TextEncoder().encode(text)) };
  if (read.components.length <= maximumComponents) return read;
  throw new FirmproofError('sbom-malformed', `${what} has more than ${maximumComponents} components`);
}

function readParts(text: string, options: Parameters<typeof parseJson>[2]): Omit<SbomDocument, 'digest'> {
  const kind = parseJson(text, kindSchema, options);
  if (kind.bomFormat !== undefined) {
    const { specVersion, components } = parseJson(text, cycloneDxSchema, options);
    return { format: 'cyclonedx', specVersion, components: cycloneDxComponents(components) };
  }
  if (kind.spdxVersion !== undefined) {
    const { spdxVersion, packages } = parseJson(text, spdx2Schema, options);
    return { format: 'spdx', specVersion: spdxVersion, components: packages.map(spdx2Component) };
  }
  if (kind['@context'] !== undefined) {
    const { '@graph': graph } = parseJson(text, spdx3Schema, options);
    const specVersion = graph.find(({ type }) => type === 'CreationInfo')?.specVersion ?? '3.0';
    return { format: 'spdx', specVersion, components: spdx3Components(graph) };
  }
  throw new FirmproofError('sbom-malformed', `${options.what} is neither CycloneDX nor SPDX`);
}

function component(
  name: string,
  version: string | undefined,
  purl: string | undefined,
  licenses: readonly (string | undefined)[],
): SbomComponent {
  const known = [...new Set(licenses.filter((license) => license !== undefined && license !== ''))].sort();
  return { name, version: version ?? '', purl: purl || null, licenses: known as string[] };
}

/** Components hold components: all of them, in the order of the document. */
function cycloneDxComponents(list: readonly CycloneDxComponent[]): readonly SbomComponent[] {
  return list.flatMap(({ group, name, version, purl, licenses, components }) => [
    component(group ? `${group}/${name}` : name, version, purl, licenses),
    ...cycloneDxComponents(components),
  ]);
}

function spdx2Component({
  name,
  versionInfo,
  licenseConcluded,
  licenseDeclared,
  externalRefs,
}: z.infer<typeof spdx2Schema>['packages'][number]): SbomComponent {
  const purl = externalRefs.find(({ referenceType }) => referenceType === 'purl')?.referenceLocator;
  return component(name, versionInfo, purl, [asserted(licenseConcluded) ?? asserted(licenseDeclared)]);
}

/** SPDX says aloud that nothing is known. */
const asserted = (license: string | undefined) =>
  license === 'NOASSERTION' || license === 'NONE' ? undefined : license;

const spdx3Packages = ['software_Package', 'ai_AIPackage', 'dataset_DatasetPackage'];

function spdx3Components(graph: readonly Spdx3Element[]): readonly SbomComponent[] {
  const expressions = new Map(
    graph.map(({ spdxId, simplelicensing_licenseExpression: expression }) => [spdxId, expression] as const),
  );
  const licenses = new Map<string, string[]>();
  for (const { relationshipType, from, to } of graph) {
    if (from === undefined || !/^has(?:Declared|Concluded)License$/.test(relationshipType ?? '')) continue;
    const list = licenses.get(from) ?? [];
    for (const id of to) {
      const expression = typeof id === 'string' ? asserted(expressions.get(id)) : undefined;
      if (expression !== undefined) list.push(expression);
    }
    licenses.set(from, list);
  }
  return graph
    .filter(({ type, name }) => spdx3Packages.includes(type ?? '') && name !== undefined)
    .map(({ spdxId, name = '', software_packageVersion: version, software_packageUrl: purl }) =>
      component(name, version, purl, licenses.get(spdxId ?? '') ?? []),
    );
}
