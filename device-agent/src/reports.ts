import { createPrivateKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type Report, reportBytes } from '@firmproof/protocol';
import type { Agent } from './agent.ts';
import { deviceKeyFile } from './identity/device-key.ts';
import type { InstallTarget, ReportQueue } from './journal.ts';
import { postJson } from './network/http.ts';

const maximumWaiting = 8;
const timeoutSeconds = 10;
const tooManyRequests = 429;

/**
 * What became of a release, queued in the same entry of the journal as the outcome itself, so that a power cut neither
 * loses nor doubles it (docs/spec/device.md D16). The same failure again is not told again.
 */
export function queueReport(
  { config, journal, clock }: Pick<Agent, 'config' | 'journal' | 'clock'>,
  { source, version, image, headCounter }: InstallTarget,
  outcome: Report['outcome'],
  code?: string,
): ReportQueue {
  const { reports } = journal.entry;
  const failure = outcome === 'failed' ? `${image} ${headCounter} ${code}` : null;
  if (!config.receipts || source === undefined || (failure !== null && failure === reports.lastFailure)) return reports;
  const counter = reports.counter + 1;
  const time = Math.floor(clock.nowSeconds());
  const report = { product: source.product, version, image, outcome, ...(code && { code }), counter, time };
  return {
    counter,
    waiting: [...reports.waiting, { server: source.server, report }].slice(-maximumWaiting),
    lastFailure: failure ?? reports.lastFailure,
  };
}

/**
 * Sends what waits, the oldest first, each to the server that the release came from. Whatever goes wrong is left for the
 * next time: a report never holds up an update, and never makes one fail.
 */
export async function sendReports(agent: Agent): Promise<void> {
  const { journal, identity, config } = agent;
  for (const { server, report } of journal.entry.reports.waiting) {
    const signed: Report = { device: identity.key.publicKey, ...report };
    const signature = sign(null, reportBytes(signed), deviceKey(config.dataDirectory)).toString('base64');
    const body = JSON.stringify({ report: signed, signature });
    const status = await postJson(`${server}/v1/products/${report.product}/reports`, body, timeoutSeconds);
    if (status === null || status >= 500 || status === tooManyRequests || (status >= 300 && status < 400)) return;
    // Taken, or refused for good: either way it is said.
    const { reports } = journal.entry;
    const waiting = reports.waiting.filter((other) => other.report.counter !== report.counter);
    await journal.write({ reports: { ...reports, waiting } });
  }
}

const deviceKey = (dataDirectory: string) => createPrivateKey(readFileSync(deviceKeyFile(dataDirectory)));
