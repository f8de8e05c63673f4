import {
  type Channel,
  type ProductId,
  type Proposal,
  parseChannel,
  parseVersion,
  type Version,
  zeroAddress,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import type { Promotion } from '../../rollout.ts';
import type { Vendor } from '../../vendor.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import { type RolloutFlags, rolloutOf, withRolloutOptions } from '../rollout-options.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

export async function promoteAndFollow(
  session: Session,
  vendor: Vendor,
  promotion: Promotion & { readonly wait: boolean },
): Promise<Proposal> {
  const { product, channel, version, rollout, wait } = promotion;
  await noteReopening(session, vendor, product, channel);
  session.output.note(`Promoting ${version} to ${channel}`);
  const proposal = await session.follow(vendor, await vendor.promote(product, channel, version, rollout), { wait });
  if (!waitsForPeople(proposal) && !(await session.evidenceOf(vendor, product, channel, version))) {
    session.output.note('  devices will see it once the block is final and the witnesses vouch for it');
  }
  return proposal;
}

/** A promotion lifts a halt and a stop: whoever promotes should not do that unawares. */
async function noteReopening(
  session: Session,
  { client }: Vendor,
  product: ProductId,
  channel: Channel,
): Promise<void> {
  const head = (await client.product(product)).channels.find((one) => one.channel === channel);
  if (!head?.halted && !head?.stopped) return;
  const how = head.halted ? 'is halted' : 'is stopped on this server';
  session.output.note(`Careful: ${channel} ${how} at ${head.version}, and this promotion opens it again`);
}

type PromoteFlags = RolloutFlags & {
  readonly product?: string;
  readonly version: string;
  readonly channel: string;
  readonly fallback?: string;
  readonly wait?: boolean;
};

async function promote(session: Session, flags: PromoteFlags): Promise<void> {
  const [version, channel, rollout] = [parseVersion(flags.version), parseChannel(flags.channel), rolloutOf(flags)];
  const product = await session.product(flags.product);
  const vendor = await session.vendor(product);
  const back = flags.fallback === undefined ? null : parseVersion(flags.fallback);
  const wait = flags.wait ?? false;
  const fallbacks = back === null ? [] : await prepareFallbacks(session, vendor, product, channel, back);
  const proposal = await promoteAndFollow(session, vendor, { product, channel, version, rollout, wait });
  const open = [proposal, ...fallbacks].filter(({ reason }) => reason?.code !== 'held-back').filter(waitsForPeople);
  const { durationSeconds, firstShareBasisPoints } = rollout;
  const pace =
    durationSeconds > 0 ? `, ${firstShareBasisPoints / 100} % at first, everybody after ${durationSeconds} s` : '';
  session.output.result(
    {
      product,
      channel,
      version,
      rollout,
      proposal: proposal.id,
      state: proposal.state,
      transaction: proposal.transaction,
      ...(back !== null && { fallback: back, fallbacks: fallbacks.map(({ id }) => id) }),
    },
    open.length > 0
      ? `it waits for approvals: firmproof approve ${open.map(({ id }) => id).join(' ')}`
      : `channel ${channel} points at ${version}${pace}`,
  );
}

/**
 * The way back, approved ahead of a bad night: one for the night as it is, one for a night on which the guardian has halted
 * the channel first.
 */
async function prepareFallbacks(
  session: Session,
  vendor: Vendor,
  product: ProductId,
  channel: Channel,
  back: Version,
): Promise<Proposal[]> {
  session.output.note(`Preparing the way back to ${back}`);
  const { guardian } = await vendor.client.product(product);
  const proposals: Proposal[] = [];
  for (const ahead of guardian === zeroAddress ? ([2] as const) : ([2, 3] as const)) {
    const prepared = await vendor.prepareFallback(product, channel, back, ahead);
    proposals.push(await session.follow(vendor, prepared));
  }
  return proposals;
}

export function addPromote(program: Command, run: Run): void {
  withRolloutOptions(
    program
      .command('promote')
      .description('point a channel at a release, all at once or little by little')
      .option('--product <name>', 'name or id (default: the only one here)')
      .requiredOption('--version <version>', 'a published release')
      .option('--channel <name>', 'the channel', 'stable')
      .option('--fallback <version>', 'collect the approvals for the way back to this release, for `fall-back`')
      .option('--wait', 'until it is on chain, where others have to approve'),
  ).action(run((session, flags: PromoteFlags) => promote(session, flags)));
}
