// Every piece of agent.json on the pages for owners is one that the agent takes.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '@firmproof/device-agent';
import { trustRootType } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { trustRootOf } from '../support/documents.ts';
import { ed25519Key } from '../support/keys.ts';
import { temporaryDirectory } from '../support/stack.ts';

const page = (name: string) => readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8');

let directory: string;
let device: TestDevice;
beforeAll(() => {
  directory = temporaryDirectory();
  device = makeDevice(trustRootOf({ type: trustRootType }, [ed25519Key()]), ['https://updates.example'], {}, directory);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('the page about holding and postponing', () => {
  const pieces = [...page('hold-or-postpone.md').matchAll(/```json\n(.*?)```/gs)].map(([, json = '']) => json);
  test('has pieces of agent.json', () => expect(pieces).toHaveLength(3));
  test.each(pieces)('%s', (json) => {
    const piece = JSON.parse(json);
    const whole = { ...JSON.parse(readFileSync(device.configFile, 'utf8')), ...piece };
    const file = join(directory, 'piece.json');
    writeFileSync(file, JSON.stringify(whole));
    expect(readConfig(file)).toMatchObject(piece);
  });
});

test('the page about status names every member, and no other', async () => {
  const status = await device.status();
  const rows = page('device-status.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(rows.sort()).toEqual(Object.keys(status).sort());
});
