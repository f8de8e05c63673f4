// The scripts that docs/installers.md gives to boot loaders, run by the boot loaders themselves.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { environmentSelection } from '../../../../device-agent/src/installers/boot-selection.ts';
import { installerSchema } from '../../../../device-agent/src/installers/config.ts';
import { temporaryDirectory } from '../../../support/stack.ts';
import { lacks, tool } from '../../../support/tools.ts';

const example = (name: string) => new URL(`../../../../examples/boot/${name}`, import.meta.url).pathname;

let directory: string;
beforeEach(() => {
  directory = temporaryDirectory();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const at = (name: string) => join(directory, name);

/** What the agent does with the boot loader's variables. */
const selectionWith = (bootEnvironment: object) => {
  const running = { kernelArgument: 'firmproof.slot' };
  const config = installerSchema.parse({
    kind: 'block-devices',
    slots: { a: '/dev/a', b: '/dev/b' },
    running,
    bootEnvironment,
  });
  if (config.kind !== 'block-devices') throw new Error('another installer');
  return environmentSelection(config, { a: [], b: [] });
};

/** Runs a boot loader until it says which slot it boots. */
function bootedSlot(program: string, args: readonly string[]): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'latin1', input: '', timeout: 60_000 });
  const slot = /booting slot (\w*)/.exec(stdout)?.[1];
  if (slot === undefined) throw new Error(`${program} boots nothing: ${stdout.slice(-500)} ${stderr.slice(-500)}`);
  return slot;
}

const lackingGrub = lacks(['grub-emu', 'grub-editenv', 'mke2fs', 'debugfs']);
describe.skipIf(lackingGrub)(`the script for GRUB${lackingGrub ? ` (skipped: ${lackingGrub})` : ''}`, () => {
  /** A disk with /boot/grub on it, made anew for each boot; GRUB writes the environment on the disk. */
  const boot = (): string => {
    rmSync(at('disk'), { force: true });
    writeFileSync(at('disk'), '');
    truncateSync(at('disk'), 4 * 1024 * 1024);
    tool('mke2fs', '-q', '-t', 'ext2', '-d', at('root'), at('disk'));
    const slot = bootedSlot('grub-emu', ['-m', at('device.map'), '-r', 'hd0', '-d', '/boot/grub']);
    tool('debugfs', '-R', `dump /boot/grub/grubenv ${at('root/boot/grub/grubenv')}`, at('disk'));
    return slot;
  };

  test('tries the new slot three times, then the one before; a confirmed one for ever', async () => {
    mkdirSync(at('root/boot/grub'), { recursive: true });
    const file = at('root/boot/grub/grubenv');
    tool('grub-editenv', file, 'create');
    copyFileSync(example('grub-slot.cfg'), at('root/boot/grub/grub-slot.cfg'));
    writeFileSync(
      at('root/boot/grub/grub.cfg'),
      `source /boot/grub/grub-slot.cfg\necho "booting slot \${slot}"\nexit\n`,
    );
    writeFileSync(at('device.map'), `(hd0) ${at('disk')}\n`);
    const selection = selectionWith({ kind: 'grub', file });
    expect(boot()).toBe('a');
    await selection.tryNext('b');
    expect([boot(), boot(), boot(), boot(), boot()]).toEqual(['b', 'b', 'b', 'a', 'a']);
    await selection.tryNext('b');
    expect(boot()).toBe('b');
    await selection.confirm('b');
    expect([boot(), boot(), boot(), boot()]).toEqual(['b', 'b', 'b', 'b']);
  });
});

const firmware = '/usr/lib/u-boot/qemu_arm/u-boot.bin';
const lackingUBoot = lacks(['qemu-system-arm', 'fw_setenv', 'mkenvimage'], { files: [firmware] });
describe.skipIf(lackingUBoot)(`the script for U-Boot${lackingUBoot ? ` (skipped: ${lackingUBoot})` : ''}`, () => {
  const flashBytes = 64 * 1024 * 1024;
  /** U-Boot 2023.01 cannot write this emulated flash (`Flash buffer write timeout`): it says what it would have written. */
  const boot = (): { slot: string; tries: string } => {
    copyFileSync(at('flash'), at('flash.copy'));
    const flash = `if=pflash,format=raw,index=1,file=${at('flash.copy')}`;
    const machine = ['-machine', 'virt', '-nographic', '-monitor', 'none', '-serial', 'stdio', '-net', 'none'];
    const said = bootedSlot('qemu-system-arm', [...machine, '-bios', firmware, '-drive', flash]);
    return { slot: said.slice(0, 1), tries: said.slice(1) };
  };

  test('tries the new slot while tries are left, and counts them', async () => {
    const text = `${readFileSync(example('u-boot-slot.env'), 'utf8')}bootdelay=0
bootcmd=run firmproof_choose; echo booting slot \${slot}\${firmproof_tries}; poweroff
`;
    writeFileSync(at('text'), text);
    tool('mkenvimage', '-s', '0x40000', '-o', at('flash'), at('text'));
    truncateSync(at('flash'), flashBytes);
    writeFileSync(at('fw_env.config'), `${at('flash')} 0x0 0x40000\n`);
    const bootEnvironment = { kind: 'u-boot', configFile: at('fw_env.config') };
    const selection = selectionWith(bootEnvironment);
    expect(boot()).toEqual({ slot: 'a', tries: '' });
    await selection.tryNext('b');
    expect(boot()).toEqual({ slot: 'b', tries: '2' });
    const last = { ...bootEnvironment, try: { firmproof_tries: '0' } };
    await selectionWith(last).tryNext('b');
    expect(boot()).toEqual({ slot: 'a', tries: '0' });
    await selection.confirm('b');
    expect(boot()).toEqual({ slot: 'b', tries: '' });
  });
});
