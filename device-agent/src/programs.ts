import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { AgentConfig } from './config.ts';
import type { BootEnvironmentConfig, InstallerConfig, RunningConfig } from './installers/config.ts';
import { programPath } from './installers/program.ts';

/** A program that the configuration makes the agent run. */
export type ConfiguredProgram = {
  /** Where agent.json names it, as `hooks.beforeInstall`. */
  readonly member: string;
  readonly program: string;
  readonly path: string;
};

/** Every program that an update on this device may need. */
export function programsOf({ installer, hooks, health, metered, reboot }: AgentConfig): readonly ConfiguredProgram[] {
  const own: [string, readonly string[] | undefined][] = [
    ...Object.entries(hooks).map(([name, hook]): [string, readonly string[] | undefined] => [
      `hooks.${name}`,
      hook?.command,
    ]),
    ['health', health.command],
    ['reboot', reboot?.command],
    ['metered', metered?.command],
  ];
  const path = ('environment' in installer && installer.environment['PATH']) || programPath;
  return [
    ...own.flatMap(([member, argv]) => entry(member, argv, programPath)),
    ...ofInstaller(installer).flatMap(([member, argv]) => entry(`installer.${member}`, argv, path)),
  ];
}

type Named = readonly [member: string, argv: readonly string[] | undefined];

function ofInstaller(installer: InstallerConfig): readonly Named[] {
  switch (installer.kind) {
    case 'files':
      return [];
    case 'block-devices':
      return ofBoot(installer);
    case 'rauc':
      return [['kind', ['rauc']]];
    case 'swupdate':
      return [['kind', ['swupdate']], ...ofBoot(installer)];
    case 'command':
      return [['install', installer.install.command], ['rollBack', installer.rollBack?.command], ...ofBoot(installer)];
  }
}

function ofBoot(installer: {
  readonly running?: RunningConfig | undefined;
  readonly bootEnvironment?: BootEnvironmentConfig | undefined;
}): readonly Named[] {
  return [['running', installer.running?.command], ...ofBootEnvironment(installer.bootEnvironment)];
}

function ofBootEnvironment(config: BootEnvironmentConfig | undefined): readonly Named[] {
  switch (config?.kind) {
    case undefined:
      return [];
    case 'u-boot':
      return ['fw_printenv', 'fw_setenv'].map((program): Named => ['bootEnvironment', [program]]);
    case 'grub':
      return [['bootEnvironment', ['grub-editenv']]];
    case 'command':
      return [
        ['bootEnvironment.read', config.read],
        ['bootEnvironment.write', config.write],
      ];
  }
}

const entry = (member: string, argv: readonly string[] | undefined, path: string): ConfiguredProgram[] =>
  argv?.[0] === undefined ? [] : [{ member, program: argv[0], path }];

/** What keeps a program from being run, in words; null where nothing does. It is looked for as the agent would, and not run. */
export function problemOf({ program, path }: ConfiguredProgram): string | null {
  const files = program.includes('/') ? [program] : path.split(delimiter).map((directory) => join(directory, program));
  const problems = files.map(problemOfFile);
  if (problems.includes(null)) return null;
  const found = problems.find((problem) => problem !== missing);
  return found ?? (program.includes('/') ? missing : `is in none of ${path}`);
}

const missing = 'does not exist';

function problemOfFile(file: string): string | null {
  try {
    if (!statSync(file).isFile()) return 'is no file';
  } catch {
    return missing;
  }
  try {
    accessSync(file, constants.X_OK);
    return null;
  } catch {
    return 'may not be executed';
  }
}
