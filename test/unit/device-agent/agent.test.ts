import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '@firmproof/device-agent';
import { trustRootType } from '@firmproof/protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { downloadSources } from '../../../device-agent/src/download.ts';
import { Journal } from '../../../device-agent/src/journal.ts';
import { isPrivateHost } from '../../../protocol/node/private-host.ts';
import { trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key } from '../../support/keys.ts';
import { temporaryDirectory } from '../../support/stack.ts';

let directory: string;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('private addresses', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '192.168.0.9',
    '172.16.0.1',
    '169.254.169.254',
    '[::1]',
    '[fd00::1]',
    '[fe80::1]',
    '[fec0::1]',
    '[::ffff:10.1.2.3]',
    '[::7f00:1]',
    '[2001:0:7f00:1::]',
    'localhost',
    'printer.local',
    'a.localhost',
  ])('%s is private', (host) => expect(isPrivateHost(host)).toBe(true));
  test.each(['8.8.8.8', 'example.com', '172.32.0.1', '[2001:db8::1]', '[::ffff:8.8.8.8]'])('%s is not', (host) =>
    expect(isPrivateHost(host)).toBe(false),
  );

  test('are never fetched from because evidence says so (A27)', () => {
    const config = { servers: ['http://10.0.0.1'] };
    const sources = [
      'http://169.254.169.254/latest',
      'https://cdn.example/',
      'http://[::ffff:127.0.0.1]/',
      'http://0x7f000001/',
      'http://2130706433/',
    ];
    expect(downloadSources(config, { sources })).toEqual(['http://10.0.0.1', 'https://cdn.example']);
  });
});

describe('the journal', () => {
  const first = {
    state: 'idle',
    target: null,
    trialDeadlineSeconds: null,
    installed: { version: '1.0.0', image: null },
    rollbackFloor: 3,
    lastProven: null,
    time: { seconds: 0, bootId: '', uptimeSeconds: 0 },
    trustRoot: null,
    failed: [],
    lastVerdict: null,
  } as never;

  test('cut anywhere, is put aside, and the entry before it holds', async () => {
    const data = join(directory, 'journal');
    mkdirSync(data);
    const journal = await Journal.open(data, first);
    await journal.write({ rollbackFloor: 4 });
    await journal.write({ rollbackFloor: 5 });
    const file = join(data, 'journal.json');
    const whole = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), async (length) => {
        writeFileSync(file, whole.subarray(0, length));
        const found = await Journal.open(data, first);
        expect(found.entry.rollbackFloor).toBe(4);
        expect(found.recoveredFrom).toContain('journal.corrupt');
      }),
      { numRuns: 30 },
    );
  });

  test('with any byte changed never lowers the floor unnoticed', async () => {
    const data = join(directory, 'changed');
    mkdirSync(data);
    const journal = await Journal.open(data, first);
    await journal.write({ rollbackFloor: 7 });
    await journal.write({ rollbackFloor: 7 });
    const file = join(data, 'journal.json');
    const whole = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const changed = Buffer.from(whole);
        changed[at] = (changed[at] ?? 0) ^ flip;
        writeFileSync(file, changed);
        expect((await Journal.open(data, first)).entry.rollbackFloor).toBe(7);
      }),
      { numRuns: 100 },
    );
  });
});

describe('the configuration', () => {
  const key = ed25519Key();
  const write = (config: object) => {
    const file = join(directory, 'agent.json');
    writeFileSync(
      join(directory, 'trust-root.json'),
      JSON.stringify(trustRootOf({ type: trustRootType }, [key]).envelope),
    );
    writeFileSync(file, JSON.stringify(config));
    return file;
  };
  const good = {
    trustRoot: 'trust-root.json',
    hardware: 'rev-1',
    channels: ['stable'],
    channel: 'stable',
    image: { version: '1.0.0', rollbackIndex: 0, buildTimeSeconds: 0 },
    servers: ['https://updates.example/'],
    installer: { kind: 'files', directory: 'slots' },
    dataDirectory: 'data',
  };

  test('has paths relative to its file', () => {
    const config = readConfig(write(good));
    expect(config.dataDirectory).toBe(join(directory, 'data'));
    expect(config.servers).toEqual(['https://updates.example']);
  });

  test('that is no JSON says where', () => {
    const file = write(good);
    writeFileSync(file, '{\n  "trustRoot" "trust-root.json"\n}');
    expect(() => readConfig(file)).toThrow(/agent\.json is no JSON: .*line 2 column 15/);
  });

  test('with three mistakes names all three', async () => {
    const file = write({ ...good, channel: 'beta', servers: ['ftp://x'], hardware: '', colour: 'red' });
    await expectCode('config-invalid', () => readConfig(file));
    try {
      readConfig(file);
    } catch (error) {
      for (const word of ['servers', 'hardware', 'colour']) expect(String(error)).toContain(word);
    }
    await expectCode('config-invalid', () => readConfig(write({ ...good, channel: 'beta' })));
    await expectCode('file-not-found', () => readConfig(join(directory, 'nowhere.json')));
    await expectCode('file-not-found', () => readConfig(write({ ...good, trustRoot: 'nowhere.json' })));
  });
});
