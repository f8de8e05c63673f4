import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Address,
  noEntryBefore,
  type ServerLogEntry,
  ServerLogVerifier,
  serverLogEntrySchema,
  serverLogHash,
} from '../../../protocol/src/index.ts';
import { expectCode } from '../../support/expect-code.ts';

const owner = `0x${'22'.repeat(20)}` as Address;

function logOf(length: number): ServerLogEntry[] {
  const entries: ServerLogEntry[] = [];
  for (let index = 0; index < length; index += 1) {
    const unhashed = {
      index,
      time: 1_800_000_000 + index,
      actor: 'server',
      action: 'login' as const,
      subject: `s${index}`,
      details: { b: index, a: 'x', c: true },
      previous: entries.at(-1)?.hash ?? noEntryBefore,
    };
    entries.push(serverLogEntrySchema.parse({ ...unhashed, hash: serverLogHash(owner, unhashed) }));
  }
  return entries;
}

function takeAll(entries: readonly ServerLogEntry[], verifier = new ServerLogVerifier(owner)) {
  for (const entry of entries) verifier.take(entry);
  verifier.finish();
  return verifier.head;
}

describe('the log of a server', () => {
  test('has the canonical form of the specification (L3)', () => {
    const [first] = logOf(1);
    // sha256sum of: ["firmproof-server-log-v1","0x2222…",0,1800000000,"server","login","s0",[["a","x"],["b",0],["c",true]],"000…"]
    expect(first?.hash).toBe('a907a3362983e21675619e290c785f40896fb01d081369ffe35be9c878726d86');
  });

  test('that is genuine verifies, from the beginning or from what was seen, in any order of details', () => {
    const entries = logOf(6);
    expect(takeAll(entries)?.index).toBe(5);
    const { index, hash } = entries[2] as ServerLogEntry;
    expect(
      takeAll(
        entries.slice(3),
        new ServerLogVerifier(owner, { index, hash }, [{ index: 5, hash: entries[5]?.hash as never }]),
      )?.index,
    ).toBe(5);
    const turned = { ...(entries[0] as ServerLogEntry), details: { c: true, a: 'x', b: 0 } };
    expect(takeAll([turned])?.hash).toBe(turned.hash);
  });

  test('in which anything is changed, left out, doubled or exchanged is found out', () => {
    const entries = logOf(8);
    const head = { index: 7, hash: entries[7]?.hash as never };
    const change = fc.oneof(
      fc.record({ field: fc.constantFrom('time', 'actor', 'action', 'subject', 'details', 'previous'), at: fc.nat(7) }),
      fc.record({ field: fc.constantFrom('omit', 'double', 'swap'), at: fc.nat(6) }),
    );
    fc.assert(
      fc.property(change, ({ field, at }) => {
        const forged = structuredClone(entries);
        const entry = forged[at] as ServerLogEntry;
        if (field === 'omit') forged.splice(at, 1);
        else if (field === 'double') forged.splice(at, 0, entry);
        else if (field === 'swap') forged.splice(at, 2, forged[at + 1] as ServerLogEntry, entry);
        else
          Object.assign(entry, {
            [field]: {
              time: 1,
              actor: 'anybody',
              action: 'token-made',
              subject: 'y',
              details: {},
              previous: head.hash,
            }[field],
          });
        expect(() => takeAll(forged, new ServerLogVerifier(owner, null, [head]))).toThrow(
          expect.objectContaining({
            code: 'server-log-rewritten',
            details: { index: field === 'double' ? at + 1 : at },
          }),
        );
      }),
    );
  });

  test('that belongs to somebody else, or ends before what was seen, is refused', async () => {
    const entries = logOf(3);
    const other = `0x${'33'.repeat(20)}` as Address;
    await expectCode('server-log-rewritten', () => takeAll(entries, new ServerLogVerifier(other)));
    const seen = { index: 5, hash: logOf(6)[5]?.hash as never };
    await expectCode('server-log-rewritten', () => takeAll(entries, new ServerLogVerifier(owner, null, [seen])));
    await expectCode(
      'server-log-rewritten',
      () => new ServerLogVerifier(owner, null, [seen, { ...seen, hash: noEntryBefore }]),
    );
  });
});
