import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelArgument, runningSlot, slotOf } from '../../../../device-agent/src/installers/running-slot.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { shell } from '../../../support/shell.ts';

const values = { a: ['/dev/mmcblk0p2', 'A'], b: ['/dev/mmcblk0p3', 'B'] };
const ask = (script: string) => runningSlot({ command: shell(script) }, values, {});

describe('the slot that runs', () => {
  test.each([
    ['a', 'a'],
    ['b', 'b'],
    ['/dev/mmcblk0p3', 'b'],
    ['A', 'a'],
  ])('%s is %s', async (said, slot) => {
    expect(await ask(`echo ${said}`)).toBe(slot);
  });

  test.each([
    ['says nothing', 'true'],
    ['says something else', 'echo c'],
    ['names two', 'echo a b'],
    ['fails', 'echo a; exit 1'],
  ])('is never guessed: a program that %s', async (_, script) => {
    await expectCode('running-slot-unknown', () => ask(script));
  });

  test('is never guessed: a program that does not exist', async () => {
    await expectCode('running-slot-unknown', () => runningSlot({ command: ['/absent'] }, values, {}));
  });

  test('is not known from a kernel that was not told', async () => {
    await expectCode('running-slot-unknown', () => runningSlot({ kernelArgument: 'firmproof.absent' }, values, {}));
  });
});

describe('an argument of the kernel', () => {
  test('is found among the others', () => {
    const line = 'root=/dev/mmcblk0p3 ro quiet firmproof.slot=b panic=1\n';
    expect(kernelArgument(line, 'firmproof.slot')).toBe('b');
    expect(slotOf(kernelArgument(line, 'root') ?? '', values, 'root')).toBe('b');
  });

  test('is the last of its name, as for the kernel', () => {
    expect(kernelArgument('firmproof.slot=a firmproof.slot=b', 'firmproof.slot')).toBe('b');
  });

  test.each(['xfirmproof.slot=a', 'firmproof.slot', 'firmproof.slots=a', ''])('is not %s', (line) => {
    expect(kernelArgument(line, 'firmproof.slot')).toBeNull();
  });

  test('any command line gives a value of it, or none', () => {
    fc.assert(
      fc.property(fc.string(), fc.stringMatching(/^[a-z.]{1,9}$/), (line, name) => {
        const value = kernelArgument(line, name);
        expect(value === null || line.includes(`${name}=${value}`)).toBe(true);
      }),
    );
  });
});
