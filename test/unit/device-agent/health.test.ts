import { expect, test } from 'vitest';
import { runHealthCommand } from '../../../device-agent/src/health.ts';
import { shell } from '../../support/shell.ts';

const check = (script: string, deadlineSeconds = 60) =>
  runHealthCommand(shell(script), deadlineSeconds, { FIRMPROOF_VERSION: '2.0.0' });

test('an image is healthy when its health command says so', async () => {
  expect(await check('test "$FIRMPROOF_VERSION" = 2.0.0 && command -v sh > /dev/null')).toEqual({ healthy: true });
});

test.each([
  ['fails', 'echo no answer from the motor; exit 3', 60, 'the health command ended with 3: no answer from the motor'],
  ['crashes', 'kill -SEGV $$', 60, 'the health command ended with SIGSEGV'],
  ['never ends', 'echo waiting; sleep 1000', 0.3, 'the health command did not end within 0.3 s: waiting'],
])('an image whose health command %s is not, and what it wrote is the reason', async (_, script, seconds, reason) => {
  expect(await check(script, seconds)).toEqual({ healthy: false, reason });
});

test('an image without its health command is not healthy', async () => {
  expect(await runHealthCommand(['/absent/self-test'], 60, {})).toMatchObject({
    healthy: false,
    reason: expect.stringContaining('cannot run'),
  });
});
