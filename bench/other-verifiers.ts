// What others take to start, where they are installed. Nothing is installed for it.
import { spawnSync } from 'node:child_process';
import { figure, megabyte } from './figure.ts';

const others = {
  cosign: ['cosign', 'version'],
  'python-tuf': [process.env['FIRMPROOF_BENCH_PYTHON'] ?? 'python3', '-c', 'import tuf.ngclient'],
} as const;

/** GNU time tells seconds and kilobytes of a program that knows nothing of it. */
export function startUpOfOthers(): void {
  for (const [name, command] of Object.entries(others)) {
    const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%e %M', ...command], { encoding: 'utf8' });
    const [, seconds, kilobytes] = /([\d.]+) (\d+)\s*$/.exec(stderr ?? '') ?? [];
    if (status !== 0) {
      console.error(`start-up.${name}: not installed here`);
      continue;
    }
    figure(`start-up.${name}.wall`, Number(seconds), 's');
    figure(`start-up.${name}.peak-memory`, (Number(kilobytes) * 1024) / megabyte, 'MB');
  }
}
