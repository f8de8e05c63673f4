import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const source = new URL('../../examples/small-device/', import.meta.url).pathname;

/** A C compiler, where there is one. */
export const compiler = ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Compiles a program for small devices, as its first lines say, and takes no warning. Answers how to run it. */
export function compileForSmallDevice(name: 'verify' | 'offline', directory: string) {
  const program = join(directory, name);
  const flags = ['-std=c99', '-O2', '-Wall', '-Wextra', '-Werror', '-Wno-unused-function'];
  const { status, stderr } = spawnSync(compiler ?? 'cc', [...flags, '-o', program, join(source, `${name}.c`)], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return (...args: readonly string[]) => {
    const run = spawnSync(program, args, { encoding: 'utf8' });
    return { code: run.status, lines: run.stdout.trimEnd().split('\n') };
  };
}
