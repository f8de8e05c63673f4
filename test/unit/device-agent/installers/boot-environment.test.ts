import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBootEnvironment, parseAssignments } from '../../../../device-agent/src/installers/boot-environment.ts';
import { installerSchema } from '../../../../device-agent/src/installers/config.ts';
import { expectCode } from '../../../support/expect-code.ts';
import { shell } from '../../../support/shell.ts';
import { temporaryDirectory } from '../../../support/stack.ts';
import { lacks, tool } from '../../../support/tools.ts';

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const environmentOf = (bootEnvironment: object) => {
  const config = installerSchema.parse({
    kind: 'block-devices',
    slots: { a: '/dev/a', b: '/dev/b' },
    running: { kernelArgument: 'firmproof.slot' },
    bootEnvironment,
  });
  if (config.kind !== 'block-devices') throw new Error('another installer');
  return createBootEnvironment(config.bootEnvironment, {});
};

/** A file of lines, which a program of the device's own reads and replaces. */
const command = (write = 'for v; do echo "$v"; done > "$F.new"; mv "$F.new" "$F"') => {
  const file = join(directory, 'variables');
  writeFileSync(file, '');
  return environmentOf({
    kind: 'command',
    read: ['cat', file],
    write: shell(`F=${file}; ${write}`),
  });
};

const uBoot = (redundant: boolean) => {
  const [image, text, config] = ['u-boot.env', 'text', 'fw_env.config'].map((name) => join(directory, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(text, 'bootcmd=run firmproof\nfirmproof_slot=a\n');
  tool('mkenvimage', ...(redundant ? ['-r'] : []), '-s', '0x2000', '-o', image, text);
  // The second copy lies behind the first.
  if (redundant) appendFileSync(image, readFileSync(image));
  writeFileSync(config, `${image} 0x0 0x2000\n${redundant ? `${image} 0x2000 0x2000\n` : ''}`);
  return { image, environment: environmentOf({ kind: 'u-boot', configFile: config }) };
};

const grub = () => {
  const file = join(directory, 'grubenv');
  tool('grub-editenv', file, 'create');
  tool('grub-editenv', file, 'set', 'saved_entry=0');
  return environmentOf({ kind: 'grub', file });
};

const kinds = [
  { name: 'a command', needs: [], make: () => command() },
  { name: 'U-Boot', needs: ['fw_setenv', 'fw_printenv', 'mkenvimage'], make: () => uBoot(false).environment },
  { name: 'U-Boot, redundant', needs: ['fw_setenv', 'fw_printenv', 'mkenvimage'], make: () => uBoot(true).environment },
  { name: 'GRUB', needs: ['grub-editenv'], make: grub },
] as const;

describe.each(kinds)('the environment of $name', ({ needs, make }) => {
  test('sets several variables, changes and removes them', async ({ skip }) => {
    const lacking = lacks(needs);
    if (lacking) skip(lacking);
    const environment = make();
    await environment.write({ firmproof_slot: 'a', firmproof_try: 'b', firmproof_tries: '3' });
    expect(Object.fromEntries(await environment.read())).toMatchObject({
      firmproof_slot: 'a',
      firmproof_try: 'b',
      firmproof_tries: '3',
    });
    await environment.write({ firmproof_slot: 'b', firmproof_try: '', firmproof_tries: '' });
    const after = await environment.read();
    expect(after.get('firmproof_slot')).toBe('b');
    expect(after.get('firmproof_try') ?? '').toBe('');
    expect(after.get('firmproof_tries') ?? '').toBe('');
  });
});

describe('what other people have in the environment', () => {
  test('stays in that of U-Boot', async ({ skip }) => {
    const lacking = lacks(['fw_setenv', 'mkenvimage']);
    if (lacking) skip(lacking);
    const { environment } = uBoot(true);
    await environment.write({ firmproof_slot: 'b' });
    expect((await environment.read()).get('bootcmd')).toBe('run firmproof');
  });

  test('stays in that of GRUB', async ({ skip }) => {
    const lacking = lacks(['grub-editenv']);
    if (lacking) skip(lacking);
    const environment = grub();
    await environment.write({ firmproof_slot: 'b' });
    expect((await environment.read()).get('saved_entry')).toBe('0');
  });
});

describe('the file of GRUB', () => {
  test('is replaced as a whole, also behind a link: a power cut leaves the old or the new one', async ({ skip }) => {
    const lacking = lacks(['grub-editenv']);
    if (lacking) skip(lacking);
    grub();
    const [file, link] = [join(directory, 'grubenv'), join(directory, 'link')];
    symlinkSync(file, link);
    const before = openSync(file, 'r');
    try {
      await environmentOf({ kind: 'grub', file: link }).write({ firmproof_slot: 'b' });
      // Whoever has the old file open still has all of it.
      expect(readFileSync(before, 'utf8')).not.toContain('firmproof_slot');
      expect(readFileSync(file, 'utf8')).toContain('firmproof_slot=b');
      expect(readdirSync(directory).sort()).toEqual(['grubenv', 'link']);
    } finally {
      closeSync(before);
    }
  });

  test('that is missing is not made up', async () => {
    const environment = environmentOf({ kind: 'grub', file: join(directory, 'absent') });
    await expectCode('boot-environment-failed', () => environment.write({ firmproof_slot: 'b' }));
  });
});

describe('an environment that fails', () => {
  test('by its program is said, with what the program wrote', async () => {
    await expect(command('echo no such device >&2; exit 1').write({ firmproof_slot: 'b' })).rejects.toMatchObject({
      code: 'boot-environment-failed',
      message: '/bin/sh ended with 1: no such device',
    });
  });

  test('silently is found when it is read again', async () => {
    await expect(command('exit 0').write({ firmproof_slot: 'b', firmproof_try: '' })).rejects.toMatchObject({
      code: 'boot-environment-failed',
      message: 'firmproof_slot: not what was written, when read again',
    });
  });

  test('with a damaged checksum in both copies of U-Boot is not taken for an empty one', async ({ skip }) => {
    const lacking = lacks(['fw_setenv', 'mkenvimage']);
    if (lacking) skip(lacking);
    const { image, environment } = uBoot(true);
    writeFileSync(image, Buffer.alloc(16_384, 'x'));
    await expectCode('boot-environment-failed', () => environment.read());
    await expectCode('boot-environment-failed', () => environment.write({ firmproof_slot: 'b' }));
  });
});

test('assignments are lines of name=value; a value may hold more of them', () => {
  expect([...parseAssignments('a=1\nb=x=y\r\nno assignment\n=nothing\nc=\n')]).toEqual([
    ['a', '1'],
    ['b', 'x=y'],
    ['c', ''],
  ]);
});

test('whatever is written as assignments is read as it was', () => {
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,9}$/);
  const value = fc.stringMatching(/^[ -~]{0,20}$/);
  fc.assert(
    fc.property(fc.dictionary(name, value), (variables) => {
      const text = Object.entries(variables).map(([key, of]) => `${key}=${of}\n`);
      expect(parseAssignments(text.join(''))).toEqual(new Map(Object.entries(variables)));
    }),
  );
});
