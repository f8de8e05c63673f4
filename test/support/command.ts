import { spawn } from 'node:child_process';

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

export const firmproof = new URL('../../client/bin/firmproof.js', import.meta.url).pathname;
export const firmproofAgent = new URL('../../device-agent/bin/firmproof-agent.js', import.meta.url).pathname;
