import { readFileSync, statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import {
  type DocumentFormat,
  type DocumentKind,
  documentFormats,
  type ErrorCode,
  FirmproofError,
  maximumDocumentBytes,
  maximumDocuments,
  parseJson,
  type ReleaseDocument,
  readSbomDocument,
  requireShallow,
  type Sbom,
  type Sha256Digest,
  sbomOf,
  utf8Text,
} from '@firmproof/protocol';
import { importImage } from '@firmproof/protocol/node';
import { z } from 'zod';
import { requireValidCycloneDx } from './cyclonedx.ts';
import { readProvenance, requireAboutImage } from './provenance.ts';
import { requireValidSpdx } from './spdx.ts';
import { isNamed, readVex } from './vex.ts';

/** Files to attach to a release, by what they are. */
export type DocumentFiles = {
  readonly sboms?: readonly string[];
  readonly provenance?: readonly string[];
  readonly vex?: readonly string[];
  readonly notes?: readonly string[];
};

export type PreparedDocument = { readonly document: ReleaseDocument; readonly bytes: Uint8Array };

export type PreparedDocuments = {
  readonly files: readonly PreparedDocument[];
  /** Of the first bill of materials, with its components. */
  readonly sbom: Sbom | undefined;
  /**
   * Compares them with the image that they are about, once that is hashed. Answers what a person should look at.
   * @throws FirmproofError `provenance-subject`
   */
  requireAbout(image: Sha256Digest, names: readonly string[]): readonly string[];
};

type Checked<Kind extends DocumentKind> = {
  readonly format: DocumentFormat<Kind>;
  readonly sbom?: Sbom;
  readonly about?: (image: Sha256Digest, names: readonly string[]) => string | null;
};

const codes = {
  sbom: 'sbom-malformed',
  provenance: 'provenance-malformed',
  vex: 'vex-malformed',
  notes: 'notes-malformed',
} as const satisfies Record<DocumentKind, ErrorCode>;
const maximumNesting = 100;

/**
 * Reads and validates the documents of a release. Sends nothing.
 * @throws FirmproofError `file-not-found`, `document-empty`, `document-too-large`, `usage-invalid` for too many, or
 *   `…-malformed` by kind, naming the file and the place in it
 */
export async function prepareDocuments(files: DocumentFiles): Promise<PreparedDocuments> {
  const wanted = [
    ...(files.sboms ?? []).map((file) => ({ kind: 'sbom', file }) as const),
    ...(files.provenance ?? []).map((file) => ({ kind: 'provenance', file }) as const),
    ...(files.vex ?? []).map((file) => ({ kind: 'vex', file }) as const),
    ...(files.notes ?? []).map((file) => ({ kind: 'notes', file }) as const),
  ];
  if (wanted.length > maximumDocuments)
    throw new FirmproofError(
      'usage-invalid',
      `${wanted.length} documents are given, a release has ${maximumDocuments} at most`,
    );
  const prepared: PreparedDocument[] = [];
  const checks: NonNullable<Checked<DocumentKind>['about']>[] = [];
  let sbom: Sbom | undefined;
  for (const { kind, file } of wanted) {
    const bytes = readDocument(file);
    const checked = await check(kind, file, bytes);
    const document = await documentOf(kind, checked.format, file, bytes);
    if (prepared.some(({ document: { kind: other, digest } }) => other === kind && digest === document.digest))
      throw new FirmproofError('usage-invalid', `${file} is given twice as ${kind}`);
    prepared.push({ document, bytes });
    if (checked.about) checks.push(checked.about);
    sbom ??= checked.sbom;
  }
  return {
    files: prepared,
    sbom,
    requireAbout: (image, names) => checks.map((about) => about(image, names)).filter((warning) => warning !== null),
  };
}

function readDocument(file: string): Uint8Array {
  const size = statSync(file, { throwIfNoEntry: false });
  if (!size) throw new FirmproofError('file-not-found', `${file} cannot be read`);
  if (size.isDirectory()) throw new FirmproofError('file-not-found', `${file} is a directory`);
  if (size.size > maximumDocumentBytes)
    throw new FirmproofError(
      'document-too-large',
      `${file} has ${size.size} bytes, ${maximumDocumentBytes} are allowed`,
    );
  const bytes = readFileSync(file);
  if (bytes.length === 0) throw new FirmproofError('document-empty', `${file} is empty`);
  return bytes;
}

async function check(kind: DocumentKind, file: string, bytes: Uint8Array): Promise<Checked<DocumentKind>> {
  // Some tools begin their JSON with a byte order mark; it stays in what is hashed.
  const whole = utf8Text(bytes, codes[kind], file);
  const text = whole.replace(/^\ufeff/, '');
  if (kind === 'notes') {
    if (text.includes('\0')) throw new FirmproofError('notes-malformed', `${file} is no text`);
    return { format: ['.md', '.markdown'].includes(extname(file).toLowerCase()) ? 'markdown' : 'text' };
  }
  const options = { code: codes[kind], maximumBytes: maximumDocumentBytes, what: file };
  requireShallow(text, maximumNesting, options);
  const fields = parseJson(text, z.record(z.string(), z.unknown()), options);
  switch (kind) {
    case 'sbom': {
      const read = readSbomDocument(whole, file);
      if (read.format === 'cyclonedx') await requireValidCycloneDx(fields, options.code, file);
      else requireValidSpdx(fields, options.code, file);
      return { format: read.format, sbom: sbomOf(read) };
    }
    case 'provenance': {
      const provenance = readProvenance(fields, file);
      const about = (image: Sha256Digest) => {
        requireAboutImage(provenance, image, file);
        return null;
      };
      return { format: 'slsa', about };
    }
    case 'vex': {
      const vex = await readVex(fields, file);
      const warning = `${file} names neither the image's sha-256 nor the product: a scanner may not find that it is about this release`;
      return { format: vex.format, about: (image, names) => (isNamed(vex, [image, ...names]) ? null : warning) };
    }
  }
}

async function documentOf(
  kind: DocumentKind,
  format: DocumentFormat,
  file: string,
  bytes: Uint8Array,
): Promise<ReleaseDocument> {
  const { digest, cid, sizeBytes } = await importImage(once(bytes));
  const mediaTypes: Readonly<Record<string, string>> = documentFormats[kind];
  const mediaType = mediaTypes[format] ?? 'application/octet-stream';
  return { kind, format, mediaType, name: plainName(basename(file), kind), digest, cid, sizeBytes };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/** What R9.4 allows of a file's name; the name is for people, and nothing hangs on it. */
function plainName(name: string, kind: DocumentKind): string {
  const plain = name.replace(/[^A-Za-z0-9._+-]+/g, '-').replace(/^[.+-]+|[.]+$/g, '');
  return plain.slice(-128).replace(/^[.+-]+/, '') || kind;
}
