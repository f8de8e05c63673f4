// What devices prove into storage rests on three descriptions of one layout: the comments above the structs, the
// compiler's own report, and the committed file that other packages import. They have to agree.
import { readFileSync } from 'node:fs';
import { deviceAnchorAddress as knownAnchorAddress } from '@firmproof/protocol';
import { describe, expect, test } from 'vitest';
import {
  deviceAnchorAddress,
  deviceAnchorBytecode,
  deviceAnchorStorageLayout,
  p256VerifierAddress,
  releaseRegistryAbi,
  releaseRegistryBytecode,
  releaseRegistryStorageLayout,
  vendorAccountBytecode,
  vendorAccountFactoryBytecode,
  webAuthnVerifierAddress,
} from '../index.ts';
import { rendered } from '../scripts/render.ts';

interface Field {
  label: string;
  slot: number;
  offset: number;
  bytes: number;
}

const byteWidths: Record<string, number> = { bytes32: 32, address: 20, bool: 1 };

function widthOf(type: string): number {
  return byteWidths[type] ?? Number(/^uint(\d+)$/.exec(type)?.[1]) / 8;
}

/** The table in the comment above a struct: `+slot name type [size, offset n] ...`, the slot only where it changes. */
function documentedLayout(struct: string): Field[] {
  const source = readFileSync(new URL('../src/interfaces/IReleaseRegistry.sol', import.meta.url), 'utf8');
  const comment =
    source
      .slice(0, source.indexOf(`struct ${struct} {`))
      .split('}')
      .at(-1) ?? '';
  let slot = 0;
  return comment.split('\n').flatMap((line) => {
    const match =
      /^\/\/\/ {3,}(?:\+(\d))? +(\w+) +(address|bool|bytes32|uint\d+)(?: +(\d+) bytes?, +offset +(\d+))?/.exec(line);
    if (match === null) return [];
    const [, newSlot, label = '', type = '', size, offset] = match;
    slot = newSlot === undefined ? slot : Number(newSlot);
    const bytes = widthOf(type);
    expect(Number(size ?? 32), `${struct}.${label} says its size right`).toBe(bytes);
    return [{ label, slot, offset: Number(offset ?? 0), bytes }];
  });
}

describe('storage layout', () => {
  test.each([
    ['Product', releaseRegistryStorageLayout.product],
    ['Head', releaseRegistryStorageLayout.head],
    ['Release', releaseRegistryStorageLayout.release],
  ] as const)('%s is documented as the compiler lays it out', (struct, compiled) => {
    expect(documentedLayout(struct)).toEqual(compiled);
  });

  test('of the device anchor: everything hangs from slot 0, a batch is one word', () => {
    const { variables, devices, batch } = deviceAnchorStorageLayout;
    expect(variables[0]).toMatchObject({ label: '_devices', slot: 0 });
    expect(devices.map(({ label, slot }) => [label, slot])).toEqual([
      ['batches', 0],
      ['revokedAt', 1],
    ]);
    expect(batch).toEqual([
      { label: 'anchoredAt', slot: 0, offset: 0, bytes: 5 },
      { label: 'count', slot: 0, offset: 5, bytes: 4 },
    ]);
  });

  test('the mappings that devices prove into start at slot 0', () => {
    const slots = releaseRegistryStorageLayout.variables.map(({ label, slot }) => [label, slot]);
    expect(slots.slice(0, 4)).toEqual([
      ['_products', 0],
      ['_heads', 1],
      ['_releases', 2],
      ['_registrations', 3],
    ]);
  });
});

describe('generated code', () => {
  test.each(Object.entries(rendered))('%s is what the compiler makes of the sources now', (name, render) => {
    const committed = readFileSync(new URL(`../generated/${name}`, import.meta.url), 'utf8');
    expect(committed === render(), 'run `npm run build:contracts`').toBe(true);
  });

  test('accounts know the verifiers where the deployment proxy puts them', () => {
    const source = readFileSync(new URL('../src/libraries/Verifiers.sol', import.meta.url), 'utf8').toLowerCase();
    expect(source).toContain(`p256_verifier = ${p256VerifierAddress}`);
    expect(source).toContain(`webauthn_verifier = ${webAuthnVerifierAddress}`);
  });

  test('everybody knows the device anchor where the deployment proxy puts it', () => {
    expect(knownAnchorAddress).toBe(deviceAnchorAddress);
  });

  test('every event has four topics and ends in previousBlock and time', () => {
    const events = releaseRegistryAbi.filter((entry) => entry.type === 'event' && entry.name !== 'EIP712DomainChanged');
    expect(events).toHaveLength(8);
    for (const event of events) {
      const inputs: readonly { name: string; type: string; indexed?: boolean }[] =
        'inputs' in event ? event.inputs : [];
      expect(inputs.map(({ indexed }) => indexed).indexOf(false)).toBe(3);
      expect(inputs.slice(0, 2).map(({ name }) => name)).toEqual(['product', 'sequence']);
      expect(inputs.slice(-2).map(({ name, type }) => [name, type])).toEqual([
        ['previousBlock', 'uint40'],
        ['time', 'uint40'],
      ]);
      expect(inputs.every(({ type }) => type !== 'string' && type !== 'bytes')).toBe(true);
    }
  });

  test.each([
    ['registry', releaseRegistryBytecode],
    ['account', vendorAccountBytecode],
    ['factory', vendorAccountFactoryBytecode],
    ['device anchor', deviceAnchorBytecode],
  ])('the creation code of the %s stays below the size limit of deployed code', (_, bytecode) => {
    expect(bytecode.length / 2 - 1).toBeLessThan(24_576);
  });
});
