import { copyFile, readFile, realpath, rm } from 'node:fs/promises';
import { FirmproofError, isFirmproofError } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import type { BootEnvironmentConfig } from './config.ts';
import { type Argv, runProgram, type StdinWriter } from './program.ts';

const readableByAll = 0o644;

/** Variables that the boot loader reads: which slot to boot, and how often it may still try. */
export type BootEnvironment = {
  read(): Promise<ReadonlyMap<string, string>>;
  /** Sets all of them in one write; an empty value removes one. When it returns, what was written has been read again (I3). */
  write(variables: Readonly<Record<string, string>>): Promise<void>;
};

/**
 * The environment of U-Boot (`fw_printenv`, `fw_setenv`), of GRUB (`grub-editenv`), or of a command that speaks likewise.
 * @throws FirmproofError `boot-environment-failed` from both functions
 */
export function createBootEnvironment(
  config: BootEnvironmentConfig,
  environment: Readonly<Record<string, string>>,
): BootEnvironment {
  const { timeoutSeconds } = config;
  const run = async (argv: Argv, stdin?: StdinWriter): Promise<string> => {
    const end = await runProgram(argv, { timeoutSeconds, environment, ...(stdin && { stdin }) });
    if (end.how === 'exited' && end.exitCode === 0) return end.answer;
    throw new FirmproofError('boot-environment-failed', `${argv[0]} ${end.reason}`);
  };
  const tool = toolFor(config);
  const read = async () => parseAssignments(await run(tool.read));
  return {
    read,
    async write(variables) {
      await tool.write(variables, run);
      const found = await read();
      const differing = Object.entries(variables).filter(([name, value]) => (found.get(name) ?? '') !== value);
      if (differing.length === 0) return;
      const names = differing.map(([name]) => name).join(', ');
      throw new FirmproofError('boot-environment-failed', `${names}: not what was written, when read again`);
    },
  };
}

type Run = (argv: Argv, stdin?: StdinWriter) => Promise<string>;
type Tool = { readonly read: Argv; write(variables: Readonly<Record<string, string>>, run: Run): Promise<unknown> };

function toolFor(config: BootEnvironmentConfig): Tool {
  switch (config.kind) {
    case 'u-boot': {
      const file = ['-c', config.configFile];
      return {
        read: ['fw_printenv', ...file],
        // As a script, all variables are one write: with a redundant environment, a power cut leaves the old one or the new one.
        write: (variables, run) => run(['fw_setenv', ...file, '-s', '-'], text(lines(variables))),
      };
    }
    case 'grub':
      return {
        read: ['grub-editenv', config.file, 'list'],
        // Its `unset` would be a second write. A variable that is empty means the same to GRUB.
        write: (variables, run) =>
          replace(config.file, (copy) => run(['grub-editenv', copy, 'set', ...assignments(variables)])),
      };
    case 'command':
      return {
        read: config.read,
        write: (variables, run) => run([...config.write, ...assignments(variables)]),
      };
  }
}

/** Changes a file as a copy of it: `grub-editenv` empties it before it writes, and a power cut in between would lose all. */
async function replace(file: string, change: (copy: string) => Promise<unknown>): Promise<void> {
  const copy = `${file}.edited`;
  try {
    const target = await realpath(file);
    await copyFile(target, copy);
    await change(copy);
    await writeFileAtomically(target, await readFile(copy), readableByAll);
  } catch (cause) {
    if (isFirmproofError(cause)) throw cause;
    throw new FirmproofError('boot-environment-failed', `${file} cannot be replaced: ${String(cause)}`, { cause });
  } finally {
    await rm(copy, { force: true });
  }
}

const assignments = (variables: Readonly<Record<string, string>>) =>
  Object.entries(variables).map(([name, value]) => `${name}=${value}`);

/** libubootenv and U-Boot's own tool both read `name=value`; `name value` only the latter. */
const lines = (variables: Readonly<Record<string, string>>) =>
  assignments(variables)
    .map((line) => `${line}\n`)
    .join('');

const text =
  (content: string): StdinWriter =>
  async (send) => {
    await send(Buffer.from(content));
    return 'end';
  };

/** Lines of `name=value`; others are passed over. */
export function parseAssignments(output: string): ReadonlyMap<string, string> {
  return new Map(
    output.split('\n').flatMap((line) => {
      const at = line.indexOf('=');
      return at > 0 ? [[line.slice(0, at), line.slice(at + 1).replace(/\r$/, '')]] : [];
    }),
  );
}
