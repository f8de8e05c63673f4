import { FirmproofError, parseAddress, type TrustRoot } from '@firmproof/protocol';
import type { Command } from 'commander';
import type { FirmproofClient } from '../../api-client.ts';
import {
  type Audit,
  type AuditStep,
  auditFile,
  auditProduct,
  ContentSource,
  writeAuditFile,
} from '../../audit/index.ts';
import { csvOf } from '../../audit/output/csv.ts';
import { htmlOf } from '../../audit/output/html.ts';
import { jsonOf } from '../../audit/output/json.ts';
import { painter, textOf } from '../../audit/output/text.ts';
import { isGood } from '../../audit/output/words.ts';
import { writeText } from '../../audit/output/write-file.ts';
import { exitCodes } from '../exit-codes.ts';
import { counted, humanBytes, type Output } from '../output.ts';
import { requireRpcUrl } from '../rpc-url.ts';
import type { Session } from '../session.ts';
import { readTrustRootFile } from '../trust-root-file.ts';
import type { Run } from './setup.ts';

/** Who is asked, and how much of it. */
export type AuditSources = {
  readonly rpc: readonly string[];
  readonly quorum?: string;
  readonly registry?: string;
  readonly chainId?: string;
  readonly trustRoot?: string;
  readonly entriesFrom: string;
  readonly source: readonly string[];
  readonly fetch?: boolean;
  readonly approvals: boolean;
  /** false where no server is to be asked. */
  readonly server: boolean;
  readonly state?: string;
  readonly offline?: string;
};

type AuditFlags = AuditSources & {
  readonly events?: boolean;
  readonly all?: boolean;
  readonly csv?: string;
  readonly html?: string;
  readonly export?: string;
};

async function auditCommand(session: Session, reference: string | undefined, flags: AuditFlags): Promise<void> {
  if (flags.fetch && flags.offline !== undefined)
    throw new FirmproofError('usage-invalid', '--fetch asks sources for images, --offline asks nobody', {
      hint: 'Verify the file without --fetch.',
    });
  const audit = await runAudit(session, reference, flags);
  try {
    await report(session.output, audit, flags);
  } finally {
    audit.close();
  }
}

/** Audits nodes, or a file. Whoever asks closes what comes back. */
export async function runAudit(session: Session, reference: string | undefined, flags: AuditSources): Promise<Audit> {
  const held = flags.trustRoot === undefined ? null : readTrustRootFile(flags.trustRoot);
  const bars = new Bars(session.output);
  return (
    flags.offline === undefined
      ? online(session, reference, held, flags, bars)
      : offline(session, reference, held, flags.offline, bars)
  ).finally(() => bars.stop());
}

async function report(output: Output, audit: Audit, flags: AuditFlags): Promise<void> {
  if (flags.csv !== undefined) writeText(flags.csv, csvOf(audit));
  if (flags.html !== undefined) writeText(flags.html, htmlOf(audit));
  const lacking = flags.export !== undefined && audit.summary.complete ? writeAuditFile(audit, flags.export) : 0;
  const events = flags.events ?? false;
  await output.pieces(
    output.json
      ? jsonOf(audit, { events })
      : textOf(audit, { events, all: flags.all ?? false }, painter(process.stdout)),
  );
  if (flags.export !== undefined && !audit.summary.complete)
    output.note('Nothing was exported: the history is incomplete.');
  const { witnesses } = audit.summary.basis;
  if (flags.export !== undefined && witnesses !== null && witnesses.sequence < audit.summary.sequence)
    output.note(
      `Witnesses vouch for ${witnesses.sequence} of ${counted(audit.summary.sequence, 'event')} so far, and --offline will say so: export again in a minute.`,
    );
  if (lacking > 0)
    output.note(
      `The file lacks the attestations of ${counted(lacking, 'release')}, and --offline will say so: audit with a server or --source URL to have them.`,
    );
  if (!isGood(audit.summary)) process.exitCode = exitCodes.unproven;
}

async function offline(
  session: Session,
  reference: string | undefined,
  given: TrustRoot | null,
  file: string,
  bars: Bars,
): Promise<Audit> {
  // A name is looked up here, and nowhere else: nothing is asked of anybody.
  const product = reference === undefined ? null : session.knownProduct(reference);
  const held = given ?? (product && session.home.trustRootOf(product));
  const audit = await auditFile(file, { trustRoot: held, onProgress: bars.update });
  if (product === null || product === audit.product) return audit;
  audit.close();
  throw new FirmproofError('usage-invalid', `the file is about product ${audit.product}, not ${product}`);
}

async function online(
  session: Session,
  reference: string | undefined,
  given: TrustRoot | null,
  flags: AuditSources,
  bars: Bars,
): Promise<Audit> {
  const product = given && reference === undefined ? given.product : await session.product(reference);
  const held = given ?? session.home.trustRootOf(product);
  const client = flags.server ? serverFor(session, flags, held) : null;
  const { rpcUrls, registry, chainId } = await whereToAudit(session, flags, held, client);
  const sources = flags.source.map((url) => new ContentSource(requireSource(url)));
  if (client) sources.unshift(new ContentSource(client.server));
  if (flags.fetch && sources.length === 0)
    throw new FirmproofError('usage-invalid', '--fetch needs a source: nobody is given who could have images', {
      hint: 'Give --source URL (an IPFS gateway; repeatable), or a server with --server URL.',
    });
  return auditProduct({
    rpcUrls,
    quorum: flags.quorum === undefined ? undefined : positive(flags.quorum, '--quorum'),
    chainId,
    registry,
    product,
    trustRoot: held,
    client,
    entriesFrom: entriesFrom(flags, client),
    approvals: flags.approvals,
    sources,
    fetch: flags.fetch ?? false,
    stateDirectory: flags.state ?? session.home.auditDirectory,
    onProgress: bars.update,
  });
}

/** With nodes, registry and an id no server is needed, so that of the default address is not asked then. */
function serverFor(session: Session, flags: AuditSources, held: TrustRoot | null): FirmproofClient | null {
  const isNeeded = flags.rpc.length === 0 || (flags.registry === undefined && held === null);
  return isNeeded || session.serverIsKnown ? session.client() : null;
}

async function whereToAudit(
  session: Session,
  flags: AuditSources,
  held: TrustRoot | null,
  client: FirmproofClient | null,
) {
  const chainId = flags.chainId === undefined ? held?.chainId : positive(flags.chainId, '--chain-id');
  const registry = flags.registry === undefined ? held?.registry : parseAddress(flags.registry);
  const rpcUrls = flags.rpc.map(requireRpcUrl);
  if (rpcUrls.length > 0 && registry !== undefined) return { rpcUrls, registry, chainId };
  const what = registry === undefined ? 'the registry is' : 'RPC nodes of your own are';
  const needed = new FirmproofError('usage-invalid', `${what} needed`, {
    hint: 'Give nodes with --rpc URL (several), and --registry ADDRESS or --trust-root FILE.',
  });
  if (client === null) throw needed;
  const info = await client.info();
  if (rpcUrls.length === 0) {
    if (info.rpcUrl === undefined) throw needed;
    rpcUrls.push(info.rpcUrl);
    session.output.note('Development: auditing through the RPC node inside the server.');
  }
  return { rpcUrls, registry: registry ?? info.registry, chainId: chainId ?? info.chainId };
}

function entriesFrom({ entriesFrom: from }: AuditSources, client: FirmproofClient | null): 'nodes' | 'server' {
  if (from === 'nodes') return from;
  if (from === 'server' && client !== null) return from;
  throw new FirmproofError('usage-invalid', from === 'server' ? 'no server is known' : `"${from}" carries no entries`, {
    hint: 'Entries come from `nodes` (default) or from `server`.',
  });
}

function positive(text: string, name: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new FirmproofError('usage-invalid', `${name} takes a whole number above 0`);
}

function requireSource(text: string): string {
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return text;
  throw new FirmproofError('usage-invalid', '--source takes the http(s) address of an IPFS gateway');
}

/** One bar for what goes on at the moment. */
class Bars {
  readonly #output: Output;
  #step: AuditStep | null = null;
  #bar: ReturnType<Output['progress']> | null = null;

  constructor(output: Output) {
    this.#output = output;
  }

  readonly update = (step: AuditStep, done: number, total: number): void => {
    if (step !== this.#step) {
      this.stop();
      this.#step = step;
      this.#bar = this.#output.progress(step, step === 'bytes' ? humanBytes : (count) => counted(count, 'event'));
    }
    this.#bar?.update(done, total);
  };

  stop(): void {
    this.#bar?.stop();
    this.#bar = null;
  }
}

const several = (value: string, before: readonly string[]) => [...before, value];

/** The options of AuditSources. */
export function withAuditSources(command: Command): Command {
  return command
    .option('--rpc <url>', 'RPC node; repeat it for several, which have to show the same block', several, [])
    .option('--quorum <n>', 'how many of them have to agree (default: all but a minority)')
    .option('--registry <address>', 'the registry (default: as the trust root says)')
    .option('--chain-id <n>', 'the chain that the nodes have to be on')
    .option(
      '--trust-root <file>',
      'trust root of the product, from the vendor or a device image: its witnesses are compared too',
    )
    .option('--no-server', 'ask nodes and sources only')
    .option('--entries-from <nodes|server>', 'who carries the entries, which are replayed against the proof', 'nodes')
    .option('--source <url>', 'IPFS gateway where attestations and images are looked for; repeatable', several, [])
    .option('--fetch', 'fetch and hash every image from every source')
    .option('--no-approvals', 'do not read who approved')
    .option('--state <directory>', 'where to keep what was read, so that the next audit goes on from there')
    .option('--offline <file>', 'verify a file that --export has written; nobody is asked');
}

/** What RPC nodes say is held against proofs and witnesses. */
export function addAudit(program: Command, run: Run): void {
  withAuditSources(
    program
      .command('audit')
      .argument('[product]', 'name or id')
      .description(
        'replay all events and compare with the proven history: complete, or where it differs; who approved what',
      ),
  )
    .option('--events', 'list every event as well')
    .option('--all', 'list every release, not only the newest')
    .option('--csv <file>', 'one line for each event')
    .option('--html <file>', 'one file to read and to print')
    .option('--export <file>', 'everything that it takes to verify this audit without a network')
    .addHelpText(
      'after',
      '\nExit code 0: complete, and nothing bad was found. 5: incomplete, or something bad was found. Others as in `firmproof --help`.\n',
    )
    .action(
      run((session, reference: string | undefined, flags: AuditFlags) => auditCommand(session, reference, flags)),
    );
}
