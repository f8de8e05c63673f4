import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofError,
  type ProductId,
  parseVersion,
  type ReleaseDocument,
  type TrustRoot,
  type Version,
} from '@firmproof/protocol';
import { importImage } from '@firmproof/protocol/node';
import { documentRows } from '@firmproof/protocol/review';
import type { Command } from 'commander';
import type { FirmproofClient } from '../../api-client.ts';
import { fetchDocument, type ReleaseDetails, releaseDetails } from '../../release-details.ts';
import { newestTrustRoot } from '../newest-trust-root.ts';
import { fields, humanBytes, humanTime, table } from '../output.ts';
import { productAnd, withProductAnd } from '../product-argument.ts';
import type { Session } from '../session.ts';
import { type SupplyChainFlags, supplyChainOf, withDocumentOptions } from '../supply-chain-options.ts';
import type { Run } from './setup.ts';

/** The trust root that the chain names, where one of the product is known here to walk from. */
async function knownTrustRoot(session: Session, product: ProductId): Promise<TrustRoot | null> {
  return session.home.trustRootOf(product) ? newestTrustRoot(session, product) : null;
}

/** With the publisher's token where it is kept here: its own releases are seen before they are installable. */
async function readerOf(session: Session, product: ProductId): Promise<FirmproofClient> {
  const client = session.client();
  if (session.givenToken) return client;
  const { publisher } = await client.product(product);
  const token = session.home.tokenFor(session.server, publisher);
  return token === null ? client : client.withToken(token);
}

const signatureText = ({ isSignatureChecked }: ReleaseDetails) =>
  isSignatureChecked
    ? 'signed by somebody whom the trust root names'
    : 'not checked: the trust root of this product is not here';

async function show(session: Session, reference: string | undefined, text: string): Promise<void> {
  const product = await session.product(reference);
  const client = await readerOf(session, product);
  const details = await releaseDetails(client, product, parseVersion(text), await knownTrustRoot(session, product));
  const { release, statement, isSignatureChecked } = details;
  const { documents = [], notes, purpose } = statement.predicate;
  const rows = documentRows({ ...statement, predicate: { ...statement.predicate, documents: [] } });
  const list = documents.map(({ kind, format, name, sizeBytes, digest }) => [
    kind,
    format,
    name,
    humanBytes(sizeBytes),
    digest,
  ]);
  session.output.result(
    { product, release, predicate: statement.predicate, isSignatureChecked },
    [
      fields([
        ['release', `${release.version} (${release.status})`],
        ['sha-256', release.image],
        ['published', humanTime(release.publishedAt)],
        ['installable', humanTime(release.installableFrom)],
        ...(purpose ? [['purpose', purpose] as const] : []),
        ...rows.map(({ label, value }) => [label.toLowerCase(), value] as const),
        ...(notes ? [['notes', notes] as const] : []),
        ['statement', signatureText(details)],
      ]),
      list.length > 0 ? `\n${table(['document', 'format', 'name', 'size', 'sha-256'], list)}` : '\nno documents',
    ].join('\n'),
  );
}

type GetFlags = { readonly product?: string; readonly version?: string; readonly output?: string };

async function get(session: Session, which: string, flags: GetFlags): Promise<void> {
  const product = await session.product(flags.product);
  const client = await readerOf(session, product);
  const version = flags.version === undefined ? await newestVersion(client, product) : parseVersion(flags.version);
  const details = await releaseDetails(client, product, version, await knownTrustRoot(session, product));
  const document = documentAsked(details, which);
  const bytes = await fetchDocument(client, product, document);
  if (flags.output === '-') {
    process.stdout.write(bytes);
    return;
  }
  // The name is that of a file in no directory, by the grammar that the statement was parsed with (R9.4).
  const file = flags.output ?? join('.', document.name);
  keep(file, bytes);
  session.output.result(
    { product, version, file, document, isSignatureChecked: details.isSignatureChecked },
    fields([
      ['file', file],
      ['document', `${document.kind} (${document.format}) of ${version}`],
      ['sha-256', `${document.digest}, as the statement names it`],
      ['statement', signatureText(details)],
    ]),
  );
}

/** Somebody's file is not lost for one that a server names. @throws FirmproofError `file-differs` */
function keep(file: string, bytes: Uint8Array): void {
  if (!existsSync(file)) writeFileSync(file, bytes, { flag: 'wx' });
  else if (!readFileSync(file).equals(bytes))
    throw new FirmproofError('file-differs', `${file} is there and is another file`, {
      hint: 'Name another one with --output.',
    });
}

async function newestVersion(client: FirmproofClient, product: ProductId): Promise<Version> {
  for await (const { version } of client.releases(product)) return version;
  throw new FirmproofError('release-not-found', 'the product has no releases yet');
}

/** By digest, kind or name. @throws FirmproofError `document-missing`, `usage-invalid` where several fit */
function documentAsked({ statement }: ReleaseDetails, which: string): ReleaseDocument {
  const { documents = [], version } = statement.predicate;
  const found = documents.filter(({ digest, kind, name }) => digest === which || kind === which || name === which);
  const [first, ...others] = found;
  if (first === undefined) {
    const known = documents.map(({ kind, name }) => `${kind} ${name}`).join(', ') || 'none';
    throw new FirmproofError('document-missing', `${version} has no document ${which}; it has: ${known}`, {
      hint:
        documents.length === 0
          ? 'It was published without documents. Another release: --version.'
          : 'Ask for one of these by kind, name or digest; another release: --version.',
    });
  }
  if (others.length === 0) return first;
  throw new FirmproofError('usage-invalid', `${version} has ${found.length} documents ${which}`, {
    hint: `Say which by its digest: ${found.map(({ name, digest }) => `${digest} (${name})`).join(', ')}`,
  });
}

type CheckFlags = SupplyChainFlags & { readonly image?: string };

async function check(session: Session, flags: CheckFlags): Promise<void> {
  const { documents } = await supplyChainOf(flags);
  if (documents === undefined || documents.files.length === 0)
    throw new FirmproofError('usage-invalid', 'no document is given', { hint: 'See firmproof document check --help.' });
  const image = flags.image === undefined ? null : await importImage(createReadStream(flags.image));
  const warnings = image === null ? [] : documents.requireAbout(image.digest, []);
  for (const warning of warnings) session.output.note(`Note: ${warning}`);
  const checked = documents.files.map(({ document }) => document);
  session.output.result(
    { documents: checked, warnings },
    table(
      ['document', 'format', 'name', 'sha-256'],
      checked.map(({ kind, format, name, digest }) => [kind, format, name, digest]),
    ),
  );
}

export function addDocument(program: Command, run: Run): void {
  const release = program.command('release').description('what was published, with what is attached to it');
  withProductAnd(release.command('show'), 'version', 'the release')
    .description('severity, fixes, end of support, notes and documents, as the statement says them')
    .action(run(productAnd('version', show)));
  const document = program.command('document').description('SBOMs, provenance, VEX and notes of releases');
  document
    .command('get')
    .argument('<document>', 'its digest, its kind or its name')
    .description('fetch a document and check that it is the one that was signed')
    .option('--product <name>', 'name or id (default: the only one here)')
    .option('--version <version>', 'the release (default: the newest)')
    .option('-o, --output <file>', 'where to; - is stdout (default: its own name, here)')
    .action(run((session, which: string, flags: GetFlags) => get(session, which, flags)));
  withDocumentOptions(document.command('check'))
    .description('validate documents as publish does, with nothing but the files')
    .option('--image <file>', 'the image that a provenance has to be about')
    .action(run((session, flags: CheckFlags) => check(session, flags)));
}
