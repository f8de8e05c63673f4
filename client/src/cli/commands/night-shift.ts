import {
  type Channel,
  FirmproofError,
  type ProductId,
  type Proposal,
  parseChannel,
  type Version,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { everybodyAtOnce } from '../../rollout.ts';
import type { Vendor } from '../../vendor.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type Flags = { readonly product?: string };

async function open(session: Session, channelName: string, flags: Flags) {
  const channel = parseChannel(channelName);
  const product = await session.product(flags.product);
  return { channel, product, vendor: await session.vendor(product) };
}

/** How many enrolled devices have signed that they run this release, with the image that it was published with. */
async function devicesRunning({ client }: Vendor, product: ProductId, version: Version) {
  const { image } = await client.release(product, version);
  const { enrolled, running } = await client.fleet(product);
  const those = running.find((one) => one.version === version && one.image === image);
  return { runningDevices: those?.devices ?? 0, enrolledDevices: enrolled };
}

/** The server first, within a moment; then the chain, which is what holds. */
async function stop(session: Session, channelName: string, flags: Flags): Promise<void> {
  const { channel, product, vendor } = await open(session, channelName, flags);
  const { output } = session;
  const stopped = await vendor.client.stop(product, channel);
  output.note(`The server offers ${stopped.version} on ${channel} to nobody any more`);
  const head = await vendor.client.channel(product, channel);
  const devices = await devicesRunning(vendor, product, head.version);
  const { runningDevices, enrolledDevices } = devices;
  output.note(`${runningDevices} of ${enrolledDevices} enrolled devices have signed that they run ${head.version}`);
  const reached = head.halted ? 0 : head.shareBasisPoints / 100;
  if (head.halted) {
    output.result({ product, channel, stopped, halted: true, ...devices }, `channel ${channel} was halted already`);
    return;
  }
  output.note(`Halting ${channel}`);
  const proposal = await session.follow(vendor, await vendor.halt(product, channel));
  const halted = !waitsForPeople(proposal);
  const back = await findPrepared(vendor, product, channel);
  const wayBack = back ? `fall-back ${channel}` : `promote --version V --channel ${channel} with an older release`;
  output.result(
    { product, channel, stopped, halted, proposal: proposal.id, reachedPercent: reached, ...devices },
    [
      `${stopped.version} was open to ${reached} % of the devices; ${runningDevices} of ${enrolledDevices} enrolled ones run it`,
      halted
        ? `channel ${channel} is halted until the next promote`
        : `the halt waits for approvals: firmproof approve ${proposal.id}`,
      `next: firmproof ${wayBack}, or firmproof resume ${channel}`,
    ].join('\n'),
  );
}

/** A stop on the server is lifted; a halt on chain needs a promotion, which people approve. */
async function resume(session: Session, channelName: string, flags: Flags): Promise<void> {
  const { channel, product, vendor } = await open(session, channelName, flags);
  const head = await vendor.client.channel(product, channel);
  if (!head.halted) {
    await vendor.client.resume(product, channel);
    session.output.result({ product, channel, version: head.version }, `the server offers ${head.version} again`);
    return;
  }
  session.output.note(`Promoting ${head.version} anew: only a promotion lifts a halt`);
  const rest = { durationSeconds: head.durationSeconds, firstShareBasisPoints: head.firstShareBasisPoints };
  const rollout = head.durationSeconds > 0 ? { start: 0, ...rest } : everybodyAtOnce;
  const proposal = await session.follow(vendor, await vendor.promote(product, channel, head.version, rollout));
  await vendor.client.resume(product, channel);
  session.output.result(
    { product, channel, version: head.version, proposal: proposal.id, state: proposal.state },
    waitsForPeople(proposal)
      ? `it waits for approvals: firmproof approve ${proposal.id}`
      : `channel ${channel} points at ${head.version} again`,
  );
}

/** The prepared way back that fits the channel as it is now; null where there is none. */
async function findPrepared(vendor: Vendor, product: ProductId, channel: Channel): Promise<Proposal | null> {
  const { counter } = await vendor.client.channel(product, channel);
  const held = (await vendor.client.proposalsOf(product)).filter(
    (proposal) => proposal.held && proposal.channel === channel,
  );
  const fitting = held.filter(({ state, message }) => state === 'approving' && message?.['counter'] === counter + 1);
  return fitting.find(({ reason }) => reason?.code === 'held-back') ?? fitting[0] ?? null;
}

/** @throws FirmproofError `proposal-not-found` */
async function preparedFor(vendor: Vendor, product: ProductId, channel: Channel): Promise<Proposal> {
  const prepared = await findPrepared(vendor, product, channel);
  if (prepared) return prepared;
  throw new FirmproofError('proposal-not-found', `no way back from here is prepared for ${channel}`, {
    hint: 'Promote an older release: firmproof promote --version V. Next time: promote --fallback V.',
  });
}

async function fallBack(session: Session, channelName: string, flags: Flags): Promise<void> {
  const { channel, product, vendor } = await open(session, channelName, flags);
  const prepared = await preparedFor(vendor, product, channel);
  session.output.note(`Falling back to ${prepared.version}`);
  const followed = await session.follow(vendor, await vendor.client.relay(prepared.id));
  session.output.result(
    { product, channel, version: followed.version, proposal: followed.id, state: followed.state },
    waitsForPeople(followed)
      ? `it still waits for approvals: firmproof approve ${followed.id}`
      : `channel ${channel} points at ${followed.version}; devices at a higher rollback index keep what they have`,
  );
}

/** The three commands of whoever is on duty when a release turns out bad. */
export function addNightShift(program: Command, run: Run): void {
  const command = (name: string, description: string, work: typeof stop) =>
    program
      .command(name)
      .argument('<channel>')
      .description(description)
      .option('--product <name>', 'name or id (default: the only one here)')
      .action(run((session, channel: string, flags: Flags) => work(session, channel, flags)));
  command('stop', 'offer a channel to nobody from this moment on, then halt it on chain', stop);
  command('resume', 'offer a stopped channel again', resume);
  command('fall-back', 'take the way back that `promote --fallback` has prepared', fallBack);
}
