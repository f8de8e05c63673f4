// What the page about the network and the table of waits say is what the agent does.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '@firmproof/device-agent';
import { trustRootType } from '@firmproof/protocol';
import { afterAll, expect, test } from 'vitest';
import { waitSeconds } from '../../device-agent/src/backoff.ts';
import { trustRootOf } from '../support/documents.ts';
import { ed25519Key } from '../support/keys.ts';
import { readPage } from '../support/page.ts';
import { temporaryDirectory } from '../support/stack.ts';

const page = readPage('docs/network.md');
const example = JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(page)?.[1] ?? '');
const directory = temporaryDirectory();
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function read(config: object) {
  const file = join(directory, 'agent.json');
  writeFileSync(file, JSON.stringify(config));
  const root = trustRootOf({ type: trustRootType }, [ed25519Key()]);
  writeFileSync(join(directory, 'trust-root.json'), JSON.stringify(root.envelope));
  return readConfig(file);
}

test('the example is a whole agent.json, and the defaults are those of the table', () => {
  expect(read(example)).toMatchObject({ pollHours: 24, minimumBytesPerSecond: 200, maximumBytesPerSecond: 20_000 });
  const { pollHours, minimumBytesPerSecond, maximumBytesPerSecond, ...rest } = example;
  const defaults: Record<string, unknown> = read(rest);
  const rows = [...page.matchAll(/^\| `(\w+)` +\| (\w+) +\|/gm)];
  expect(rows.map(([, name]) => name)).toEqual(
    expect.arrayContaining(Object.keys({ pollHours, minimumBytesPerSecond, maximumBytesPerSecond })),
  );
  for (const [, name = '', value = ''] of rows) expect(String(defaults[name])).toBe(value);
});

test('the waits of the verdicts are those of the specification', () => {
  const units: Record<string, number> = { min: 60, h: 3600 };
  const rows = [...readPage('docs/spec/device.md').matchAll(/^\| (`[^|]+?) +\| (\d+) (min|h) +\|$/gm)];
  const told = rows.flatMap(([, codes = '', count, unit = '']) =>
    [...codes.matchAll(/`([\w-]+)`/g)].map(([, code = '']) => [code, Number(count) * (units[unit] ?? 0)] as const),
  );
  expect(told).toHaveLength(7);
  for (const [code, seconds] of [...told, ['storage-proof-invalid', 900] as const]) {
    expect(waitSeconds(6, { code, count: 1 }, 0.5), code).toBe(seconds);
  }
});
