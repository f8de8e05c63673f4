import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { webhookSecretOf } from '@firmproof/protocol';
import type { Alert } from '../../client/src/monitor/alert.ts';
import { readMonitorConfig } from '../../client/src/monitor/config.ts';
import { Monitor, type OnceResult } from '../../client/src/monitor/monitor.ts';
import { WebhookReceiver } from './alert-receivers.ts';
import { firmproof } from './command.ts';
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

  /** As it is started by a service manager. */
  run(...args: readonly string[]): MonitorProcess {
    return new MonitorProcess([...args, '--config', this.configFile]);
  }

  async stop(): Promise<void> {
    await this.receiver.stop();
  }
}

const alertsOf = ({ body }: WebhookReceiver['received'][number]): readonly Alert[] =>
  body.type === 'firmproof.monitor.summary' ? body.data.alerts : [body.data];

/** `code`, and `-code` where it is over: what most tests are about. */
export const codesOf = (alerts: readonly Alert[]): readonly string[] =>
  alerts.map(({ code, state }) => (state === 'resolved' ? `-${code}` : code)).toSorted();

/** `firmproof monitor` as a process of its own. */
class MonitorProcess {
  readonly #child: ChildProcess;
  readonly exit: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  stdout = '';
  stderr = '';
  #told: () => void = () => undefined;

  constructor(args: readonly string[]) {
    const child = spawn(process.execPath, [firmproof, 'monitor', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.#told();
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.#told();
    });
    this.exit = new Promise((resolve) => {
      child.on('close', (code, signal) => {
        this.#told();
        resolve({ code, signal });
      });
    });
  }

  /** Waits until it has said that on either stream. */
  async says(text: string): Promise<void> {
    while (!`${this.stdout}${this.stderr}`.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`it ended without saying "${text}": ${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#told = resolve;
      });
    }
  }

  kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<{ readonly code: number | null; readonly signal: string | null }> {
    this.#child.kill(signal);
    return this.exit;
  }
}
