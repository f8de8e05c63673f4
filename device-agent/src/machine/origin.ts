import type { ReleasePredicate } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import { type CheckResult, check } from '../check.ts';
import { type DownloadProgress, downloadImage, downloadSources } from '../download.ts';
import type { ImageTarget } from '../installers/installer.ts';
import { ownOriginsOf } from '../network/access.ts';
import { serversOf } from '../trust.ts';

/** Where evidence and bytes come from: the network, or a file. Nothing that comes from either is believed. */
export type Origin = {
  /** `unconditional`: past every cache. */
  check(agent: Agent, options: { readonly unconditional: boolean }): Promise<CheckResult>;
  /** Writes the image block by block. @throws FirmproofError `unavailable` and the codes of D12 */
  download(agent: Agent, found: CheckResult, image: ReleasePredicate['image'], into: Destination): Promise<void>;
};

export type Destination = { readonly target: ImageTarget; readonly onProgress?: DownloadProgress };

export const network: Origin = {
  check,
  async download(agent, { evidence }, image, into) {
    const { minimumBytesPerSecond, maximumBytesPerSecond } = agent.config;
    const sources = downloadSources({ servers: serversOf(agent) }, evidence ?? { sources: [] });
    const health = agent.sources;
    await downloadImage({
      ...into,
      image,
      sources,
      minimumBytesPerSecond,
      maximumBytesPerSecond,
      health,
      ownOrigins: ownOriginsOf(agent),
    }).finally(() => health.save());
  },
};
