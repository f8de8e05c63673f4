import { readFileSync } from 'node:fs';
import {
  anyOf,
  type Channel,
  FirmproofError,
  type ProductId,
  type Proposal,
  parseAttestation,
  parseChannel,
  parseVersion,
  readSbom,
  type Version,
  zeroAddress,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { waitsForPeople } from '../../api-client.ts';
import type { ReleaseOptions } from '../../prepare-release.ts';
import { everybodyAtOnce, type Promotion, type Rollout } from '../../rollout.ts';
import { parseDurationSeconds, parseShareBasisPoints, parseWholeNumber } from '../../units.ts';
import type { PreparedRelease, Vendor } from '../../vendor.ts';
import { type KeylessPublishFlags, sigstoreServicesOf, withKeylessPublishOptions } from '../keyless-options.ts';
import { fields, humanBytes } from '../output.ts';
import { publishKeyless } from '../publish-keyless.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type RolloutFlags = { readonly over?: string; readonly first?: string; readonly start?: string };

type PublishFlags = RolloutFlags &
  KeylessPublishFlags & {
    readonly product?: string;
    readonly version: string;
    readonly channel?: string;
    readonly hardware?: string;
    readonly requires?: string;
    readonly notes?: string;
    readonly rollbackIndex?: string;
    readonly sbom?: string;
    readonly dryRun?: boolean;
    readonly wait?: boolean;
  };

const list = (text: string | undefined) => text?.split(',').map((item) => item.trim());

function rolloutOf({ over, first, start }: RolloutFlags): Rollout {
  const startSeconds = start === undefined ? 0 : Math.floor(Date.parse(start) / 1000);
  if (Number.isNaN(startSeconds)) {
    throw new FirmproofError('usage-invalid', `--start "${start}" is no time`, { hint: 'Write 2026-12-01T06:00:00Z.' });
  }
  if (over === undefined && first !== undefined) {
    throw new FirmproofError('usage-invalid', '--first needs --over', { hint: 'For example --over 72h --first 1%.' });
  }
  if (over === undefined) return { ...everybodyAtOnce, start: startSeconds };
  return {
    start: startSeconds,
    durationSeconds: parseDurationSeconds(over),
    firstShareBasisPoints: parseShareBasisPoints(first ?? '0%'),
  };
}

async function publish(session: Session, file: string, flags: PublishFlags): Promise<void> {
  const { output, home } = session;
  // Everything that can be wrong on the command line is found before a key is opened.
  const version = parseVersion(flags.version);
  const channel = flags.channel === undefined ? null : parseChannel(flags.channel);
  const rollout = rolloutOf(flags);
  if (channel === null && (flags.over ?? flags.first ?? flags.start) !== undefined) {
    throw new FirmproofError('usage-invalid', '--over, --first and --start need --channel');
  }
  const product = await session.product(flags.product);
  const options = releaseOptions(product, version, flags);
  const wait = flags.wait ?? false;
  if (flags.keyless) {
    const promotion = channel === null ? null : { product, channel, version, rollout };
    const services = sigstoreServicesOf(flags);
    return publishKeyless(session, { file, options, services, promotion, dryRun: flags.dryRun ?? false, wait });
  }
  const vendor = await session.vendor(product);
  const buildKey = await home.openBuildKey(await session.passphrase());
  const hashing = output.progress('hashing');
  const prepared = await vendor.prepare(file, options, buildKey, hashing.update).finally(() => hashing.stop());
  if (flags.dryRun) return showDryRun(session, prepared);
  const sending = output.progress('uploading');
  const received = await vendor.upload(file, prepared, sending.update).finally(() => sending.stop());
  output.note(`Publishing ${version}`);
  const proposal = await session.follow(vendor, received, { wait });
  const promotion =
    channel === null ? null : await promoteAndFollow(session, vendor, { product, channel, version, rollout, wait });
  const { image } = prepared;
  const waits = waitsForPeople(proposal);
  output.result(
    {
      product,
      version,
      image,
      proposal: proposal.id,
      state: proposal.state,
      transaction: proposal.transaction,
      ...(promotion && { channel, promotion: promotion.id }),
    },
    [
      fields([
        [waits ? 'proposed' : 'published', version],
        ['sha-256', image.digest],
        ['cid', image.cid],
        ['size', `${image.sizeBytes} bytes (${humanBytes(image.sizeBytes)})`],
        ...(waits ? [] : [['transaction', proposal.transaction ?? ''] as const]),
      ]),
      nextStep(version, channel, proposal, promotion),
    ].join('\n'),
  );
}

function nextStep(version: Version, channel: Channel | null, proposal: Proposal, promotion: Proposal | null): string {
  const open = [proposal, promotion].filter((one) => one !== null).filter(waitsForPeople);
  if (open.length > 0) return `\nIt waits for approvals: firmproof approve ${open.map(({ id }) => id).join(' ')}`;
  return channel === null
    ? `\nNo device takes it yet: firmproof promote --version ${version} --channel stable`
    : `\nchannel ${channel} points at ${version}`;
}

function releaseOptions(product: ProductId, version: Version, flags: PublishFlags): ReleaseOptions {
  const hardware = list(flags.hardware);
  const precursors = list(flags.requires)?.map((text) => (text === anyOf ? text : parseVersion(text)));
  return {
    product,
    version,
    ...(hardware && { hardware }),
    ...(precursors && { precursors }),
    ...(flags.notes !== undefined && { notes: flags.notes }),
    ...(flags.sbom !== undefined && { sbom: readSbom(textOf(flags.sbom)) }),
    ...(flags.rollbackIndex !== undefined && {
      rollbackIndex: parseWholeNumber(flags.rollbackIndex, '--rollback-index'),
    }),
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FirmproofError('file-not-found', `${file} cannot be read`, { cause });
  }
}

function showDryRun({ output }: Session, { image, attestation, message }: PreparedRelease): void {
  const { statement, digest } = parseAttestation(attestation);
  const text = [
    fields([
      ['sha-256', image.digest],
      ['cid', image.cid],
      ['size', `${image.sizeBytes} bytes (${humanBytes(image.sizeBytes)})`],
      ['attestation', `sha-256 ${digest}`],
      ['rollback index', String(message.rollbackIndex)],
      ['epoch', String(message.epoch)],
    ]),
    '',
    JSON.stringify(statement, null, 2),
    '',
    'Nothing was sent.',
  ].join('\n');
  output.result({ dryRun: true, image, statement, approval: message }, text);
}

async function promoteAndFollow(
  session: Session,
  vendor: Vendor,
  promotion: Promotion & { readonly wait: boolean },
): Promise<Proposal> {
  const { product, channel, version, rollout, wait } = promotion;
  session.output.note(`Promoting ${version} to ${channel}`);
  const proposal = await session.follow(vendor, await vendor.promote(product, channel, version, rollout), { wait });
  if (!waitsForPeople(proposal) && !(await session.evidenceOf(vendor, product, channel, version))) {
    session.output.note('  devices will see it once the block is final and the witnesses vouch for it');
  }
  return proposal;
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

async function revoke(session: Session, flags: { readonly product?: string; readonly version: string }): Promise<void> {
  const version = parseVersion(flags.version);
  const product = await session.product(flags.product);
  const vendor = await session.vendor(product);
  session.output.note(`Revoking ${version}`);
  const proposal = await session.follow(vendor, await vendor.revoke(product, version));
  session.output.result(
    { product, version, proposal: proposal.id, state: proposal.state, transaction: proposal.transaction },
    doneOrWaiting(proposal, `${version} is revoked: no device installs it any more; what runs keeps running`),
  );
}

async function halt(session: Session, flags: { readonly product?: string; readonly channel: string }): Promise<void> {
  const channel = parseChannel(flags.channel);
  const product = await session.product(flags.product);
  const vendor = await session.vendor(product);
  session.output.note(`Halting ${channel}`);
  const proposal = await session.follow(vendor, await vendor.halt(product, channel));
  session.output.result(
    { product, channel, proposal: proposal.id, state: proposal.state, transaction: proposal.transaction },
    doneOrWaiting(proposal, `channel ${channel} is halted until the next promote`),
  );
}

const doneOrWaiting = (proposal: Proposal, done: string) =>
  waitsForPeople(proposal) ? `it waits for approvals: firmproof approve ${proposal.id}` : done;

const productOption = ['--product <name>', 'name or id (default: the only one here)'] as const;

function withRolloutOptions(command: Command): Command {
  return command
    .option('--over <duration>', 'reach the fleet little by little: 72h, 7d')
    .option('--first <share>', 'share of the fleet at the start: 1%')
    .option('--start <time>', 'not before: 2026-12-01T06:00:00Z');
}

export function addRelease(program: Command, run: Run): void {
  withKeylessPublishOptions(
    withRolloutOptions(
      program
        .command('publish')
        .argument('<image>', 'the firmware image')
        .description('hash, sign, upload and record a release')
        .option(...productOption)
        .requiredOption('--version <version>', 'strict semver, recorded once and forever')
        .option('--channel <name>', 'promote to this channel as well')
        .option('--hardware <revisions>', 'revisions that the image is for, comma separated (default: any)')
        .option('--requires <versions>', 'versions that it may be installed over, comma separated (default: any)')
        .option('--notes <text>', 'release notes, signed with the rest')
        .option('--rollback-index <n>', 'security floor (default: unchanged); one more than the highest so far at most')
        .option(
          '--sbom <file>',
          'software bill of materials, CycloneDX or SPDX in JSON; its digest and components are signed',
        )
        .option('--dry-run', 'compute and sign everything, send nothing')
        .option('--wait', 'until it is on chain, where others have to approve'),
    ),
  ).action(run((session, file: string, flags: PublishFlags) => publish(session, file, flags)));
  withRolloutOptions(
    program
      .command('promote')
      .description('point a channel at a release, all at once or little by little')
      .option(...productOption)
      .requiredOption('--version <version>', 'a published release')
      .option('--channel <name>', 'the channel', 'stable')
      .option('--fallback <version>', 'collect the approvals for the way back to this release, for `fall-back`')
      .option('--wait', 'until it is on chain, where others have to approve'),
  ).action(run((session, flags: PromoteFlags) => promote(session, flags)));
  program
    .command('revoke')
    .description('make sure that no device installs a release any more')
    .option(...productOption)
    .requiredOption('--version <version>', 'the release')
    .action(run((session, flags: Parameters<typeof revoke>[1]) => revoke(session, flags)));
  program
    .command('halt')
    .description('stop a channel until the next promote')
    .option(...productOption)
    .option('--channel <name>', 'the channel', 'stable')
    .action(run((session, flags: Parameters<typeof halt>[1]) => halt(session, flags)));
}
