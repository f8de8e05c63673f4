import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofClient } from '@firmproof/client';
import type { ServerInfo } from '@firmproof/protocol';
import { freePort } from '../test/support/free-port.ts';
import { eventually, temporaryDirectory } from '../test/support/stack.ts';

/** A server in a process of its own, so that its memory can be told, with the flags of `npm start`. */
export async function withServerProcess(
  act: (server: {
    readonly url: string;
    readonly info: ServerInfo;
    /** Gone afterwards. */
    readonly directory: string;
    readonly peakBytes: () => number;
  }) => Promise<void>,
): Promise<void> {
  const directory = temporaryDirectory();
  const port = await freePort();
  const server = spawn(process.execPath, ['--max-semi-space-size=4', '--optimize-for-size', 'server/src/main.ts'], {
    env: {
      ...process.env,
      FIRMPROOF_DATA: join(directory, 'server'),
      FIRMPROOF_PORT: String(port),
      FIRMPROOF_LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    const url = `http://127.0.0.1:${port}`;
    await eventually(
      () => fetch(`${url}/readyz`),
      (response) => response.ok,
      'the server',
    );
    const info = await new FirmproofClient({ server: url }).info();
    await act({ url, info, directory, peakBytes: () => peakBytesOf(server.pid) });
  } finally {
    const ended = once(server, 'exit');
    server.kill('SIGTERM');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

const peakBytesOf = (pid: number | undefined) =>
  Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
