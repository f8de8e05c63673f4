import { type Component, componentChanges, maximumComponents, readSbom, sha256 } from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';

const cycloneDx = (components: unknown) => JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', components });
const spdx = (packages: unknown) => JSON.stringify({ spdxVersion: 'SPDX-2.3', packages });
const digestOf = (text: string) => sha256(new TextEncoder().encode(text));

describe('a bill of materials', () => {
  test('in CycloneDX gives its components, each once and in order, and the digest of the file', () => {
    const text = cycloneDx([
      { type: 'library', name: 'zlib', version: '1.3' },
      { type: 'library', name: 'openssl', version: '3.5.0' },
      { type: 'library', name: 'zlib', version: '1.3' },
      { type: 'firmware', name: 'bootloader' },
    ]);
    expect(readSbom(text)).toEqual({
      format: 'cyclonedx',
      digest: digestOf(text),
      components: [
        { name: 'bootloader', version: '' },
        { name: 'openssl', version: '3.5.0' },
        { name: 'zlib', version: '1.3' },
      ],
    });
  });

  test('in SPDX gives its packages', () => {
    const text = spdx([{ SPDXID: 'SPDXRef-1', name: 'busybox', versionInfo: '1.37.0' }]);
    expect(readSbom(text)).toMatchObject({ format: 'spdx', components: [{ name: 'busybox', version: '1.37.0' }] });
  });

  test('with more components than a statement holds is named by its digest alone', () => {
    const many = Array.from({ length: maximumComponents + 1 }, (_, index) => ({ name: `part-${index}`, version: '1' }));
    const text = cycloneDx(many);
    expect(readSbom(text)).toEqual({ format: 'cyclonedx', digest: digestOf(text) });
  });

  test('of another kind is refused, whatever it is', async () => {
    for (const text of ['', '[]', '{}', '{"bomFormat":"Other"}', cycloneDx([{ version: '1' }]), spdx({}), '<bom/>'])
      await expectCode('sbom-malformed', () => readSbom(text));
    await fc.assert(
      fc.asyncProperty(fc.json(), (text) => expectCode('sbom-malformed', () => readSbom(text))),
      {
        numRuns: 200,
      },
    );
  });
});

describe('the changes between two lists', () => {
  const list = fc.array(
    fc.record<Component>({ name: fc.constantFrom('a', 'b', 'c', 'd'), version: fc.constantFrom('1', '2', '') }),
  );

  test('are what comes, what goes and what gets another version', () => {
    const before = [
      { name: 'openssl', version: '3.5.0' },
      { name: 'zlib', version: '1.3' },
      { name: 'same', version: '1' },
    ];
    const now = [
      { name: 'openssl', version: '3.5.1' },
      { name: 'mbedtls', version: '4.0' },
      { name: 'same', version: '1' },
    ];
    expect(componentChanges(before, now)).toEqual([
      { name: 'mbedtls', before: [], now: ['4.0'] },
      { name: 'openssl', before: ['3.5.0'], now: ['3.5.1'] },
      { name: 'zlib', before: ['1.3'], now: [] },
    ]);
  });

  test('are none from a list to itself in any order, and turn around with the lists', () => {
    fc.assert(fc.property(list, (components) => componentChanges(components, components.toReversed()).length === 0));
    fc.assert(
      fc.property(list, list, (one, other) => {
        const back = componentChanges(other, one).map(({ name, before, now }) => ({ name, before: now, now: before }));
        expect(componentChanges(one, other)).toEqual(back);
      }),
    );
  });
});
