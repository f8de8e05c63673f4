import {
  blockStatementBytes,
  countSigners,
  isFirmproofError,
  parseAttestation,
  parseEvidence,
  parseStatement,
  parseTrustRoot,
  parseWitnessedBlock,
  verifySignature,
  vouchingOperators,
  walkTrustRoot,
} from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attestationOf, statementOf, trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key, envelopeOf, p256Key } from '../../support/keys.ts';

describe('hostile bytes', () => {
  const parsers = {
    parseAttestation,
    parseEvidence,
    parseTrustRoot,
    parseWitnessedBlock,
    parseStatement: (text: string) => parseStatement(Buffer.from(text)),
  };
  const hostile = fc.oneof(
    fc.string({ maxLength: 400 }),
    fc.json({ maxDepth: 6 }),
    fc.constant('['.repeat(100_000)),
    fc.constant(`{"__proto__":{"x":1},"constructor":{}}`),
  );
  test.each(Object.entries(parsers))('%s refuses them with a typed error', (_name, parse) => {
    fc.assert(
      fc.property(hostile, (text) => {
        try {
          parse(text);
        } catch (error) {
          expect(isFirmproofError(error), String(error)).toBe(true);
          return;
        }
        throw new Error('accepted');
      }),
      { numRuns: 300 },
    );
  });

  test('a genuine document with any one byte changed never verifies as genuine', () => {
    const key = p256Key();
    const { text } = attestationOf(statementOf({}), key);
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), fc.integer({ min: 33, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        if (changed === text) return;
        try {
          const attestation = parseAttestation(changed);
          if (countSigners(attestation.envelope, [key.publicKey]) === 1) {
            expect(attestation.statement).toEqual(parseAttestation(text).statement);
          }
        } catch (error) {
          expect(isFirmproofError(error), String(error)).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('sizes are bounded before anything is parsed', async () => {
    await expectCode('evidence-malformed', () => parseEvidence(' '.repeat(5 * 1024 * 1024)));
    await expectCode('attestation-malformed', () => parseAttestation(' '.repeat(200 * 1024)));
  });
});

describe('signatures', () => {
  test.each([
    ['Ed25519', ed25519Key],
    ['P-256', p256Key],
  ] as const)('%s verifies only its own message and key', (_name, make) => {
    const [key, other] = [make(), make()];
    const message = Buffer.from('message');
    const signature = Buffer.from(key.sign(message), 'base64');
    expect(verifySignature(key.publicKey, message, signature)).toBe(true);
    expect(verifySignature(other.publicKey, message, signature)).toBe(false);
    expect(verifySignature(key.publicKey, Buffer.from('massage'), signature)).toBe(false);
    expect(verifySignature(key.publicKey, message, signature.subarray(1))).toBe(false);
    expect(verifySignature(key.publicKey, message, new Uint8Array())).toBe(false);
  });

  test('one key counts once, however often it has signed (A12)', () => {
    const [one, two] = [p256Key(), p256Key()];
    const keys = [one.publicKey, two.publicKey];
    expect(countSigners(envelopeOf('x', 't', [one, one, one]), keys)).toBe(1);
    expect(countSigners(envelopeOf('x', 't', [one, two]), keys)).toBe(2);
    expect(countSigners(envelopeOf('x', 't', [p256Key()]), keys)).toBe(0);
  });
});

describe('trust roots', () => {
  test('are signed by their own threshold', async () => {
    const [one, two] = [ed25519Key(), ed25519Key()];
    const rootKeys = { threshold: 2, keys: [one.publicKey, two.publicKey] };
    expect(trustRootOf({ rootKeys }, [one, two]).version).toBe(1);
    await expectCode('trust-root-signature-invalid', () => trustRootOf({ rootKeys }, [one, one]));
  });

  test.each([
    [
      'quorum above the operators',
      { witnesses: { quorum: 2, members: [{ operator: 'a', publicKey: ed25519Key().publicKey }] } },
    ],
    ['no build key', { buildKeys: [] }],
    ['a threshold of zero', { rootKeys: { threshold: 0, keys: [ed25519Key().publicKey] } }],
  ])('with %s are refused', async (_name, change) => {
    await expectCode('trust-root-malformed', () => trustRootOf(change, [ed25519Key()]));
  });

  test('are walked step by step, signed by the old and the new keys', async () => {
    const [old, fresh] = [ed25519Key(), ed25519Key()];
    const keysOf = (key: typeof old) => ({ rootKeys: { threshold: 1, keys: [key.publicKey] } });
    const first = trustRootOf(keysOf(old), [old]);
    const second = trustRootOf({ ...keysOf(fresh), version: 2 }, [old, fresh]);
    const third = trustRootOf({ ...keysOf(fresh), version: 3 }, [fresh]);
    expect(walkTrustRoot(first, [second.envelope, third.envelope], third.digest).version).toBe(3);
    expect(walkTrustRoot(first, [second.envelope, third.envelope], second.digest).version).toBe(2);
    await expectCode('trust-root-version', () => walkTrustRoot(first, [third.envelope], third.digest));
    await expectCode('trust-root-mismatch', () => walkTrustRoot(first, [], third.digest));
    const stolen = trustRootOf({ ...keysOf(fresh), version: 2 }, [fresh]);
    await expectCode('trust-root-signature-invalid', () => walkTrustRoot(first, [stolen.envelope], stolen.digest));
  });
});

describe('attestations (A29)', () => {
  const key = p256Key();
  test('need the in-toto payload type', async () => {
    await expectCode('attestation-payload-type', () =>
      attestationOf(statementOf({}), key, { payloadType: 'text/plain' }),
    );
  });
  test('need a keyid that equals the hint', async () => {
    await expectCode('attestation-keyid-mismatch', () => attestationOf(statementOf({}), key, { hint: 'AAAA' }));
  });
  test('need the predicate type of a release', async () => {
    const statement = { ...statementOf({}), predicateType: 'https://slsa.dev/provenance/v1' };
    await expectCode('statement-predicate-type', () => attestationOf(statement, key));
    await expectCode('statement-type', () => attestationOf({ ...statementOf({}), _type: 'x' }, key));
  });
});

describe('witnesses', () => {
  const block = {
    chainId: 1,
    number: 7,
    hash: `0x${'1'.repeat(64)}`,
    stateRoot: `0x${'2'.repeat(64)}`,
    timestamp: 9,
  } as never;
  test('sign 192 bytes', () => {
    expect(blockStatementBytes(block)).toHaveLength(192);
    expect(Buffer.from(blockStatementBytes(block)).toString('latin1', 0, 32)).toBe('firmproof.dev/block-statement/v1');
  });
  test('are counted by operator', () => {
    const [a1, a2, b] = [ed25519Key(), ed25519Key(), ed25519Key()];
    const members = [
      { operator: 'a', publicKey: a1.publicKey },
      { operator: 'a', publicKey: a2.publicKey },
      { operator: 'b', publicKey: b.publicKey },
    ];
    const cosign = (key: typeof a1) => ({ publicKey: key.publicKey, signature: key.sign(blockStatementBytes(block)) });
    expect(vouchingOperators(block, [cosign(a1), cosign(a2)], { quorum: 2, members }).size).toBe(1);
    expect(vouchingOperators(block, [cosign(a1), cosign(b)], { quorum: 2, members }).size).toBe(2);
    expect(
      vouchingOperators(block, [{ ...cosign(a1), signature: cosign(b).signature }], { quorum: 2, members }).size,
    ).toBe(0);
  });
});
