import { describe, expect, test } from 'vitest';
import { hooksSchema } from '../../../../device-agent/src/installers/config.ts';
import { type HookContext, runHook } from '../../../../device-agent/src/installers/hooks.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { shell } from '../../../support/shell.ts';

const context: HookContext = {
  version: '2.0.0',
  runningVersion: '1.0.0',
  image: 'ab'.repeat(32),
  slot: 'b',
  previousSlot: null,
};
const hook = (script: string, timeoutSeconds = 60) =>
  hooksSchema.parse({ beforeInstall: { command: shell(script), timeoutSeconds } });

describe('a hook', () => {
  test('that a device does not have is none', async () => {
    await runHook(hooksSchema.parse({}), 'beforeInstall', context);
    await runHook(hook('exit 1'), 'afterInstall', context);
  });

  test('is told what is installed over what, and where', async () => {
    const told =
      'test "$FIRMPROOF_HOOK $FIRMPROOF_VERSION $FIRMPROOF_RUNNING_VERSION $FIRMPROOF_SLOT" = "beforeInstall 2.0.0 1.0.0 b"';
    const more = `test "$FIRMPROOF_PREVIOUS_SLOT" = "" && test "$FIRMPROOF_IMAGE_DIGEST" = ${context.image}`;
    await runHook(hook(`${told} && ${more}`), 'beforeInstall', context);
  });

  test('that fails is the reason, with what it said', async () => {
    await expect(runHook(hook('echo battery at 7 %; exit 9'), 'beforeInstall', context)).rejects.toMatchObject({
      code: 'hook-failed',
      message: 'beforeInstall (/bin/sh) ended with 9: battery at 7 %',
    });
  });

  test('that cannot run has failed', async () => {
    const hooks = hooksSchema.parse({ beforeInstall: { command: ['/absent/hook'] } });
    await expectCode('hook-failed', () => runHook(hooks, 'beforeInstall', context));
  });

  test('that does not end is killed', async () => {
    await expectCode('hook-timed-out', () => runHook(hook('sleep 1000', 0.3), 'beforeInstall', context));
  });
});
