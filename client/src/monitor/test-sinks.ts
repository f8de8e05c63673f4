import { randomBytes } from 'node:crypto';
import type { SinkConfig } from './config.ts';
import { createSink } from './sinks/sink.ts';

const timeoutMilliseconds = 30_000;

/** Sends a test alert on every way at once. `trouble`: why it was not taken, in a few words; null where it was. */
export async function testSinks(
  sinks: readonly SinkConfig[],
): Promise<readonly { readonly name: string; readonly trouble: string | null }[]> {
  const id = `msg_${randomBytes(16).toString('hex')}`;
  const alert = {
    id,
    product: null,
    label: 'monitor',
    code: 'test',
    severity: 'info',
    state: 'raised',
    message: 'a test: alerts of the Firmproof monitor arrive here',
    at: Math.floor(Date.now() / 1000),
  } as const;
  return Promise.all(
    sinks.map(createSink).map(async (sink) => {
      try {
        await sink.deliver({ id, alerts: [alert], attempts: 0 }, AbortSignal.timeout(timeoutMilliseconds));
        return { name: sink.name, trouble: null };
      } catch (error) {
        return { name: sink.name, trouble: sink.explain(error) };
      }
    }),
  );
}
