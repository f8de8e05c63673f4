import type { ActionMessage, Channel, ProductId, Version } from '@firmproof/protocol';
import type { FirmproofClient } from './api-client.ts';
import { deadlineFromNow } from './approve.ts';

/** How a rollout reaches the fleet. */
export type Rollout = {
  /** Seconds since 1970; 0 starts at once. */
  readonly start: number;
  readonly durationSeconds: number;
  readonly firstShareBasisPoints: number;
};

export const everybodyAtOnce: Rollout = { start: 0, durationSeconds: 0, firstShareBasisPoints: 10_000 };

export type Promotion = {
  readonly product: ProductId;
  readonly channel: Channel;
  readonly version: Version;
  readonly rollout: Rollout;
};

/** What has to be approved so that the channel, as it is now, points at the release. */
export async function promotionMessage(
  client: FirmproofClient,
  { product, channel, version, rollout }: Promotion,
): Promise<ActionMessage<'Promote'>> {
  const { channels, epoch } = await client.product(product);
  return {
    product,
    channel,
    version,
    counter: (channels.find((head) => head.channel === channel)?.counter ?? 0) + 1,
    start: rollout.start,
    duration: rollout.durationSeconds,
    firstShare: rollout.firstShareBasisPoints,
    epoch,
    deadline: deadlineFromNow(),
  };
}
