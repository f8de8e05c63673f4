import {
  type Channel,
  type ChannelResource,
  FirmproofError,
  type ProductId,
  parseChannel,
  parseVersion,
  type Version,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { exportRelease } from '../../export-release.ts';
import { humanBytes, humanTime } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type ExportFlags = { readonly channel?: string; readonly version?: string; readonly output: string };

const defaultChannel = 'stable';
const wholeFleetBasisPoints = 10_000;

async function exportFile(session: Session, reference: string | undefined, flags: ExportFlags): Promise<void> {
  const { output } = session;
  const client = session.client();
  const product = await session.product(reference);
  const version = flags.version === undefined ? undefined : parseVersion(flags.version);
  const { channels } = await client.product(product);
  const head = headAsked(channels, product, flags.channel, version);
  const bar = output.progress('exporting');
  const exported = await exportRelease(client, product, {
    channel: head.channel,
    version,
    file: flags.output,
    onProgress: (done, total) => bar.update(done, total),
  }).finally(() => bar.stop());
  if (head.shareBasisPoints < wholeFleetBasisPoints) {
    output.note(
      `The rollout has reached ${head.shareBasisPoints / 100} % of the fleet: the other devices wait with this file too. Export it again once it has reached all.`,
    );
  }
  const { file, sizeBytes, block } = exported;
  output.result(
    exported,
    `${file}: ${exported.version} of ${head.channel} (${humanBytes(sizeBytes)}), as the chain records it at block ${block.number} (${humanTime(block.timestamp)})`,
  );
}

/** The channel that was named; else the one whose head is the version; else stable. @throws FirmproofError `channel-not-found`, `release-not-head` */
function headAsked(
  channels: readonly ChannelResource[],
  product: ProductId,
  channel: string | undefined,
  version: Version | undefined,
): ChannelResource {
  const name: Channel | undefined = channel === undefined ? undefined : parseChannel(channel);
  const wanted = name ?? (version === undefined ? parseChannel(defaultChannel) : undefined);
  const candidates = channels.filter((head) => wanted === undefined || head.channel === wanted);
  const found = candidates.find((head) => version === undefined || head.version === version);
  if (found) return found;
  if (candidates.length === 0)
    throw new FirmproofError('channel-not-found', `${product} has no channel ${wanted ?? ''}`.trimEnd());
  const heads = candidates.map((head) => `${head.channel} is ${head.version}`).join(', ');
  throw new FirmproofError('release-not-head', `${version} is the head of no channel here: ${heads}`);
}

export function addExport(program: Command, run: Run): void {
  program
    .command('export')
    .argument('[product]', 'name or id (default: the only one here)')
    .description(
      'write one file that devices without a network install from: image, attestation, evidence, trust roots',
    )
    .option(
      '--channel <name>',
      `the channel whose head is exported (default: ${defaultChannel}, or the one that --version heads)`,
    )
    .option('--version <version>', 'the release that has to be its head')
    .requiredOption('-o, --output <file>', 'the CAR file; it appears when it is whole')
    .action(run((session, product: string | undefined, flags: ExportFlags) => exportFile(session, product, flags)));
}
