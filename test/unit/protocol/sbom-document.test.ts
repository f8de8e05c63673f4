import { isFirmproofError, readSbom, readSbomDocument, type SbomComponent, sbomChanges } from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../support/expect-code.ts';

const cycloneDx = (components: unknown, more = {}) =>
  JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components, ...more });

describe('a whole bill of materials', () => {
  test('in CycloneDX gives nested components with group, purl and licenses of all three forms', () => {
    const document = readSbomDocument(
      cycloneDx([
        {
          type: 'library',
          group: '@scope',
          name: 'outer',
          version: '1',
          purl: 'pkg:npm/%40scope/outer@1',
          licenses: [{ license: { id: 'MIT' } }, { license: { name: 'Ours' } }, { expression: 'Apache-2.0 OR MIT' }],
          components: [{ type: 'library', name: 'inner', licenses: 'no list', purl: 7 }],
        },
      ]),
    );
    expect(document).toMatchObject({ format: 'cyclonedx', specVersion: '1.6' });
    expect(document.components).toEqual([
      {
        name: '@scope/outer',
        version: '1',
        purl: 'pkg:npm/%40scope/outer@1',
        licenses: ['Apache-2.0 OR MIT', 'MIT', 'Ours'],
      },
      { name: 'inner', version: '', purl: null, licenses: [] },
    ]);
  });

  test('in SPDX 2 gives packages with purl, and the concluded license before the declared one', () => {
    const packages = [
      {
        name: 'busybox',
        versionInfo: '1.37.0',
        licenseConcluded: 'NOASSERTION',
        licenseDeclared: 'GPL-2.0-only',
        externalRefs: [
          { referenceCategory: 'SECURITY', referenceType: 'cpe23Type', referenceLocator: 'cpe:2.3:a:*' },
          { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: 'pkg:deb/busybox@1.37.0' },
        ],
      },
    ];
    expect(readSbomDocument(JSON.stringify({ spdxVersion: 'SPDX-2.3', packages }))).toMatchObject({
      format: 'spdx',
      specVersion: 'SPDX-2.3',
      components: [{ name: 'busybox', version: '1.37.0', purl: 'pkg:deb/busybox@1.37.0', licenses: ['GPL-2.0-only'] }],
    });
  });

  test('in SPDX 3 gives packages, with the licenses that relationships lead to', () => {
    const graph = [
      { type: 'CreationInfo', '@id': '_:c', specVersion: '3.0.1' },
      { type: 'software_File', spdxId: 'urn:f', name: 'a file' },
      {
        type: 'software_Package',
        spdxId: 'urn:p',
        name: 'zlib',
        software_packageVersion: '1.3.1',
        software_packageUrl: 'pkg:generic/zlib@1.3.1',
      },
      { type: 'simplelicensing_LicenseExpression', spdxId: 'urn:l', simplelicensing_licenseExpression: 'Zlib' },
      { type: 'Relationship', relationshipType: 'hasDeclaredLicense', from: 'urn:p', to: ['urn:l', 'urn:other', 3] },
      'no element',
    ];
    const text = JSON.stringify({ '@context': 'https://spdx.org/rdf/3.0.1/spdx-context.jsonld', '@graph': graph });
    expect(readSbomDocument(text)).toMatchObject({
      format: 'spdx',
      specVersion: '3.0.1',
      components: [{ name: 'zlib', version: '1.3.1', purl: 'pkg:generic/zlib@1.3.1', licenses: ['Zlib'] }],
    });
  });

  test('says where it is malformed', async () => {
    const inner = [{ name: 'a', components: [{ name: 'b' }, { version: '2' }] }];
    const refused = await refusalOf('sbom-malformed', () => readSbomDocument(cycloneDx(inner)));
    expect(refused.message).toContain('components.0.components.1.name');
  });

  test('that nests without end is refused before anything walks it', async () => {
    const deep = (levels: number) =>
      `{"bomFormat":"CycloneDX","components":${'[{"name":"x","components":'.repeat(levels)}[]${'}]'.repeat(levels)}}`;
    expect(readSbomDocument(deep(40)).components).toHaveLength(40);
    for (const levels of [60, 1_000_000])
      expect((await refusalOf('sbom-malformed', () => readSbomDocument(deep(levels)))).message).toContain('deep');
    // Brackets inside of strings are text.
    expect(readSbomDocument(cycloneDx([{ name: '[{"\\'.repeat(500) }])).components).toHaveLength(1);
  });

  test('hostile ones end in a typed error, or are read', () => {
    const part = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.record({ name: fc.string(), licenses: fc.jsonValue() }));
    const hostile = fc.oneof(
      fc.string(),
      fc.json(),
      fc.array(part).map((components) => cycloneDx(components)),
      fc.array(part).map((packages) => JSON.stringify({ spdxVersion: 'SPDX-2.3', packages })),
      fc.array(part).map((graph) => JSON.stringify({ '@context': 'https://spdx.org/rdf/3.0.1/x', '@graph': graph })),
    );
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          readSbomDocument(text);
        } catch (error) {
          expect(isFirmproofError(error), String(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});

test('a statement has no room for components of 32 KiB: then the digest alone stands for them', () => {
  const long = Array.from({ length: 400 }, (_, index) => ({ name: `part-${index}-${'ä'.repeat(100)}`, version: '1' }));
  expect(readSbom(cycloneDx(long))).not.toHaveProperty('components');
  expect(readSbom(cycloneDx(long.slice(0, 100))).components).toHaveLength(100);
});

describe('the changes between two whole documents', () => {
  const part = (name: string, more: Partial<SbomComponent> = {}): SbomComponent => ({
    name,
    version: '1',
    purl: null,
    licenses: [],
    ...more,
  });
  const changes = (before: SbomComponent[], now: SbomComponent[]) =>
    sbomChanges({ components: before }, { components: now });

  test('tell of another license and another origin under the same name and version', () => {
    const before = [part('a', { licenses: ['MIT'] }), part('b', { purl: 'pkg:npm/%40us/b@1' }), part('c')];
    const now = [
      part('a', { licenses: ['AGPL-3.0-only'] }),
      part('b', { purl: 'pkg:npm/%40them/b@1' }),
      part('c', { licenses: ['MIT'], purl: 'pkg:npm/c@1' }),
    ];
    expect(changes(before, now)).toEqual([
      { name: 'a', before: ['1'], now: ['1'], licenses: { before: ['MIT'], now: ['AGPL-3.0-only'] }, origins: null },
      {
        name: 'b',
        before: ['1'],
        now: ['1'],
        licenses: null,
        origins: { before: ['pkg:npm/%40us/b'], now: ['pkg:npm/%40them/b'] },
      },
    ]);
  });

  test('are none between a document and itself, and turn around with the documents', () => {
    const list = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', '__proto__'),
        version: fc.constantFrom('', '1', '2'),
        purl: fc.constantFrom(null, 'pkg:npm/a@1', 'pkg:deb/a@2?arch=x'),
        licenses: fc.constantFrom([], ['MIT'], ['MIT', 'Zlib']),
      }),
    );
    fc.assert(
      fc.property(list, list, (a, b) => {
        expect(changes(a, a)).toEqual([]);
        const turned = <Value>(pair: { before: Value; now: Value } | null) =>
          pair && { before: pair.now, now: pair.before };
        expect(changes(b, a)).toEqual(
          changes(a, b).map(({ name, before, now, licenses, origins }) => ({
            name,
            before: now,
            now: before,
            licenses: turned(licenses),
            origins: turned(origins),
          })),
        );
      }),
    );
  });
});
