import { type ErrorCode, FirmproofError } from '@firmproof/protocol';
import { z } from 'zod';
import { mistakesIn } from './mistakes.ts';

type Fields = Readonly<Record<string, unknown>>;

const text = z.string().min(1);
const instant = z.string().regex(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'is no time as 2026-01-31T12:00:00Z');
const elementId = z.string().regex(/^SPDXRef-[A-Za-z0-9.-]+$/, 'is no SPDXRef- with letters, digits, . and -');
const element = z.object({ SPDXID: elementId });
const reference = z
  .string()
  .regex(/^(?:DocumentRef-[A-Za-z0-9.+-]+:)?SPDXRef-[A-Za-z0-9.-]+$|^NONE$|^NOASSERTION$/, 'names no element');

/** What SPDX 2.2 and 2.3 ask of a document in JSON, as far as people who read it later rest on it. */
const spdx2Schema = z.object({
  spdxVersion: z.enum(['SPDX-2.2', 'SPDX-2.3']),
  SPDXID: z.literal('SPDXRef-DOCUMENT'),
  dataLicense: z.literal('CC0-1.0'),
  name: text,
  documentNamespace: z.string().regex(/^[A-Za-z][A-Za-z0-9+.-]*:[^#\s]+$/, 'is no URI without a fragment'),
  creationInfo: z.object({
    created: instant,
    creators: z
      .array(z.string().regex(/^(?:Person|Organization|Tool): ?\S/, 'is no Person:, Organization: or Tool:'))
      .min(1),
  }),
  packages: z
    .array(
      element.extend({
        name: text,
        downloadLocation: text,
        versionInfo: z.string().optional(),
        licenseConcluded: z.string().optional(),
        licenseDeclared: z.string().optional(),
        filesAnalyzed: z.boolean().optional(),
        checksums: z.array(z.object({ algorithm: text, checksumValue: z.string().regex(/^[0-9a-fA-F]+$/) })).optional(),
        externalRefs: z
          .array(z.object({ referenceCategory: text, referenceType: text, referenceLocator: text }))
          .optional(),
      }),
    )
    .default([]),
  files: z.array(element.extend({ fileName: text })).default([]),
  snippets: z.array(element).default([]),
  relationships: z
    .array(z.object({ spdxElementId: reference, relatedSpdxElement: reference, relationshipType: text }))
    .default([]),
});

const spdx3Schema = z.object({
  '@context': z.string().regex(/^https:\/\/spdx\.org\/rdf\/3\.\d+(?:\.\d+)?\/spdx-context\.jsonld$/),
  '@graph': z
    .array(z.looseObject({ type: text, spdxId: text.optional(), '@id': text.optional(), name: z.string().optional() }))
    .min(1),
});
const creationSchema = z.object({
  specVersion: z.string().regex(/^3\./),
  created: instant,
  createdBy: z.array(text).min(1),
});

/**
 * Checks SPDX 2.2 or 2.3 in JSON, or SPDX 3 in JSON-LD: what the specification demands of the parts that are read here, and
 * that what refers to an element finds it. No maintained validator of SPDX exists for this platform (docs/adr/0020).
 * @throws FirmproofError with the given code, naming the places that are wrong
 */
export function requireValidSpdx(document: Fields, code: ErrorCode, what: string): void {
  const refuse = (mistake: string) => new FirmproofError(code, `${what}: ${mistake}`);
  if (document['@context'] === undefined) requireValidSpdx2(document, refuse);
  else requireValidSpdx3(document, refuse);
}

type Refuse = (mistake: string) => FirmproofError;

function requireValidSpdx2(document: Fields, refuse: Refuse): void {
  const parsed = spdx2Schema.safeParse(document);
  if (!parsed.success) throw refuse(mistakesIn(parsed.error));
  const { packages, files, snippets, relationships, SPDXID } = parsed.data;
  const known = new Set<string>([SPDXID]);
  for (const { SPDXID: id } of [...packages, ...files, ...snippets]) {
    if (known.has(id)) throw refuse(`${id} is the id of two elements`);
    known.add(id);
  }
  for (const [index, { spdxElementId, relatedSpdxElement }] of relationships.entries())
    for (const id of [spdxElementId, relatedSpdxElement])
      if (id.startsWith('SPDXRef-') && !known.has(id)) throw refuse(`relationships.${index}: there is no ${id}`);
}

function requireValidSpdx3(document: Fields, refuse: Refuse): void {
  const parsed = spdx3Schema.safeParse(document);
  if (!parsed.success) throw refuse(mistakesIn(parsed.error));
  const graph = parsed.data['@graph'];
  const creations = new Set<string>();
  const ids = new Set<string>();
  for (const [index, one] of graph.entries()) {
    const place = `@graph.${index}`;
    const id = one.spdxId ?? one['@id'];
    if (id !== undefined && ids.has(id)) throw refuse(`${place}: ${id} is the id of two elements`);
    if (id !== undefined) ids.add(id);
    if (one.type !== 'CreationInfo') continue;
    const creation = creationSchema.safeParse(one);
    if (!creation.success) throw refuse(`${place}: ${mistakesIn(creation.error)}`);
    if (id !== undefined) creations.add(id);
  }
  const documents = graph.filter(({ type }) => type === 'SpdxDocument').length;
  if (documents !== 1) throw refuse(`there are ${documents} elements of type SpdxDocument, one is needed`);
  for (const [index, { type, spdxId, name, creationInfo }] of graph.entries()) {
    if (spdxId === undefined) continue;
    const isCreated =
      typeof creationInfo === 'object' || (typeof creationInfo === 'string' && creations.has(creationInfo));
    if (!isCreated) throw refuse(`@graph.${index}: creationInfo names no CreationInfo`);
    if (type === 'software_Package' && !name) throw refuse(`@graph.${index}: a package without name`);
  }
}
