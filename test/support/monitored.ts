import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { webhookSecretOf } from '@firmproof/protocol';
import type { Alert } from '../../client/src/monitor/alert.ts';
import { readMonitorConfig } from '../../client/src/monitor/config.ts';
import { Monitor, type OnceResult } from '../../client/src/monitor/monitor.ts';
import { WebhookReceiver } from './alert-receivers.ts';
import { temporaryDirectory } from './stack.ts';

/** A monitor with a directory of its own and one webhook. Each look is a monitor of its own that is started and ended. */
export class Monitored {
  readonly directory = temporaryDirectory();
  readonly receiver: WebhookReceiver;
  readonly notes: string[] = [];
  #document: Record<string, unknown>;
  #told = 0;

  private constructor(receiver: WebhookReceiver, document: Record<string, unknown>) {
    this.receiver = receiver;
    this.#document = document;
  }

  static async start(document: Record<string, unknown>): Promise<Monitored> {
    const secret = webhookSecretOf(randomBytes(32));
    const receiver = await WebhookReceiver.start([secret]);
    const monitored = new Monitored(receiver, {
      intervalSeconds: 1,
      patience: { serverSeconds: 0, carrierSeconds: 0, stalledSeconds: 3600 },
      rateLimit: { messages: 10_000 },
      content: { everySeconds: 1 },
      alerts: [{ webhook: { url: receiver.url, secret: { file: 'webhook.secret' } } }],
      ...document,
    });
    writeFileSync(join(monitored.directory, 'webhook.secret'), secret);
    writeFileSync(monitored.announced, '');
    monitored.change({});
    return monitored;
  }

  get announced(): string {
    return join(this.directory, 'announced.txt');
  }

  get configFile(): string {
    return join(this.directory, 'monitor.json');
  }

  /** Other settings from now on. */
  change(document: Record<string, unknown>): void {
    this.#document = { ...this.#document, ...document };
    writeFileSync(this.configFile, JSON.stringify(this.#document));
  }

  async once(fromStart = false): Promise<OnceResult> {
    const stdout = { name: 'stdout', deliver: async () => undefined, explain: String };
    const config = readMonitorConfig(this.configFile);
    const monitor = Monitor.open({ config, fromStart, stdout, note: (line) => void this.notes.push(line) });
    try {
      return await monitor.once();
    } finally {
      monitor.close();
    }
  }

  /** One look, and what the webhook has got since the last one. */
  async look(): Promise<readonly Alert[]> {
    await this.once();
    return this.fresh();
  }

  fresh(): readonly Alert[] {
    const alerts = this.receiver.received.slice(this.#told).flatMap(alertsOf);
    this.#told = this.receiver.received.length;
    return alerts;
  }

  async stop(): Promise<void> {
    await this.receiver.stop();
  }
}

export const alertsOf = ({ body }: WebhookReceiver['received'][number]): readonly Alert[] =>
  body.type === 'firmproof.monitor.summary' ? body.data.alerts : [body.data];

/** `code`, and `-code` where it is over: what most tests are about. */
export const codesOf = (alerts: readonly Alert[]): readonly string[] =>
  alerts.map(({ code, state }) => (state === 'resolved' ? `-${code}` : code)).toSorted();
