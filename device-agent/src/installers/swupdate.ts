import type { SlotName } from '../journal.ts';
import type { SwupdateConfig } from './config.ts';
import type { Receiver } from './hand-over.ts';

/** SWUpdate opens what `-i` names by itself, so it gets a path: as a stream, it would have to be a pipe. */
export function swupdateReceiver(config: SwupdateConfig, slot: SlotName): Receiver {
  const options = config.arguments.map((argument) => argument.replaceAll('{slot}', slot));
  return {
    command: ['swupdate', ...options, '-i', '{image}'],
    input: 'path',
    timeoutSeconds: config.timeoutSeconds,
    environment: config.environment,
  };
}
