import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Agent,
  type CheckResult,
  check,
  type InstallResult,
  install,
  type MonotonicTime,
  machineTime,
  openAgent,
  readConfig,
  type Status,
  sendReceipts,
  statusOf,
} from '@firmproof/device-agent';
import type { TrustRoot } from '@firmproof/protocol';
import { sha256 } from '@firmproof/protocol';
import { temporaryDirectory } from './stack.ts';

export type TestDevice = {
  readonly directory: string;
  readonly configFile: string;
  /** Does something with the agent, alone. */
  act<Result>(work: (agent: Agent) => Promise<Result> | Result): Promise<Result>;
  check(): Promise<CheckResult>;
  install(): Promise<InstallResult>;
  status(): Promise<Status>;
  /** sha-256 of the image that runs; null before the first installation. */
  running(): string | null;
  /** Sends the receipts that wait. */
  report(): Promise<string | null>;
  /** What the agent does next, it does in another boot of the device. */
  reboot(): void;
  /** Lets device time pass: the device is on, and nobody answers. */
  sleep(days: number): void;
  /** Changes the configuration, as a new device image would. */
  configure(change: object): void;
  /** Everything that an attack must leave as it is. */
  fingerprint(): Promise<object>;
  destroy(): void;
};

/** A device with the files that an image must contain, as documented, and the real agent on it. */
export function makeDevice(
  trustRoot: TrustRoot,
  servers: readonly string[],
  change: object = {},
  directory = temporaryDirectory(),
): TestDevice {
  const configFile = join(directory, 'agent.json');
  let config: object = {
    trustRoot: 'trust-root.json',
    hardware: 'rev-1',
    channels: ['stable', 'beta'],
    channel: 'stable',
    image: { version: '0.0.1', rollbackIndex: 0, buildTimeSeconds: 1_700_000_000 },
    servers,
    installer: { kind: 'files', directory: 'slots' },
    dataDirectory: 'data',
    ...change,
  };
  const write = () => writeFileSync(configFile, JSON.stringify(config));
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'trust-root.json'), JSON.stringify(trustRoot.envelope));
  write();
  const machine = machineTime();
  let sleptSeconds = 0;
  let boot = { id: machine.bootId, sinceSeconds: 0 };
  const onSeconds = () => machine.uptimeSeconds() + sleptSeconds;
  const time: MonotonicTime = {
    get bootId() {
      return boot.id;
    },
    uptimeSeconds: () => onSeconds() - boot.sinceSeconds,
  };
  const withAgent = async <Result>(act: (agent: Awaited<ReturnType<typeof openAgent>>) => Promise<Result> | Result) => {
    const agent = await openAgent(readConfig(configFile), time);
    try {
      return await act(agent);
    } finally {
      agent.close();
    }
  };
  return {
    directory,
    configFile,
    act: withAgent,
    check: () => withAgent((agent) => check(agent)),
    install: () => withAgent((agent) => install(agent)),
    status: () => withAgent(statusOf),
    report: () => withAgent(sendReceipts),
    reboot() {
      boot = { id: randomUUID(), sinceSeconds: onSeconds() };
    },
    sleep(days) {
      sleptSeconds += days * 86_400;
    },
    running() {
      const current = join(directory, 'slots', 'current');
      return existsSync(current) ? sha256(readFileSync(current)) : null;
    },
    configure(more) {
      config = { ...config, ...more };
      write();
    },
    async fingerprint() {
      const { installed, slot, state, rollbackFloor, trustRootVersion, sequence } = await this.status();
      return { installed, slot, state, rollbackFloor, trustRootVersion, sequence, running: this.running() };
    },
    destroy: () => rmSync(directory, { recursive: true, force: true }),
  };
}
