import {
  type Advisory,
  type AdvisoryPredicate,
  advisoryStatuses,
  FirmproofError,
  isFirmproofError,
  type ProductId,
  parseVersion,
  severities,
  type TrustRoot,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { advisoryRevisions, listAdvisories, sendAdvisory, signAdvisory } from '../../advisory.ts';
import type { FirmproofClient } from '../../api-client.ts';
import { type SignStatement, signStatement } from '../../attest.ts';
import { prepareDocuments } from '../../documents/prepare-documents.ts';
import { parseWholeNumber } from '../../units.ts';
import { type AdvisoryFlags, draftOf } from '../advisory-draft.ts';
import { ciClient } from '../ci-login.ts';
import { type KeylessPublishFlags, sigstoreServicesOf, withKeylessPublishOptions } from '../keyless-options.ts';
import { newestTrustRoot } from '../newest-trust-root.ts';
import { counted, fields, humanTime, table } from '../output.ts';
import { productAnd, withProductAnd, withProductArgument } from '../product-argument.ts';
import type { Session } from '../session.ts';
import { readTrustRootFile } from '../trust-root-file.ts';
import type { Run } from './setup.ts';

type PublishFlags = KeylessPublishFlags &
  AdvisoryFlags & { readonly vex?: string; readonly revision?: string; readonly dryRun?: boolean };

/** Who signs and sends: the build key of this machine, or the identity of this run of CI. */
async function signerFor(
  session: Session,
  product: ProductId,
  flags: PublishFlags,
): Promise<{ readonly client: FirmproofClient; readonly sign: SignStatement }> {
  if (flags.keyless) {
    const { keylessSigner } = await import('../../keyless.ts');
    const sign = keylessSigner(sigstoreServicesOf(flags));
    return { client: await ciClient(session, product), sign };
  }
  const client = session.givenToken ? session.client() : (await session.vendor(product)).client;
  const buildKey = await session.home.openBuildKey(await session.passphrase());
  return { client, sign: (payload) => signStatement(payload, buildKey) };
}

async function publish(session: Session, name: string | undefined, flags: PublishFlags): Promise<void> {
  // Everything that can be wrong on the command line is found before a key is opened.
  const draftAfter = draftOf(flags);
  const given = flags.revision === undefined ? undefined : parseWholeNumber(flags.revision, '--revision');
  const { files } = await prepareDocuments({ vex: flags.vex === undefined ? [] : [flags.vex] });
  const [vex] = files;
  const product = await session.product(name);
  const trustRoot = await newestTrustRoot(session, product);
  const before = given === undefined ? await newestRevision(session, trustRoot, flags.id) : null;
  const draft = draftAfter(before);
  const revision = given ?? (before?.revision ?? 0) + 1;
  const { client, sign } = await signerFor(session, product, flags);
  const advisory = await signAdvisory(client, draft, { trustRoot, sign, revision, vex });
  const { predicate } = advisory.statement;
  if (before !== null) session.output.note(`What is not given anew is that of revision ${before.revision}.`);
  if (before?.vex && !vex)
    session.output.note(`${before.vex.name} is not attached any more: VEX documents are given anew, with --vex.`);
  if (draft.fixedIn !== undefined && (await client.findRelease(product, draft.fixedIn)) === null)
    session.output.note(`There is no release ${draft.fixedIn} yet: devices are told to update to it all the same.`);
  if (flags.dryRun) {
    const text = `${JSON.stringify(advisory.statement, null, 2)}\n\nNothing was sent.`;
    session.output.result({ dryRun: true, ...predicate }, text);
    return;
  }
  await sendAdvisory(client, advisory, vex);
  session.output.result({ ...predicate, digest: advisory.digest }, describe(predicate));
}

/** What is said of it now; null for an advisory that is new. */
async function newestRevision(session: Session, trustRoot: TrustRoot, id: string): Promise<AdvisoryPredicate | null> {
  try {
    return (await advisoryRevisions(session.client(), trustRoot, id))[0]?.statement.predicate ?? null;
  } catch (error) {
    if (isFirmproofError(error) && error.code === 'advisory-not-found') return null;
    throw error;
  }
}

const describe = (said: AdvisoryPredicate): string =>
  fields([
    ['advisory', `${said.id}, revision ${said.revision} of ${humanTime(said.publishedAt)}`],
    ['title', said.title],
    ['severity', said.severity],
    ['status', `${said.status}: ${said.versions.join(', ')}`],
    ...(said.fixedIn === undefined ? [] : [['fixed in', said.fixedIn] as const]),
    ...said.vulnerabilities.map((id) => ['vulnerability', id] as const),
    ...(said.vex === undefined ? [] : [['vex', `${said.vex.name}, sha-256 ${said.vex.digest}`] as const]),
  ]);

const predicateOf = ({ statement, digest }: Advisory) => ({ ...statement.predicate, digest });

type ReadFlags = { readonly trustRoot?: string };

/** The trust root begins with the file that was given, or with what is known here. */
async function trustRootFor(session: Session, name: string | undefined, { trustRoot }: ReadFlags) {
  const given = trustRoot === undefined ? null : readTrustRootFile(trustRoot);
  const product = given && name === undefined ? given.product : await session.product(name);
  return newestTrustRoot(session, product, given);
}

async function list(
  session: Session,
  name: string | undefined,
  flags: ReadFlags & { readonly version?: string },
): Promise<void> {
  const version = flags.version === undefined ? undefined : parseVersion(flags.version);
  const trustRoot = await trustRootFor(session, name, flags);
  const { advisories, passedOver } = await listAdvisories(session.client(), trustRoot, version);
  const items = advisories.map(predicateOf);
  const rows = items.map((said) => [
    said.id,
    String(said.revision),
    said.severity,
    said.status,
    said.versions.join(' '),
    said.fixedIn ?? '–',
    said.title,
  ]);
  session.output.result(
    { product: trustRoot.product, advisories: items, passedOver },
    [
      rows.length === 0
        ? `no advisories${version === undefined ? '' : ` about ${version}`}`
        : table(['id', 'revision', 'severity', 'status', 'versions', 'fixed in', 'title'], rows),
      ...(passedOver > 0 ? [`left out, since they do not hold: ${counted(passedOver, 'statement')}`] : []),
    ].join('\n'),
  );
}

async function show(session: Session, name: string | undefined, id: string, flags: ReadFlags): Promise<void> {
  const trustRoot = await trustRootFor(session, name, flags);
  const [newest, ...older] = await advisoryRevisions(session.client(), trustRoot, id);
  if (newest === undefined) throw new FirmproofError('advisory-not-found', `no advisory ${id}`);
  const { predicate } = newest.statement;
  const before = older.map(({ statement: { predicate: said } }) => [
    String(said.revision),
    humanTime(said.publishedAt),
    said.status,
    said.title,
  ]);
  session.output.result(
    { ...predicateOf(newest), revisions: [newest, ...older].map(predicateOf) },
    [
      describe(predicate),
      ...(predicate.text === predicate.title ? [] : ['', predicate.text]),
      ...(before.length > 0 ? ['', table(['before', 'published', 'status', 'title'], before)] : []),
    ].join('\n'),
  );
}

/** `advisory publish | list | show`: what is known about releases that are out already. */
export function addAdvisory(program: Command, run: Run): void {
  const command = program.command('advisory').description('what is known about releases that are out already');
  withKeylessPublishOptions(
    withProductArgument(command.command('publish'))
      .description('sign an advisory, or its next revision, and send it: devices show it')
      .requiredOption('--id <id>', 'as FPA-2026-1')
      .option('--versions <versions>', 'what it is about, comma separated')
      .option('--severity <severity>', severities.join(', '))
      .option('--title <title>', 'one line')
      .option('--status <status>', `of those versions: ${advisoryStatuses.join(', ')} (default: affected)`)
      .option('--fixed-in <version>', 'the version to update to, or none')
      .option('--text <text>', 'more than the title says')
      .option('--text-file <file>', 'the same from a file, at most 4096 characters')
      .option('--cve <ids>', 'CVE ids, comma separated, or none')
      .option('--vex <file>', 'a VEX document that says the same to machines: OpenVEX, or CycloneDX')
      .option(
        '--revision <n>',
        'where the server is not to be asked for the one before; then nothing is taken over from it',
      )
      .option('--dry-run', 'show what would be signed, and send nothing'),
  ).action(run((session, name: string | undefined, flags: PublishFlags) => publish(session, name, flags)));
  const trustRootOption = [
    '--trust-root <file>',
    'begin with this trust root, which you have from the vendor or a device image',
  ] as const;
  withProductArgument(command.command('list'))
    .description('the newest revision of each advisory, each verified here')
    .option('--version <version>', 'only those about it')
    .option(...trustRootOption)
    .action(run(list));
  withProductAnd(command.command('show'), 'id', 'of the advisory')
    .description('an advisory with its revisions, each verified here')
    .option(...trustRootOption)
    .action(run(productAnd('id', show)));
}
