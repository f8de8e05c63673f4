// The agent of the release before, bundled from its commit: what this one is measured against.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDevice } from '../test/support/device.ts';

const root = new URL('../', import.meta.url).pathname;

/** The last commit before the agent could do without a network. */
export const previousRelease = process.env['FIRMPROOF_BENCH_PREVIOUS'] ?? '3568505';

/** The path of the bundle; null where the commit is not here. */
export function buildPrevious(): string | null {
  if (spawnSync('git', ['cat-file', '-e', `${previousRelease}^{commit}`], { cwd: root }).status !== 0) return null;
  const directory = mkdtempSync(join(tmpdir(), 'firmproof-previous-'));
  const archive = execFileSync('git', ['archive', previousRelease, 'device-agent', 'protocol'], {
    cwd: root,
    maxBuffer: 1 << 28,
  });
  execFileSync('tar', ['-x', '-C', directory], { input: archive });
  // Libraries are those of today; the packages of this repository those of then.
  const modules = join(directory, 'node_modules');
  mkdirSync(join(modules, '@firmproof'), { recursive: true });
  symlinkSync(join(directory, 'protocol'), join(modules, '@firmproof', 'protocol'));
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== '@firmproof') symlinkSync(join(root, 'node_modules', name), join(modules, name));
  execFileSync(process.execPath, [join(directory, 'device-agent/scripts/build.ts')], {
    cwd: directory,
    stdio: 'ignore',
  });
  const bundle = `${directory}.mjs`;
  renameSync(join(directory, 'device-agent/dist/firmproof-agent.mjs'), bundle);
  rmSync(directory, { recursive: true });
  return bundle;
}

/** A configuration as that release reads it, with a data directory of its own. Answers the path. */
export function configureFor(device: TestDevice): string {
  const { installer, ...config } = JSON.parse(readFileSync(device.configFile, 'utf8'));
  const file = join(device.directory, 'previous.json');
  writeFileSync(
    file,
    JSON.stringify({ ...config, slots: { directory: installer.directory }, dataDirectory: 'previous' }),
  );
  return file;
}
