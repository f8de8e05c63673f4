import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { expect, test } from 'vitest';
import { runCommand } from '../../support/command.ts';
import { temporaryDirectory } from '../../support/stack.ts';

const script = new URL('../../../protocol/node/directory.ts', import.meta.url).href;

test('makes a directory with those above it, as private as is asked for', () => {
  const base = temporaryDirectory();
  const wanted = join(base, 'a', 'b');
  makeDirectory(wanted, 0o700);
  makeDirectory(wanted, 0o700);
  expect([wanted, join(base, 'a')].map((path) => statSync(path).mode & 0o777)).toEqual([0o700, 0o700]);
  writeFileSync(join(wanted, 'file'), '');
  expect(() => makeDirectory(join(wanted, 'file', 'below'))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  rmSync(base, { recursive: true });
});

test.runIf(existsSync('/proc'))('ends where no directory can be made, as in /proc', async () => {
  const code = `const { makeDirectory } = await import('${script}'); makeDirectory('/proc/firmproof');`;
  const { stderr } = await runCommand('--input-type=module', ['-e', code], {}, { timeoutMilliseconds: 5000 });
  expect(stderr).toContain('ENOENT');
});
