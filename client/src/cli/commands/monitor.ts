import { resolve } from 'node:path';
import { FirmproofError, parseProductId, parseSha256Digest, parseVersion, redactUrl } from '@firmproof/protocol';
import type { Command } from 'commander';
import { alertLine } from '../../monitor/alert.ts';
import { announce, readAnnouncements } from '../../monitor/announcements.ts';
import { type MonitorConfig, readMonitorConfig, type SinkConfig } from '../../monitor/config.ts';
import { Monitor, type OnceResult } from '../../monitor/monitor.ts';
import { testSinks } from '../../monitor/test-sinks.ts';
import { exitCodes } from '../exit-codes.ts';
import { counted, fields } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type MonitorFlags = {
  readonly config?: string;
  readonly once?: boolean;
  readonly checkConfig?: boolean;
  readonly testAlerts?: boolean;
  readonly fromStart?: boolean;
};

function readConfig(file: string | undefined): MonitorConfig {
  if (file !== undefined) return readMonitorConfig(resolve(file));
  throw new FirmproofError('usage-invalid', '--config is missing', { hint: 'docs/monitor.md has one to start from.' });
}

async function monitor(session: Session, flags: MonitorFlags): Promise<void> {
  const config = readConfig(flags.config);
  if (flags.checkConfig) return showConfig(session, config);
  if (flags.testAlerts) return sendTest(session, config);
  const note = (line: string) => void process.stderr.write(`${line}\n`);
  const daemon = Monitor.open({ config, json: session.output.json, fromStart: flags.fromStart ?? false, note });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => daemon.stop());
  try {
    if (flags.once) return reportOnce(session, await daemon.once());
    session.output.note(`following ${counted(config.products.length, 'product')}, every ${config.intervalSeconds} s`);
    await daemon.run();
  } finally {
    daemon.close();
  }
  // Requests that were given up are not waited for.
  process.exit(exitCodes.done);
}

/** 0: nothing. 5: there are alerts. 7: not everything could be looked at, or told. What was told before is not told again, but named. */
function reportOnce(session: Session, { alerts, standing, unseen, undelivered }: OnceResult): void {
  const counts = [counted(alerts.length, 'new alert'), `${standing.length} from before and still so`];
  const all = [...alerts, ...standing];
  session.output.note(all.length === 0 ? 'no alerts' : counts.join(', '));
  for (const alert of standing) session.output.note(`still ${alertLine(alert)}`);
  for (const { product } of unseen) session.output.note(`${product}: could not be looked at in full`);
  for (const way of undelivered) session.output.note(`${way}: alerts still wait there for the next time`);
  if (all.length > 0) process.exitCode = exitCodes.unproven;
  else if (unseen.length > 0 || undelivered.length > 0) process.exitCode = exitCodes.unreachable;
}

function showConfig(session: Session, config: MonitorConfig): void {
  const products = config.products.map((product) => ({
    product: product.product,
    label: product.label,
    chainId: product.chainId,
    registry: product.registry,
    nodes: product.rpc.map(hostOf),
    quorum: product.quorum,
    server: product.server === null ? null : redactUrl(product.server),
    sources: product.sources.map(redactUrl),
    trustRoot: product.trustRoot?.version ?? null,
    announced: product.announced === null ? null : readAnnouncements(product.announced).size,
    expectedSigners: product.expectedSigners?.size ?? null,
  }));
  const alerts = config.sinks.map((sink) => ({ name: sink.name, kind: sink.kind, to: goal(sink) }));
  const { stateDirectory, intervalSeconds } = config;
  const lines = products.flatMap((product) => [
    '',
    fields([
      ['product', `${product.label ?? ''} ${product.product}`.trim()],
      ['registry', `${product.registry} on chain ${product.chainId}`],
      ['nodes', `${product.quorum} of ${product.nodes.join(', ')}`],
      ['server', product.server ?? 'none: not compared'],
      ['sources', product.sources.join(', ') || 'none: neither content nor attestations are looked at'],
      ['trust root', rootsOf(product)],
      ['announced', product.announced === null ? 'not compared' : counted(product.announced, 'version')],
      [
        'signers',
        product.expectedSigners === null ? 'not compared' : counted(product.expectedSigners, 'expected signer'),
      ],
    ]),
  ]);
  const ways = alerts.map(({ name, kind, to }) => `${name} (${kind}) ${to}`).join('\n');
  const text = [
    `state in ${stateDirectory}, a look every ${intervalSeconds} s`,
    ...lines,
    '',
    ways || 'alerts go to stdout only',
  ];
  session.output.result({ stateDirectory, intervalSeconds, products, alerts }, text.join('\n'));
}

/** Whom attestations are verified against. */
function rootsOf({ trustRoot, server }: { readonly trustRoot: number | null; readonly server: string | null }): string {
  const held = trustRoot === null ? [] : [`version ${trustRoot}, from its file`];
  const carried = server === null ? [] : ['what the chain names, from the server'];
  return [...held, ...carried].join('; ') || 'none: attestations cannot be verified';
}

/** A path may be a secret, as that of many chat services is. */
const hostOf = (url: string) => new URL(url).host;

function goal(sink: SinkConfig): string {
  switch (sink.kind) {
    case 'webhook':
      return hostOf(sink.url);
    case 'email':
      return `${sink.to.join(', ')} through ${sink.host}:${sink.port}`;
    case 'syslog':
      return `${sink.protocol} ${sink.host}:${sink.port}`;
  }
}

async function sendTest(session: Session, config: MonitorConfig): Promise<void> {
  const outcomes = await testSinks(config.sinks);
  const lines = outcomes.map(({ name, trouble }) => `${name}: ${trouble ?? 'taken'}`);
  session.output.result({ ways: outcomes }, lines.join('\n') || 'no way but stdout is configured');
  if (outcomes.some(({ trouble }) => trouble !== null)) process.exitCode = exitCodes.unreachable;
}

type AnnounceFlags = {
  readonly config?: string;
  readonly product?: string;
  readonly sha256?: string;
  readonly file?: string;
};

function announceRelease(session: Session, version: string, flags: AnnounceFlags): void {
  const file = flags.file === undefined ? announcedFile(readConfig(flags.config), flags.product) : resolve(flags.file);
  const parsed = parseVersion(version);
  const image = flags.sha256 === undefined ? null : parseSha256Digest(flags.sha256);
  announce(file, parsed, image);
  session.output.result(
    { file, version: parsed, image },
    `announced ${parsed}${image === null ? '' : ` as ${image}`} in ${file}`,
  );
}

function announcedFile({ products }: MonitorConfig, wanted: string | undefined): string {
  const id = wanted?.startsWith('0x') ? parseProductId(wanted) : null;
  const found = products.filter(({ product, label }) => wanted === undefined || product === id || label === wanted);
  const [only, ...more] = found;
  if (only === undefined || more.length > 0) {
    throw new FirmproofError('usage-invalid', `${found.length} products of the configuration are meant`, {
      hint: 'Name one with --product, by its id or label.',
    });
  }
  if (only.announced !== null) return only.announced;
  throw new FirmproofError('usage-invalid', 'the configuration names no file of announcements for this product', {
    hint: 'Add "announced", or give the file with --file.',
  });
}

export function addMonitor(program: Command, run: Run): void {
  const command = program
    .command('monitor')
    .enablePositionalOptions()
    .description('follow products on their chain, and alert: webhook, e-mail, syslog (docs/monitor.md)')
    .option('--config <file>', 'what to follow and whom to tell, in JSON')
    .option('--once', 'one look, then end: exit code 5 for alerts, 7 where something could not be looked at')
    .option('--check-config', 'look whether the configuration holds, start nothing')
    .option('--test-alerts', 'send a test alert on every way, start nothing')
    .option('--from-start', 'at the first start: tell of everything that ever happened, too')
    .action(run((session, flags: MonitorFlags) => monitor(session, flags)));
  command
    .command('announce')
    .description('say that a release is going to be published, so that the monitor is not alarmed by it')
    .argument('<version>')
    .option('--sha256 <digest>', 'the image that it has to have')
    .option('--config <file>', 'configuration of the monitor')
    .option('--product <id or label>', 'which product, where there are several')
    .option('--file <file>', 'the file of announcements itself, where the configuration is not here')
    .action(run(async (session, version: string, flags: AnnounceFlags) => announceRelease(session, version, flags)));
}
