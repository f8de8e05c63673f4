import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAssignments } from '../../device-agent/src/installers/boot-environment.ts';
import { shell } from './shell.ts';

/**
 * Does what the boot scripts of docs/installers.md do: starts the slot on trial while it has tries left, else the other.
 * The variables are a file of lines; the slot that was booted, as the kernel's command line would say, is another.
 */
export class BootLoader {
  readonly #variables: string;
  readonly #booted: string;

  constructor(directory: string) {
    this.#variables = join(directory, 'boot-variables');
    this.#booted = join(directory, 'booted');
    writeFileSync(this.#variables, 'firmproof_slot=a\n');
    this.boot();
  }

  /** For agent.json. */
  get running() {
    return { command: ['cat', this.#booted] };
  }

  get bootEnvironment() {
    const merge = 'F=$1; shift; for v; do n=$(echo "$v" | cut -d= -f1); sed -i "/^$n=/d" "$F"; echo "$v" >> "$F"; done';
    return { kind: 'command', read: ['cat', this.#variables], write: shell(merge, this.#variables) };
  }

  variable(name: string): string {
    return parseAssignments(readFileSync(this.#variables, 'utf8')).get(name) ?? '';
  }

  boot(): string {
    const tries = Number(this.variable('firmproof_tries'));
    const slot = this.variable(tries > 0 ? 'firmproof_try' : 'firmproof_slot');
    if (tries > 0) this.#set('firmproof_tries', String(tries - 1));
    writeFileSync(this.#booted, `${slot}\n`);
    return slot;
  }

  #set(name: string, value: string): void {
    const all = new Map(parseAssignments(readFileSync(this.#variables, 'utf8'))).set(name, value);
    writeFileSync(this.#variables, [...all].map(([key, of]) => `${key}=${of}\n`).join(''));
  }
}
