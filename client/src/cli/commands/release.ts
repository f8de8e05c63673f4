import {
  anyOf,
  type Channel,
  FirmproofError,
  type ProductId,
  type Proposal,
  parseAttestation,
  parseChannel,
  parseVersion,
  type ReleasePurpose,
  releasePurposes,
  type Version,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { sizeOfImage } from '../../image-file.ts';
import type { ReleaseOptions } from '../../prepare-release.ts';
import { parseWholeNumber } from '../../units.ts';
import type { PreparedRelease } from '../../vendor.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import { type KeylessPublishFlags, sigstoreServicesOf, withKeylessPublishOptions } from '../keyless-options.ts';
import { fields, humanBytes } from '../output.ts';
import { type RolloutFlags, rolloutOf, withRolloutOptions } from '../rollout-options.ts';
import type { Session } from '../session.ts';
import {
  documentsText,
  type SupplyChainFlags,
  supplyChainOf,
  withSupplyChainOptions,
} from '../supply-chain-options.ts';
import { addPromote, promoteAndFollow } from './promote.ts';
import type { Run } from './setup.ts';

type PublishFlags = RolloutFlags &
  SupplyChainFlags &
  KeylessPublishFlags & {
    readonly product?: string;
    readonly version: string;
    readonly channel?: string;
    readonly hardware?: string;
    readonly requires?: string;
    readonly notes?: string;
    readonly purpose?: string;
    readonly rollbackIndex?: string;
    readonly dryRun?: boolean;
    readonly wait?: boolean;
  };

const list = (text: string | undefined) => text?.split(',').map((item) => item.trim());

async function publish(session: Session, file: string, flags: PublishFlags): Promise<void> {
  const { output, home } = session;
  // Everything that can be wrong on the command line is found before a key is opened.
  const version = parseVersion(flags.version);
  const channel = flags.channel === undefined ? null : parseChannel(flags.channel);
  const rollout = rolloutOf(flags);
  if (channel === null && (flags.over ?? flags.first ?? flags.start) !== undefined) {
    throw new FirmproofError('usage-invalid', '--over, --first and --start need --channel');
  }
  sizeOfImage(file);
  const product = await session.product(flags.product);
  const options = await releaseOptions(product, version, flags);
  const wait = flags.wait ?? false;
  if (flags.keyless) {
    const promotion = channel === null ? null : { product, channel, version, rollout };
    const services = sigstoreServicesOf(flags);
    const { publishKeyless } = await import('../publish-keyless.ts');
    return publishKeyless(session, { file, options, services, promotion, dryRun: flags.dryRun ?? false, wait });
  }
  const vendor = await session.vendor(product);
  const buildKey = await home.openBuildKey(await session.passphrase());
  const hashing = output.progress('hashing');
  const prepared = await vendor.prepare(file, options, buildKey, hashing.update).finally(() => hashing.stop());
  for (const warning of prepared.warnings) output.note(`Note: ${warning}`);
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
      ...(prepared.documents.length > 0 && { documents: prepared.documents.map(({ document }) => document) }),
      ...(prepared.warnings.length > 0 && { warnings: prepared.warnings }),
      ...(promotion && { channel, promotion: promotion.id }),
    },
    [
      fields([
        [waits ? 'proposed' : 'published', version],
        ['sha-256', image.digest],
        ['cid', image.cid],
        ['size', `${image.sizeBytes} bytes (${humanBytes(image.sizeBytes)})`],
        ...(prepared.documents.length > 0 ? [['attached', documentsText(prepared)] as const] : []),
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

async function releaseOptions(product: ProductId, version: Version, flags: PublishFlags): Promise<ReleaseOptions> {
  const hardware = list(flags.hardware);
  const precursors = list(flags.requires)?.map((text) => (text === anyOf ? text : parseVersion(text)));
  return {
    product,
    version,
    ...(hardware && { hardware }),
    ...(precursors && { precursors }),
    ...(flags.notes !== undefined && { notes: flags.notes }),
    ...(flags.purpose !== undefined && { purpose: parsePurpose(flags.purpose) }),
    ...(await supplyChainOf(flags)),
    ...(flags.rollbackIndex !== undefined && {
      rollbackIndex: parseWholeNumber(flags.rollbackIndex, '--rollback-index'),
    }),
  };
}

function parsePurpose(text: string): ReleasePurpose {
  const purpose = releasePurposes.find((known) => known === text);
  if (purpose !== undefined) return purpose;
  throw new FirmproofError('usage-invalid', `--purpose is ${releasePurposes.join(' or ')}, not "${text}"`);
}

function showDryRun({ output }: Session, prepared: PreparedRelease): void {
  const { image, attestation, message, warnings } = prepared;
  const { statement, digest } = parseAttestation(attestation);
  const text = [
    fields([
      ['sha-256', image.digest],
      ['cid', image.cid],
      ['size', `${image.sizeBytes} bytes (${humanBytes(image.sizeBytes)})`],
      ['attestation', `sha-256 ${digest}`],
      ['rollback index', String(message.rollbackIndex)],
      ['attached', documentsText(prepared)],
      ['epoch', String(message.epoch)],
    ]),
    '',
    JSON.stringify(statement, null, 2),
    '',
    'Nothing was sent.',
  ].join('\n');
  output.result({ dryRun: true, image, statement, approval: message, ...(warnings.length > 0 && { warnings }) }, text);
}

async function revoke(session: Session, flags: { readonly product?: string; readonly version: string }): Promise<void> {
  const version = parseVersion(flags.version);
  const product = await session.product(flags.product);
  const vendor = await session.vendor(product);
  // Nobody signs for nothing. Whether a release that the server does not know is on chain, the contract says.
  const known = await vendor.client.findRelease(product, version);
  if (known?.status === 'revoked')
    throw new FirmproofError('release-revoked', `${version} is revoked already, and that is for ever`);
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

export function addRelease(program: Command, run: Run): void {
  const publishing = withSupplyChainOptions(
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
      .option('--purpose <purpose>', 'security or feature, for devices that treat them apart (default: feature)')
      .option('--rollback-index <n>', 'security floor (default: unchanged); one more than the highest so far at most'),
  );
  withKeylessPublishOptions(
    withRolloutOptions(
      publishing
        .option('--dry-run', 'compute and sign everything, send nothing')
        .option('--wait', 'until it is on chain, where others have to approve'),
    ),
  ).action(run((session, file: string, flags: PublishFlags) => publish(session, file, flags)));
  addPromote(program, run);
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
