import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { requireConsent } from '../../../client/src/cli/ask.ts';
import type { Session } from '../../../client/src/cli/session.ts';
import { expectCode } from '../../support/expect-code.ts';

const session = (isInteractive: boolean) => ({ output: { isInteractive } }) as Session;
let keyboard: PassThrough;

beforeEach(() => {
  keyboard = new PassThrough();
  vi.spyOn(process, 'stdin', 'get').mockReturnValue(keyboard as never);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(() => vi.restoreAllMocks());

/** What is said after an answer on a terminal. */
async function answer(text: string, afterNo?: string) {
  const asked = requireConsent(session(true), 'Do it?', undefined, afterNo);
  setImmediate(() => keyboard.write(`${text}\n`));
  return asked.then(
    () => null,
    (error: unknown) => error,
  );
}

test('a yes is asked for, and elsewhere has to be an option', async () => {
  expect(await answer('y')).toBeNull();
  await requireConsent(session(false), 'Do it?', true);
  await expectCode('usage-invalid', () => requireConsent(session(false), 'Do it?', undefined));
});

test('a no to a proposal can be told the others, a no to something of ones own need not', async () => {
  const hint = 'Run it again.';
  expect(await answer('n', hint)).toMatchObject({ code: 'not-approved', hint });
  expect(await answer('n')).toMatchObject({ code: 'not-approved', hint: expect.stringContaining('firmproof reject') });
});
