import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { prepareDocuments } from '@firmproof/client';
import { type ErrorCode, isFirmproofError, parseSha256Digest, rawCidOf, sha256 } from '@firmproof/protocol';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { expectCode, refusalOf } from '../../support/expect-code.ts';
import { cycloneDx, inEnvelope, openVex, provenance, spdx2, spdx3 } from '../../support/supply-chain.ts';

const directory = mkdtempSync(join(tmpdir(), 'firmproof-documents-'));
afterAll(() => rmSync(directory, { recursive: true }));
const file = (name: string, content: string | Buffer | object): string => {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' || Buffer.isBuffer(content) ? content : JSON.stringify(content));
  return path;
};

const parts = [
  { name: 'openssl', version: '3.5.0', license: 'Apache-2.0' },
  { name: 'zlib', version: '1.3.1', license: 'Zlib' },
];
const image = parseSha256Digest('ab'.repeat(32));
type Files = Parameters<typeof prepareDocuments>[0];
const refused = async (code: ErrorCode, files: Files) => (await refusalOf(code, () => prepareDocuments(files))).message;

test('all kinds are read, hashed and named; the first SBOM gives the components', async () => {
  const prepared = await prepareDocuments({
    sboms: [
      file('lamp.cdx.json', cycloneDx(parts)),
      file('lamp.spdx.json', spdx2(parts)),
      file('3.json', spdx3(parts)),
    ],
    provenance: [file('p.intoto.jsonl', `${JSON.stringify(inEnvelope(provenance(image)))}\n`)],
    vex: [file('vex.json', openVex('lamp'))],
    notes: [file('Release notes (1.1).md', '# Fixes')],
  });
  expect(
    prepared.files.map(({ document: { kind, format, mediaType, name } }) => [kind, format, mediaType, name]),
  ).toEqual([
    ['sbom', 'cyclonedx', 'application/vnd.cyclonedx+json', 'lamp.cdx.json'],
    ['sbom', 'spdx', 'application/spdx+json', 'lamp.spdx.json'],
    ['sbom', 'spdx', 'application/spdx+json', '3.json'],
    ['provenance', 'slsa', 'application/vnd.in-toto+json', 'p.intoto.jsonl'],
    ['vex', 'openvex', 'application/openvex+json', 'vex.json'],
    ['notes', 'markdown', 'text/markdown', 'Release-notes-1.1-.md'],
  ]);
  for (const { document, bytes } of prepared.files) {
    expect(document).toMatchObject({ digest: sha256(bytes), cid: rawCidOf(sha256(bytes)), sizeBytes: bytes.length });
  }
  const [first] = prepared.files;
  const components = parts.map(({ name, version }) => ({ name, version }));
  expect(prepared.sbom).toEqual({ format: 'cyclonedx', digest: first?.document.digest, components });
  expect(prepared.requireAbout(image, ['lamp'])).toEqual([]);
});

test('a byte order mark before the JSON is no mistake, and part of what is hashed', async () => {
  const sbom = file('mark.json', `\ufeff${JSON.stringify(cycloneDx(parts))}`);
  const vex = file('mark-vex.json', `\ufeff${JSON.stringify(openVex('lamp'))}`);
  const prepared = await prepareDocuments({ sboms: [sbom], vex: [vex] });
  expect(prepared.sbom?.digest).toBe(prepared.files[0]?.document.digest);
  expect(prepared.files[0]?.document.digest).toBe(sha256(readFileSync(sbom)));
});

describe('what is malformed is refused, naming file and place in one line', () => {
  test.each<[string, ErrorCode, keyof Files, object | string, string]>([
    [
      'a component without type',
      'sbom-malformed',
      'sboms',
      cycloneDx([], { components: [{ name: 'a' }] }),
      "components.0: must have required property 'type'",
    ],
    ['an unknown member', 'sbom-malformed', 'sboms', cycloneDx([], { bill: 1 }), '"bill"'],
    ['an unknown version', 'sbom-malformed', 'sboms', cycloneDx([], { specVersion: '9.9' }), '"9.9"'],
    [
      'SPDX without creators',
      'sbom-malformed',
      'sboms',
      spdx2(parts, { creationInfo: { created: '2026-11-25T12:00:00Z' } }),
      'creationInfo.creators',
    ],
    [
      'SPDX that refers to nothing',
      'sbom-malformed',
      'sboms',
      spdx2(parts, { packages: [] }),
      'relationships.0: there is no SPDXRef-Package-0',
    ],
    [
      'SPDX with one id twice',
      'sbom-malformed',
      'sboms',
      spdx2(parts, { files: [{ SPDXID: 'SPDXRef-Package-0', fileName: 'x' }] }),
      'two elements',
    ],
    [
      'SPDX 3 without document',
      'sbom-malformed',
      'sboms',
      { ...spdx3(parts), '@graph': spdx3(parts)['@graph'].filter(({ type }) => type !== 'SpdxDocument') },
      'SpdxDocument',
    ],
    ['no SBOM at all', 'sbom-malformed', 'sboms', '{"a":1}', 'neither CycloneDX nor SPDX'],
    ['no JSON', 'sbom-malformed', 'sboms', '<bom/>', 'no JSON'],
    [
      'provenance without builder',
      'provenance-malformed',
      'provenance',
      provenance(image, { predicate: { buildDefinition: { buildType: 'x', externalParameters: {} } } }),
      'predicate.runDetails',
    ],
    [
      'another predicate',
      'provenance-malformed',
      'provenance',
      provenance(image, { predicateType: 'https://spdx.dev/Document' }),
      'predicateType',
    ],
    [
      'an envelope of something else',
      'provenance-malformed',
      'provenance',
      { ...inEnvelope({}), payloadType: 'text/plain' },
      'payloadType',
    ],
    [
      'an envelope around no JSON',
      'provenance-malformed',
      'provenance',
      { ...inEnvelope({}), payload: 'AAAA' },
      'payload',
    ],
    [
      'not_affected without a reason',
      'vex-malformed',
      'vex',
      openVex('lamp', { status: 'not_affected' }),
      'statements.0: not_affected needs',
    ],
    [
      'affected without an action',
      'vex-malformed',
      'vex',
      openVex('lamp', { status: 'affected' }),
      'statements.0: affected needs',
    ],
    ['CycloneDX without vulnerabilities', 'vex-malformed', 'vex', cycloneDx(parts), 'vulnerabilities'],
  ])('%s', async (_, code, kind, content, place) => {
    const path = file('wrong.json', content);
    const message = await refused(code, { [kind]: [path] });
    expect(message).toContain(path);
    expect(message).toContain(place);
    expect(message).not.toContain('\n');
  });

  test('notes that are no text, files that are empty, too large, away or too many', async () => {
    await refused('notes-malformed', { notes: [file('n.txt', Buffer.from([0xff, 0xfe, 0]))] });
    await refused('notes-malformed', { notes: [file('n.txt', 'a\0b')] });
    await refused('document-empty', { sboms: [file('empty.json', '')] });
    await refused('file-not-found', { vex: [join(directory, 'nothing.json')] });
    await refused('file-not-found', { vex: [directory] });
    const large = file('large.json', '{}');
    truncateSync(large, 32 * 1024 * 1024 + 1);
    await refused('document-too-large', { sboms: [large] });
    const notes = Array.from({ length: 33 }, (_, index) => file(`${index}.txt`, `note ${index}`));
    await refused('usage-invalid', { notes });
    const twice = file('twice.json', cycloneDx(parts));
    await refused('usage-invalid', { sboms: [twice, twice] });
  });

  test('nesting without end, wherever JSON is read', async () => {
    const deep = file('deep.json', `{"bomFormat":"CycloneDX","a":${'['.repeat(500_000)}`);
    for (const [kind, code] of [
      ['sboms', 'sbom-malformed'],
      ['vex', 'vex-malformed'],
      ['provenance', 'provenance-malformed'],
    ] as const)
      expect(await refused(code, { [kind]: [deep] })).toContain('nested');
  });
});

test('a bill of many components is checked in every part, piece by piece', async () => {
  const many = Array.from({ length: 2000 }, (_, index) => ({ name: `part-${index}`, version: '1' }));
  const { components, ...rest } = cycloneDx(many);
  expect((await prepareDocuments({ sboms: [file('many.json', { ...rest, components })] })).sbom).not.toHaveProperty(
    'components',
  );
  const spoilt = components.with(1210, { ...components[0], type: 'nonsense' } as never);
  expect(await refused('sbom-malformed', { sboms: [file('many.json', { ...rest, components: spoilt })] })).toContain(
    'components.1210.type',
  );
  const doubled = [...components, components[7]];
  expect(await refused('sbom-malformed', { sboms: [file('many.json', { ...rest, components: doubled })] })).toContain(
    'components.2000',
  );
});

describe('what documents are about', () => {
  test('a provenance of another image is refused, in a bundle of Sigstore too', async () => {
    const bundle = { mediaType: 'x', dsseEnvelope: inEnvelope(provenance('cd'.repeat(32))) };
    for (const content of [
      provenance('cd'.repeat(32)),
      bundle,
      provenance(image, { subject: [{ digest: { sha512: 'ab' } }] }),
    ]) {
      const prepared = await prepareDocuments({ provenance: [file('other.json', content)] });
      await expectCode('provenance-subject', () => prepared.requireAbout(image, []));
    }
  });

  test('a VEX document that names neither image nor product is worth a note', async () => {
    const vex = [file('vex.json', openVex('toaster'))];
    const prepared = await prepareDocuments({ vex });
    expect(prepared.requireAbout(image, ['lamp'])).toHaveLength(1);
    expect(prepared.requireAbout(image, ['toaster'])).toEqual([]);
  });
});

test('hostile files end in a typed error, and names never leave their directory', async () => {
  const anything = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.constantFrom(cycloneDx(parts), spdx2(parts), openVex('x')),
  );
  const kind = fc.constantFrom<keyof Files>('sboms', 'provenance', 'vex', 'notes');
  const keys = ['components', 'packages', '@graph', 'statements', 'subject', 'predicate', '@context', 'spdxVersion'];
  const spoilt = fc.tuple(anything, fc.dictionary(fc.constantFrom(...keys), fc.jsonValue({ maxDepth: 2 })));
  await fc.assert(
    fc.asyncProperty(kind, spoilt, async (one, [base, more]) => {
      const content = typeof base === 'object' && base !== null ? { ...base, ...more } : base;
      try {
        await prepareDocuments({ [one]: [file('hostile.json', JSON.stringify(content))] });
      } catch (error) {
        expect(isFirmproofError(error), String(error)).toBe(true);
      }
    }),
    { numRuns: 150 },
  );
  for (const name of ['..x', '-rf', 'ä', '$(id)', 'a'.repeat(200), '. .']) {
    const { files } = await prepareDocuments({ notes: [file(name, name)] });
    expect(files[0]?.document.name).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._+-]{0,127}$/);
  }
});
