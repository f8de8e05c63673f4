import {
  FirmproofError,
  isFirmproofError,
  type ProductId,
  parseAddress,
  parseEvidence,
  parseTrustRoot,
  parseVersion,
  type TrustRoot,
  verifyEvidence,
} from '@firmproof/protocol';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import type { Command } from 'commander';
import { auditProduct, type VouchedHistory } from '../../audit.ts';
import { exitCodes } from '../exit-codes.ts';
import { readText } from '../files.ts';
import { fields, humanTime, table } from '../output.ts';
import { requireRpcUrl } from '../rpc-url.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

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
  const rpc = flags.rpc === undefined ? undefined : requireRpcUrl(flags.rpc);
  if (rpc !== undefined && registry !== undefined) return { rpcUrl: rpc, registry };
  const info = await session.client().info();
  const rpcUrl = rpc ?? info.rpcUrl;
  if (rpcUrl === undefined) {
    throw new FirmproofError('usage-invalid', 'an RPC node of your own is needed', { hint: 'Give it with --rpc URL.' });
  }
  if (rpc === undefined) session.output.note('Development: auditing through the RPC node inside the server.');
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
      const verdict = await verifyEvidence(evidence, root, device, Math.floor(Date.now() / 1000), keylessVerifier);
      if (verdict.proven) vouched.push({ sequence: verdict.proven.sequence, history: verdict.proven.history });
      else if ('code' in verdict) session.output.note(`Evidence of ${channel}: ${verdict.message} [${verdict.code}]`);
    }
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    session.output.note(`No evidence to compare with: ${error.message} [${error.code}]`);
  }
  return vouched;
}

/** What an RPC node says is held against proofs and witnesses. */
export function addAudit(program: Command, run: Run): void {
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
}
