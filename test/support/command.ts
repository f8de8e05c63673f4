import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { inject } from 'vitest';

export type Outcome = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Runs a command of the repository as a user would, with the Node that runs the tests. */
export function runCommand(
  script: string,
  args: readonly string[],
  environment: Record<string, string> = {},
  options: {
    readonly cwd?: string;
    readonly timeoutMilliseconds?: number;
    /** Ends a command that would go on for ever, as a service manager does, once it has said something. */
    readonly endAtFirstLine?: boolean;
  } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      env: { ...process.env, NO_COLOR: '1', ...environment },
      cwd: options.cwd ?? process.cwd(),
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: options.timeoutMilliseconds ?? 100_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (options.endAtFirstLine && stdout.includes('\n')) child.kill('SIGTERM');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** The commands, bundled from the sources as they were when the run of the tests began. */
export const firmproof = join(inject('bundles'), 'client/cli/firmproof.mjs');
export const firmproofAgent = join(inject('bundles'), 'firmproof-agent.mjs');
/** What npm installs: it goes on to the sources themselves, and to another Node where this one is too old. */
export const installed = {
  firmproof: new URL('../../client/bin/firmproof.js', import.meta.url).pathname,
  firmproofAgent: new URL('../../device-agent/bin/firmproof-agent.js', import.meta.url).pathname,
};
