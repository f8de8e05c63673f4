// Every example of the page about installers is a whole configuration that the agent takes.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AgentConfig, readConfig } from '@firmproof/device-agent';
import { trustRootType } from '@firmproof/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseAssignments } from '../../device-agent/src/installers/boot-environment.ts';
import { hooksSchema, installerSchema } from '../../device-agent/src/installers/config.ts';
import { runHook } from '../../device-agent/src/installers/hooks.ts';
import { trustRootOf } from '../support/documents.ts';
import { ed25519Key } from '../support/keys.ts';
import { readPage } from '../support/page.ts';
import { shell } from '../support/shell.ts';
import { temporaryDirectory } from '../support/stack.ts';

const page = readPage('docs/installers.md');
const examples = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, code = '']) => code);

let directory: string;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** The configuration, with the trust root beside it. */
function read(example: string): AgentConfig {
  writeFileSync(
    join(directory, 'trust-root.json'),
    JSON.stringify(trustRootOf({ type: trustRootType }, [ed25519Key()]).envelope),
  );
  const file = join(directory, 'agent.json');
  writeFileSync(file, JSON.stringify({ ...JSON.parse(example), trustRoot: 'trust-root.json' }));
  return readConfig(file);
}

test('every example is a whole agent.json, and every kind of installer and boot environment has one', () => {
  const installers = examples.map((example) => read(example).installer);
  expect(new Set(installers.map(({ kind }) => kind))).toEqual(new Set(installerSchema.options.map(kindOf)));
  const environments = installers.flatMap((installer) =>
    'bootEnvironment' in installer && installer.bootEnvironment ? [installer.bootEnvironment.kind] : [],
  );
  expect(new Set(environments)).toEqual(new Set(['u-boot', 'grub', 'command']));
  const withHooks = examples.find((example) => 'hooks' in JSON.parse(example)) ?? '';
  expect(Object.keys(read(withHooks).hooks).sort()).toEqual(Object.keys(hooksSchema.unwrap().shape).sort());
});

test('the page tells all that a hook finds in its environment', async () => {
  const listed = [...page.matchAll(/^\| `(FIRMPROOF_\w+)`/gm)].map(([, name]) => name);
  const found = join(directory, 'environment');
  const hooks = hooksSchema.parse({ beforeInstall: { command: shell('env > "$1"', found) } });
  const context = { version: '2.0.0', runningVersion: '1.0.0', image: '', slot: 'b', previousSlot: 'a' } as const;
  await runHook(hooks, 'beforeInstall', context);
  const names = [...parseAssignments(readFileSync(found, 'utf8')).keys()].filter((name) =>
    name.startsWith('FIRMPROOF'),
  );
  expect(names.sort()).toEqual(listed.sort());
});

/** The kind that a schema of the union is for. */
const kindOf = (schema: (typeof installerSchema.options)[number]) => schema.shape.kind.value;
