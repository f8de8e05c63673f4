import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nameOfProcess, takeLock } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/stack.ts';

let directory: string;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('a lock', () => {
  test('keeps others away until it is released, once', () => {
    const file = join(directory, 'once');
    const first = takeLock(file);
    if (!('release' in first)) throw new Error('taken');
    expect(takeLock(file)).toEqual({ owner: process.pid });
    first.release();
    const second = takeLock(file);
    first.release();
    expect(existsSync(file)).toBe(true);
    if ('release' in second) second.release();
    expect(readdirSync(directory)).toEqual([]);
  });

  test.each([
    ['of a process that died', '4194304 boot 1'],
    ['of an earlier boot whose number somebody has now', `${process.ppid} another-boot 1`],
    ['that a power cut has emptied', ''],
    ['that is no lock', 'hello'],
  ])('%s is taken over', (_, content) => {
    const file = join(directory, 'abandoned');
    writeFileSync(file, content);
    const lock = takeLock(file);
    expect(readFileSync(file, 'utf8')).toBe(nameOfProcess(process.pid));
    if ('release' in lock) lock.release();
  });

  test('that was abandoned goes to one of many that want it at the same moment', async () => {
    const file = join(directory, 'wanted');
    writeFileSync(file, '4194304 boot 1');
    const module = new URL('../../../protocol/node/lock-file.ts', import.meta.url).pathname;
    const code = `
      import { takeLock } from '${module}';
      process.stdin.once('data', () => {
        const lock = takeLock(${JSON.stringify(file)});
        process.stdout.write('release' in lock ? 'taken' : 'refused');
        process.stdin.once('data', () => process.exit());
      });
      process.stdout.write('ready');`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['pipe', 'pipe', 'inherit'] }),
    );
    await Promise.all(children.map((child) => once(child.stdout, 'data')));
    const answers = Promise.all(children.map(async (child) => String((await once(child.stdout, 'data'))[0])));
    for (const child of children) child.stdin.write('go');
    expect((await answers).sort()).toEqual(['refused', 'refused', 'refused', 'refused', 'refused', 'taken']);
    const ended = Promise.all(children.map((child) => once(child, 'exit')));
    for (const child of children) child.stdin.write('end');
    await ended;
  });
});
