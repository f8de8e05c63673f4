import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { firmproof, type Outcome, runCommand } from './command.ts';

/** A command of a person's that still runs. */
export type Running = {
  /** What it has said so far, on both streams. */
  output(): string;
  /** Waits until it has said this. */
  says(text: string | RegExp): Promise<string>;
  /** As Ctrl-C does; waits for its end. */
  interrupt(): Promise<void>;
  ended: Promise<Outcome>;
};

/** Somebody with a directory of keys of their own, who runs the real command. */
export class Person {
  readonly name: string;
  readonly home: string;
  readonly #environment: Record<string, string>;

  constructor(name: string, directory: string, server: string) {
    this.name = name;
    this.home = join(directory, name);
    mkdirSync(this.home, { recursive: true });
    this.#environment = {
      FIRMPROOF_HOME: this.home,
      FIRMPROOF_SERVER: server,
      FIRMPROOF_PASSPHRASE: `the passphrase of ${name}`,
    };
  }

  run(args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return runCommand(firmproof, args, { ...this.#environment, ...environment });
  }

  /** Must succeed; answers with what `--json` says, which is one line and nothing else. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look at whatever is there.
  async json(...args: string[]): Promise<any> {
    const { code, stdout, stderr } = await this.run([...args, '--json']);
    expect(stderr).toBe('');
    expect(code, stdout).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    return JSON.parse(stdout);
  }

  /** Must fail with this code, in one line of JSON on stderr, and exit so. */
  async fails(code: string, exitCode: number, ...args: string[]): Promise<void> {
    const outcome = await this.run([...args, '--json']);
    expect(JSON.parse(outcome.stderr)).toMatchObject({ code, hint: expect.stringMatching(/\S/) });
    expect(outcome.code).toBe(exitCode);
    expect(outcome.stdout).toBe('');
  }

  /** Starts a command and leaves it running. */
  start(...args: string[]): Running {
    const child = spawn(process.execPath, [firmproof, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 100_000,
    });
    return watch(child);
  }
}

export function watch(child: ChildProcess): Running {
  let [stdout, stderr, all] = ['', '', ''];
  const heard = new Set<() => void>();
  const hear = (text: string) => {
    all += text;
    for (const listener of heard) listener();
  };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    hear(text);
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    hear(text);
  });
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
  const isThere = (text: string | RegExp) => (typeof text === 'string' ? all.includes(text) : text.test(all));
  return {
    ended,
    output: () => all,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!isThere(text)) return;
          heard.delete(look);
          resolve(all);
        };
        heard.add(look);
        look();
        void ended.then(() => reject(new Error(`it ended without saying ${text}:\n${all}`)));
      }),
    async interrupt() {
      child.kill('SIGINT');
      await ended;
    },
  };
}
