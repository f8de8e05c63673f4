import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './stack.ts';
import { tool } from './tools.ts';

const compatible = 'firmproof-test';

/**
 * A device with the real RAUC service, on a message bus of its own. Its boot loader is RAUC's `custom` one: a program that
 * keeps primary and states in files.
 */
export class RaucDevice {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly #processes: ChildProcess[] = [];

  constructor(directory: string) {
    this.directory = directory;
    this.environment = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${this.#at('bus')}` };
    for (const slot of ['a', 'b']) writeFileSync(this.slot(slot), Buffer.alloc(2 * 1024 * 1024));
    mkdirSync(this.#at('boot'));
    makeKey(directory);
    writeFileSync(this.#at('backend'), backend(this.#at('boot')));
    chmodSync(this.#at('backend'), 0o755);
    writeFileSync(this.configFile, this.#systemConfiguration());
    writeFileSync(this.#at('bus.conf'), busConfiguration(this.#at('bus')));
  }

  get configFile(): string {
    return this.#at('system.conf');
  }

  slot(name: string): string {
    return this.#at(`${name}.slot`);
  }

  /** What the boot loader would start next, and what it holds of a slot. */
  boot(name: 'primary' | 'state-A' | 'state-B'): string {
    const file = join(this.#at('boot'), name);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  }

  /** Starts the service of a system that was booted from this slot. */
  async start(booted: 'A' | 'B'): Promise<void> {
    const log = (name: string) => this.#at(`${name}.log`);
    const begin = (name: string, ...args: string[]) => {
      const child = spawn(name, args, {
        env: { ...process.env, ...this.environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (text) => appendFileSync(log(name), text));
      this.#processes.push(child);
    };
    begin('dbus-daemon', `--config-file=${this.#at('bus.conf')}`, '--nofork', '--nopidfile');
    await eventually(
      async () => existsSync(this.#at('bus')),
      (exists) => exists,
      'the message bus',
    );
    begin('rauc', '-c', this.configFile, `--override-boot-slot=${booted}`, 'service');
    await eventually(
      async () => tool('env', ...this.#assignments(), 'rauc', '-c', this.configFile, 'status', '--output-format=json'),
      (answer) => answer.includes('"booted"'),
      'the RAUC service',
    );
  }

  async stop(): Promise<void> {
    const ended = this.#processes.map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.#processes.splice(0)) child.kill();
    await Promise.all(ended);
    rmSync(this.#at('bus'), { force: true });
  }

  /** A signed bundle with one image. */
  bundle(name: string, image: Buffer): Buffer {
    const content = this.#at(`${name}.content`);
    const file = this.#at(`${name}.raucb`);
    mkdirSync(content);
    writeFileSync(join(content, 'rootfs.img'), image);
    writeFileSync(
      join(content, 'manifest.raucm'),
      `[update]\ncompatible=${compatible}\nversion=${name}\n[bundle]\nformat=plain\n[image.rootfs]\nfilename=rootfs.img\n`,
    );
    tool('rauc', '--cert', this.#at('cert.pem'), '--key', this.#at('key.pem'), 'bundle', content, file);
    return readFileSync(file);
  }

  #at(name: string): string {
    return join(this.directory, name);
  }

  #assignments(): string[] {
    return Object.entries(this.environment).map(([name, value]) => `${name}=${value}`);
  }

  #systemConfiguration(): string {
    const slots = (['a', 'b'] as const).map(
      (slot, index) => `[slot.rootfs.${index}]\ndevice=${this.slot(slot)}\ntype=raw\nbootname=${slot.toUpperCase()}\n`,
    );
    return `[system]
compatible=${compatible}
bootloader=custom
statusfile=${this.#at('rauc-status')}
mountprefix=${this.#at('mount')}
[keyring]
path=${this.#at('cert.pem')}
[handlers]
bootloader-custom-backend=${this.#at('backend')}
${slots.join('')}`;
  }
}

/** A key and a certificate for it, as RAUC and SWUpdate want them for signatures. */
export function makeKey(directory: string): void {
  tool(
    ...['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '30', '-subj', '/CN=firmproof-test'],
    ...['-addext', 'extendedKeyUsage=emailProtection'],
    ...['-keyout', join(directory, 'key.pem'), '-out', join(directory, 'cert.pem')],
  );
}

const backend = (directory: string) => `#!/bin/sh
cd ${directory}
case $1 in
get-primary) cat primary 2> /dev/null || echo A ;;
set-primary) echo "$2" > primary ;;
get-state) cat "state-$2" 2> /dev/null || echo good ;;
set-state) echo "$3" > "state-$2" ;;
esac
`;

const busConfiguration = (
  socket: string,
) => `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>custom</type>
  <listen>unix:path=${socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
`;
