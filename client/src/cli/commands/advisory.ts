import {
  type Advisory,
  type AdvisoryPredicate,
  type AdvisoryStatus,
  advisoryStatuses,
  cveIdSchema,
  FirmproofError,
  type ProductId,
  parseVersion,
  type Severity,
  severities,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import type { AdvisoryDraft } from '../../advisory.ts';
import { advisoryRevisions, listAdvisories, sendAdvisory, signAdvisory } from '../../advisory.ts';
import type { FirmproofClient } from '../../api-client.ts';
import { type SignStatement, signStatement } from '../../attest.ts';
import { prepareDocuments } from '../../documents/prepare-documents.ts';
import { parseWholeNumber } from '../../units.ts';
import { ciClient } from '../ci-login.ts';
import { readText } from '../files.ts';
import { type KeylessPublishFlags, sigstoreServicesOf, withKeylessPublishOptions } from '../keyless-options.ts';
import { newestTrustRoot } from '../newest-trust-root.ts';
import { counted, fields, humanTime, table } from '../output.ts';
import { productAnd, withProductAnd, withProductArgument } from '../product-argument.ts';
import type { Session } from '../session.ts';
import { readTrustRootFile } from '../trust-root-file.ts';
import type { Run } from './setup.ts';

type PublishFlags = KeylessPublishFlags & {
  readonly id: string;
  readonly versions: string;
  readonly severity: string;
  readonly status: string;
  readonly title: string;
  readonly text?: string;
  readonly textFile?: string;
  readonly fixedIn?: string;
  readonly cve?: string;
  readonly vex?: string;
  readonly revision?: string;
  readonly dryRun?: boolean;
};

const listOf = (text: string | undefined) => (text === undefined ? [] : text.split(',').map((item) => item.trim()));

function oneOf<Known extends string>(known: readonly Known[], text: string, option: string): Known {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new FirmproofError('usage-invalid', `${option} is one of ${known.join(', ')}, not "${text}"`);
}

function cveIdsOf(text: string | undefined): string[] {
  const ids = [...new Set(listOf(text).map((id) => id.toUpperCase()))];
  const wrong = ids.find((id) => !cveIdSchema.safeParse(id).success);
  if (wrong === undefined) return ids;
  throw new FirmproofError('vulnerability-invalid', `--cve: "${wrong}" is no CVE id`);
}

function draftOf(flags: PublishFlags): AdvisoryDraft {
  const severity: Severity = oneOf(severities, flags.severity, '--severity');
  const status: AdvisoryStatus = oneOf(advisoryStatuses, flags.status, '--status');
  const text = flags.textFile === undefined ? (flags.text ?? flags.title) : readText(flags.textFile);
  return {
    id: flags.id,
    status,
    severity,
    versions: [...new Set(listOf(flags.versions).map(parseVersion))],
    ...(flags.fixedIn !== undefined && { fixedIn: parseVersion(flags.fixedIn) }),
    title: flags.title,
    text: text.replaceAll('\r\n', '\n').trimEnd(),
    vulnerabilities: cveIdsOf(flags.cve),
  };
}

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
  const draft = draftOf(flags);
  const revision = flags.revision === undefined ? undefined : parseWholeNumber(flags.revision, '--revision');
  const { files } = await prepareDocuments({ vex: flags.vex === undefined ? [] : [flags.vex] });
  const [vex] = files;
  const product = await session.product(name);
  const trustRoot = await newestTrustRoot(session, product);
  const { client, sign } = await signerFor(session, product, flags);
  const advisory = await signAdvisory(client, draft, { trustRoot, sign, revision, vex });
  const { predicate } = advisory.statement;
  if (flags.dryRun) {
    const text = `${JSON.stringify(advisory.statement, null, 2)}\n\nNothing was sent.`;
    session.output.result({ dryRun: true, ...predicate }, text);
    return;
  }
  await sendAdvisory(client, advisory, vex);
  session.output.result({ ...predicate, digest: advisory.digest }, describe(predicate));
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
      '',
      predicate.text,
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
      .requiredOption('--versions <versions>', 'what it is about, comma separated')
      .requiredOption('--severity <severity>', severities.join(', '))
      .requiredOption('--title <title>', 'one line')
      .option('--status <status>', `of those versions: ${advisoryStatuses.join(', ')}`, 'affected')
      .option('--fixed-in <version>', 'the version to update to')
      .option('--text <text>', 'more than the title says')
      .option('--text-file <file>', 'the same from a file, at most 4096 characters')
      .option('--cve <ids>', 'CVE ids, comma separated')
      .option('--vex <file>', 'a VEX document that says the same to machines: OpenVEX, or CycloneDX')
      .option('--revision <n>', 'where the server is not to be asked for the one before')
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
