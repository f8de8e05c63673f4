// What regulators ask for, by the real command: from a history, documents, an advisory and receipts of devices.
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { post, type SigningDevice, signingDevice, speaking } from '../support/enrolled-device.ts';
import { Person } from '../support/person.ts';
import { destroyStack, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

let stack: Stack;
let directory: string;
let ada: Person;
let product: string;
const images = { '1.0.0': randomBytes(5000), '2.0.0': randomBytes(6000) };
const cve = 'CVE-2026-12345';
const file = (name: string) => join(directory, name);

beforeAll(async () => {
  stack = await startStack();
  directory = temporaryDirectory();
  ada = new Person('ada', directory, stack.url);
  ({ product } = await ada.json('setup', '--solo', '--product', 'pump'));
  const bom = {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    components: [{ type: 'library', name: 'zlib', version: '1' }],
  };
  writeFileSync(file('sbom.json'), JSON.stringify(bom));
  await publish('1.0.0', '--rxswin', 'R79SWIN 0001');
  await publish(
    ...(['2.0.0', '--rxswin', 'R79SWIN 0002', '--sbom', file('sbom.json'), '--purpose', 'security'] as const),
    ...['--severity', 'high', '--fixes', cve, '--support-until', '2040-12-31', '--notes', 'Closes a hole.'],
  );
  await ada.json(
    ...['advisory', 'publish', '--id', 'FPA-2026-1', '--versions', '1.0.0', '--severity', 'high', '--cve', cve],
    ...['--title', 'A hole in the pump', '--fixed-in', '2.0.0'],
  );
  const devices = [signingDevice(), signingDevice('ecdsa-p256-sha256')];
  const list = devices.map(({ id, publicKey }) => `${id},${publicKey}`);
  writeFileSync(file('devices.csv'), ['device,publicKey', ...list].join('\n'));
  await ada.json('device', 'import', file('devices.csv'));
  for (const device of devices) await report(device);
}, 100_000);
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

async function publish(version: keyof typeof images, ...more: readonly string[]) {
  writeFileSync(file('image.bin'), images[version]);
  await ada.json('publish', file('image.bin'), '--version', version, '--channel', 'stable', ...more);
}

async function report(device: SigningDevice) {
  const of = (version: keyof typeof images) => ({ version: version as never, image: sha256(images[version]) });
  const outcome = { result: 'confirmed', ...of('2.0.0'), before: of('1.0.0') } as const;
  const receipt = await speaking(stack.url, product as never).receipt(device, {
    kind: 'outcome',
    running: of('2.0.0'),
    outcome,
  });
  expect((await post(receipt)).status).toBe(204);
}

const clause = (report: { clauses: { clause: string }[] }, name: string) =>
  report.clauses.find((one) => one.clause === name);

test('the Cyber Resilience Act: support, availability, bills of materials, advisories', async () => {
  const report = await ada.json('report', 'cra', '--fetch', '--html', file('cra.html'));
  expect(report).toMatchObject({ reportVersion: 1, kind: 'cra', product: { id: product, name: 'pump' } });
  expect(report.audit).toMatchObject({ complete: true });
  expect(clause(report, 'Article 13(8)')).toMatchObject({ state: 'shown' });
  expect(clause(report, 'Article 13(9)')).toMatchObject({ state: 'shown' });
  expect(clause(report, 'Annex I, Part II (1)')).toMatchObject({
    state: 'partly',
    table: { rows: [['2.0.0', 'cyclonedx', { digest: sha256(readFileSync(file('sbom.json'))) }, '1 of 1 sources']] },
  });
  expect(clause(report, 'Annex I, Part II (4)')).toMatchObject({
    state: 'shown',
    table: { rows: [[cve, '2.0.0', 'high', 'FPA-2026-1']] },
  });
  const html = readFileSync(file('cra.html'), 'utf8');
  expect(html).toContain('no legal advice');
  expect(html).not.toMatch(/<script|src=|url\(/);
});

test('UN R156: the register has the digests before and after, from receipts whose signatures hold', async () => {
  const report = await ada.json('report', 'r156', '--csv', file('register.csv'));
  const [before, after] = [sha256(images['1.0.0']), sha256(images['2.0.0'])];
  expect(clause(report, '7.1.2.3')).toMatchObject({
    state: 'shown',
    table: {
      rows: [
        ['R79SWIN 0002', '1.0.0', { digest: before }, 'R79SWIN 0001', '2.0.0', { digest: after }, '2', ...anyDays],
      ],
    },
  });
  expect(clause(report, '7.1.2.4')).toMatchObject({ table: { rows: [['2.0.0', { digest: after }, '2']] } });
  const lines = readFileSync(file('register.csv'), 'utf8').trim().split('\r\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toContain(`confirmed,1.0.0,${before},2.0.0,${after}`);
});
const anyDays = [expect.stringMatching(/^\d{4}-/), expect.stringMatching(/^\d{4}-/)];

test('who may not read receipts gets the rest, and is told so', async () => {
  const stranger = new Person('stranger', directory, stack.url);
  const { code, stdout, stderr } = await stranger.run(['report', 'r156', 'pump', '--json']);
  expect(code, stderr).toBe(0);
  expect(clause(JSON.parse(stdout), '7.1.2.3')).toMatchObject({
    state: 'missing',
    answer: expect.stringContaining('could not be read'),
  });
  const told = await stranger.run(['report', 'r156', 'pump']);
  expect(told.stderr).toContain('No receipts: they are the vendor');
});

test('a number that is none is refused before anything is sent', async () => {
  await ada.fails('usage-invalid', 2, 'publish', file('image.bin'), '--version', '3.0.0', '--rxswin', 'R79 1');
});
