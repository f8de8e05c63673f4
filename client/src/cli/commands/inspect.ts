import { readFileSync, statSync, writeFileSync } from 'node:fs';
import {
  errorCatalogue,
  FirmproofError,
  isErrorCode,
  isFirmproofError,
  type ProductId,
  parseAddress,
  parseChannel,
  parseEvidence,
  parseTrustRoot,
  parseVersion,
  type ReleaseResource,
  type TrustRoot,
  verifyEvidence,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { auditProduct, type VouchedHistory } from '../../audit.ts';
import { checkChain } from '../../chain-check.ts';
import { verifyImage } from '../../verify-image.ts';
import { exitCodes } from '../exit-codes.ts';
import { fields, humanTime, table } from '../output.ts';
import type { Session } from '../session.ts';
import { describeProduct } from './product.ts';
import type { Run } from './setup.ts';

const nowSeconds = () => Math.floor(Date.now() / 1000);

async function login(session: Session): Promise<void> {
  const wallet = await session.approvalKey();
  const vendor = await session.login(wallet);
  await session.home.change({ server: session.server });
  session.output.result(
    { server: session.server, publisher: wallet.address.toLowerCase(), chainId: vendor.info.chainId },
    `logged in at ${session.server} as ${wallet.address}`,
  );
}

async function status(session: Session, reference: string | undefined): Promise<void> {
  const client = session.client();
  const product = await client.product(await session.product(reference));
  const releases: ReleaseResource[] = [];
  for await (const release of client.releases(product.product)) releases.push(release);
  const rows = releases.map((release) => [
    release.version,
    release.status === 'active' && release.installableFrom > nowSeconds() ? 'in veto window' : release.status,
    String(release.rollbackIndex),
    humanTime(release.publishedAt),
    release.image,
  ]);
  const list =
    rows.length > 0 ? table(['release', 'status', 'rollback index', 'published', 'sha-256'], rows) : 'no releases yet';
  session.output.result({ product, releases }, `${describeProduct(product)}\n\n${list}`);
}

async function proposal(session: Session, id: string): Promise<void> {
  const found = await session.client().proposal(id);
  const { kind, state, reason, transaction } = found;
  session.output.result(
    found,
    fields([
      ['proposal', `${kind} ${found.version ?? found.channel ?? ''}`.trim()],
      ['state', state],
      ['reason', reason ? `${reason.message} [${reason.code}]` : '–'],
      ['transaction', transaction ?? '–'],
    ]),
  );
}

type VerifyFlags = {
  readonly product?: string;
  readonly channel: string;
  readonly hardware?: string;
  readonly evidence?: string;
  readonly trustRoot?: string;
  readonly save?: string;
};

async function verify(session: Session, image: string, flags: VerifyFlags): Promise<void> {
  const { output } = session;
  const channel = parseChannel(flags.channel);
  const trustRoot = flags.trustRoot
    ? parseTrustRoot(readText(flags.trustRoot))
    : await ownTrustRoot(session, flags.product);
  const text = flags.evidence ? readText(flags.evidence) : await session.client().evidence(trustRoot.product, channel);
  const evidence = parseEvidence(text);
  if (flags.save) writeFileSync(flags.save, text);
  const size = sizeOf(image);
  const bar = output.progress('hashing');
  const {
    proven,
    version,
    verdict,
    image: found,
  } = await verifyImage(image, evidence, trustRoot, {
    channel,
    nowSeconds: nowSeconds(),
    ...(flags.hardware !== undefined && { hardware: flags.hardware }),
    onProgress: (done) => bar.update(done, size),
  }).finally(() => bar.stop());
  const { block } = evidence;
  const result = {
    proven,
    version,
    channel,
    image: found,
    block: { number: block.number, timestamp: block.timestamp },
  };
  if (proven) {
    output.result(
      result,
      `proven: ${image} is ${version}, the head of ${channel}, as the chain records it at block ${block.number} (${humanTime(block.timestamp)})`,
    );
    return;
  }
  output.result(
    { ...result, code: verdict.code, message: verdict.message },
    `not proven: ${verdict.message} [${verdict.code}]\n${verifyHint(verdict.code)}`,
  );
  process.exitCode = exitCodes.unproven;
}

const verifyHint = (code: keyof typeof errorCatalogue) =>
  code === 'image-digest-mismatch'
    ? 'Check the file and the channel: verify compares with the head of one channel.'
    : errorCatalogue[code].remedy;

async function ownTrustRoot(session: Session, reference: string | undefined): Promise<TrustRoot> {
  const root = session.home.trustRootOf(await session.product(reference));
  if (root) return root;
  throw new FirmproofError('usage-invalid', 'this product was not made here, so its trust root has to be given', {
    hint: 'Get trust-root.json from the vendor or a device image, not from the server, and give it with --trust-root.',
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FirmproofError('file-not-found', `${file} cannot be read`, { cause });
  }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch (cause) {
    throw new FirmproofError('file-not-found', `the image ${file} cannot be read`, { cause });
  }
}

type AuditFlags = {
  readonly rpc?: string;
  readonly registry?: string;
  readonly trustRoot?: string;
  readonly offline?: boolean;
  readonly events?: boolean;
};

async function audit(session: Session, reference: string | undefined, flags: AuditFlags): Promise<void> {
  const { output } = session;
  const given = flags.trustRoot === undefined ? null : parseTrustRoot(readText(flags.trustRoot));
  const product = given && reference === undefined ? given.product : await session.product(reference);
  const root = given ?? session.home.trustRootOf(product);
  const { rpcUrl, registry } = await whereToAudit(session, flags, root);
  const bar = output.progress('events');
  const report = await auditProduct({
    rpcUrl,
    registry,
    product,
    vouched: root && !flags.offline ? await vouchedHistories(session, product, root) : [],
    onEvent: bar.update,
  }).finally(() => bar.stop());
  const releases = report.releases.map((release) => [
    release.version,
    release.status,
    String(release.rollbackIndex),
    humanTime(release.publishedAt),
    release.image,
  ]);
  const events = report.events.map((event) => [
    String(event.sequence),
    event.name,
    event.subject,
    String(event.blockNumber),
    humanTime(event.time),
  ]);
  const text = [
    releases.length > 0
      ? table(['release', 'status', 'rollback index', 'published', 'sha-256'], releases)
      : 'no releases',
    ...(flags.events ? ['', table(['event', 'kind', 'about', 'block', 'time'], events)] : []),
    '',
    report.complete
      ? `complete: ${report.sequence} events replay to the history that block ${report.block.number} proves`
      : `NOT COMPLETE: ${report.differences.join('; ')}`,
    report.vouchedSequence === null
      ? 'no witness was asked: that this block is the chain’s own is the word of this node'
      : `a quorum of witnesses vouches for the history up to event ${report.vouchedSequence}`,
    fields([
      ['proven', report.history],
      ['replayed', report.replayedHistory],
    ]),
  ].join('\n');
  output.result(report, text);
  if (!report.complete) process.exitCode = exitCodes.unproven;
}

async function whereToAudit(session: Session, flags: AuditFlags, root: TrustRoot | null) {
  const registry = flags.registry === undefined ? root?.registry : parseAddress(flags.registry);
  if (flags.rpc !== undefined && registry !== undefined) return { rpcUrl: flags.rpc, registry };
  const info = await session.client().info();
  const rpcUrl = flags.rpc ?? info.rpcUrl;
  if (rpcUrl === undefined) {
    throw new FirmproofError('usage-invalid', 'an RPC node of your own is needed', { hint: 'Give it with --rpc URL.' });
  }
  if (flags.rpc === undefined) session.output.note('Development: auditing through the RPC node inside the server.');
  return { rpcUrl, registry: registry ?? info.registry };
}

/** What a quorum of witnesses vouches for, through the evidence of each channel; the node has to agree with it. */
async function vouchedHistories(session: Session, product: ProductId, root: TrustRoot): Promise<VouchedHistory[]> {
  const client = session.client();
  const vouched: VouchedHistory[] = [];
  try {
    for (const { channel } of (await client.product(product)).channels) {
      const evidence = parseEvidence(await client.evidence(product, channel));
      const device = {
        channel,
        hardware: '',
        installed: { version: parseVersion('0.0.0'), image: null },
        rollbackFloor: 0,
        lastProven: null,
        rolloutSecret: new Uint8Array(32),
      };
      const verdict = await verifyEvidence(evidence, root, device, nowSeconds());
      if (verdict.proven) vouched.push({ sequence: verdict.proven.sequence, history: verdict.proven.history });
      else if ('code' in verdict) session.output.note(`Evidence of ${channel}: ${verdict.message} [${verdict.code}]`);
    }
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    session.output.note(`No evidence to compare with: ${error.message} [${error.code}]`);
  }
  return vouched;
}

async function chainCheck(session: Session, rpc: string, flags: { readonly registry?: string }): Promise<void> {
  const findings = await checkChain(rpc, flags.registry === undefined ? undefined : parseAddress(flags.registry));
  const unsuitable = findings.some(({ ok, required }) => required && !ok);
  const rows = findings.map(({ name, ok, required, message }) => [ok ? '✓' : required ? '✗' : '–', name, message]);
  session.output.result(
    { suitable: !unsuitable, findings },
    `${rows.map(([mark, name, message]) => `${mark} ${name?.padEnd(18)} ${message}`).join('\n')}\n${unsuitable ? 'not suitable' : 'suitable'}`,
  );
  if (unsuitable) process.exitCode = exitCodes.unreachable;
}

function explain(session: Session, code: string): Promise<void> {
  if (!isErrorCode(code)) {
    const similar = Object.keys(errorCatalogue).filter((known) => known.includes(code));
    throw new FirmproofError(
      'usage-invalid',
      `"${code}" is no code`,
      similar.length > 0 ? { hint: `Did you mean ${similar.join(' or ')}?` } : {},
    );
  }
  const { meaning, remedy } = errorCatalogue[code];
  session.output.result({ code, meaning, remedy }, `${code}\n  ${meaning}\n  What to do: ${remedy}`);
  return Promise.resolve();
}

export function addInspect(program: Command, run: Run): void {
  program
    .command('login')
    .description('prove to be the publisher and keep an API token')
    .action(run((session) => login(session)));
  program
    .command('status')
    .argument('[product]', 'name or id')
    .description('channels and releases of a product, as the server sees them')
    .action(run((session, reference: string | undefined) => status(session, reference)));
  program
    .command('proposal')
    .argument('<id>', 'as publish or promote has printed it')
    .description('what has become of a proposal')
    .action(run((session, id: string) => proposal(session, id)));
  program
    .command('verify')
    .argument('<image>', 'the firmware image')
    .description('prove that an image is the head of a channel, online or against saved evidence')
    .option('--product <name>', 'name or id (default: the only one here)')
    .option('--channel <name>', 'the channel', 'stable')
    .option('--hardware <revision>', 'check for this hardware revision')
    .option('--evidence <file>', 'saved evidence: nothing is asked of any server')
    .option('--trust-root <file>', 'trust root of the product, where it was not made here')
    .option('--save <file>', 'keep the evidence for later')
    .action(run((session, image: string, flags: VerifyFlags) => verify(session, image, flags)));
  program
    .command('audit')
    .argument('[product]', 'name or id')
    .description('replay all events and compare with the proven history: complete, or where it differs')
    .option('--rpc <url>', 'RPC node of your own')
    .option('--registry <address>', 'the registry (default: as the trust root says)')
    .option('--trust-root <file>', 'trust root of the product, where it was not made here')
    .option('--offline', 'ask the RPC node only, do not compare with what witnesses vouch for')
    .option('--events', 'list every event as well')
    .action(run((session, reference: string | undefined, flags: AuditFlags) => audit(session, reference, flags)));
  program
    .command('chain')
    .description('chains to build on')
    .command('check')
    .argument('<rpc>', 'address of an RPC node')
    .description('whether a chain has what Firmproof needs')
    .option('--registry <address>', 'a registry that should be there')
    .action(run((session, rpc: string, flags: { readonly registry?: string }) => chainCheck(session, rpc, flags)));
  program
    .command('explain')
    .argument('<code>')
    .description('what an error code means and what to do')
    .action(run((session, code: string) => explain(session, code)));
}
