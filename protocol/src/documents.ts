import * as z from 'zod';
import { cidSchema } from './cid.ts';
import { sha256DigestSchema } from './digest.ts';

/** What vendors attach today: each kind with its formats, and the media type that a format is served and kept as. */
export const documentFormats = {
  sbom: { cyclonedx: 'application/vnd.cyclonedx+json', spdx: 'application/spdx+json' },
  provenance: { slsa: 'application/vnd.in-toto+json' },
  vex: { openvex: 'application/openvex+json', cyclonedx: 'application/vnd.cyclonedx+json' },
  notes: { text: 'text/plain', markdown: 'text/markdown' },
} as const satisfies Record<string, Readonly<Record<string, string>>>;
export type DocumentKind = keyof typeof documentFormats;
export const documentKinds = Object.keys(documentFormats) as readonly DocumentKind[];
export type DocumentFormat<Kind extends DocumentKind = DocumentKind> = {
  [Each in Kind]: keyof (typeof documentFormats)[Each] & string;
}[Kind];

export const maximumDocuments = 32;
export const maximumDocumentBytes = 32 * 1024 * 1024;

/** In words of a grammar, not of a closed list: an agent of today must take a statement with kinds of tomorrow (R9.2). */
const wordSchema = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);

/** The name of a plain file in no directory, on every system (A27). */
export const documentNameSchema = z
  .string()
  .max(128)
  .regex(/^[A-Za-z0-9_](?:[A-Za-z0-9._+-]*[A-Za-z0-9_+-])?$/)
  .meta({
    description: 'The name of a file: letters, digits and . _ + -; the first a letter, a digit or _, the last no dot.',
  });

/** A document about a release, as its statement names it (docs/spec/release.md R9). */
export const documentSchema = z
  .object({
    kind: wordSchema.meta({ description: 'sbom, provenance, vex, notes; others may come.' }),
    format: wordSchema.meta({ description: 'Of the kind: cyclonedx, spdx, slsa, openvex, text, markdown, …' }),
    mediaType: z
      .string()
      .max(127)
      .regex(/^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/),
    name: documentNameSchema,
    digest: sha256DigestSchema,
    cid: cidSchema,
    sizeBytes: z.int().min(1).max(maximumDocumentBytes),
  })
  .meta({ id: 'ReleaseDocument', description: 'A document about a release, as its statement names it.' });
export type ReleaseDocument = z.infer<typeof documentSchema>;

export const severities = ['none', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** As the CVE record format has it. */
export const cveIdSchema = z.string().regex(/^CVE-[0-9]{4}-[0-9]{4,19}$/);
export const maximumFixedVulnerabilities = 256;

/** What a predicate may say beside its image: all of it for people, and none of it decides anything on a device (R9.1). */
export const supplyChainShape = {
  documents: z.array(documentSchema).max(maximumDocuments).optional(),
  /** How bad the worst hole is that this release closes. */
  severity: z.enum(severities).optional(),
  /** CVE ids of what it fixes, each once. */
  fixedVulnerabilities: z.array(cveIdSchema).max(maximumFixedVulnerabilities).optional(),
  /** The last day, in UTC, on which the vendor means to fix holes in it. */
  supportUntil: z.iso.date().optional(),
};

/** The server's answer to a document that was sent. */
export const receivedDocumentSchema = documentSchema.pick({ digest: true, cid: true, sizeBytes: true }).meta({
  id: 'ReceivedDocument',
  description: 'A document that the server keeps for the releases that will name it.',
});
export type ReceivedDocument = z.infer<typeof receivedDocumentSchema>;
