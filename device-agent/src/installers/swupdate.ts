import type { SlotName } from '../journal.ts';
import type { SwupdateConfig } from './config.ts';
import type { Receiver } from './hand-over.ts';

/** SWUpdate reads its archive as a stream, so it never sees the end of one that was changed. */
export function swupdateReceiver(config: SwupdateConfig, slot: SlotName): Receiver {
  const options = config.arguments.map((argument) => argument.replaceAll('{slot}', slot));
  return {
    command: ['swupdate', ...options, '-i', '/dev/stdin'],
    input: 'stdin',
    timeoutSeconds: config.timeoutSeconds,
    environment: config.environment,
  };
}
