import {
  changesWitnesses,
  nextTrustRootInSilence,
  silenceSeconds,
  type TrustRoot,
  walkTrustRoot,
} from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { trustRootOf } from '../../support/documents.ts';
import { expectCode } from '../../support/expect-code.ts';
import { ed25519Key } from '../../support/keys.ts';

const keys = Array.from({ length: 6 }, ed25519Key);
const keyAt = (index: number) => {
  const key = keys[index];
  if (key === undefined) throw new Error('no such key');
  return key;
};
const elsewhere = { chainId: 2, registry: `0x${'ee'.repeat(20)}`, product: `0x${'ef'.repeat(32)}` };
const buildKeys = [ed25519Key().publicKey];
const witnesses = { quorum: 1, members: [{ operator: 'a', publicKey: keyAt(0).publicKey }] };

/** Five versions; each has a root key of its own and is signed by it and the one before; the last is for another place. */
const chain: readonly TrustRoot[] = [1, 2, 3, 4, 5].map((version) =>
  trustRootOf(
    {
      version,
      buildKeys,
      witnesses,
      rootKeys: { threshold: 1, keys: [keyAt(version).publicKey] },
      ...(version === 5 && elsewhere),
    },
    version === 1 ? [keyAt(1)] : [keyAt(version), keyAt(version - 1)],
  ),
);
const at = (version: number): TrustRoot => {
  const root = chain[version - 1];
  if (root === undefined) throw new Error('no such version');
  return root;
};
const envelopes = (...versions: readonly number[]) => versions.map((version) => at(version).envelope);
const version = fc.integer({ min: 1, max: 5 });

describe('a walk that the chain leads', () => {
  test('ends where the chain is, from wherever it starts, and never ahead of it', () => {
    fc.assert(
      fc.property(version, version, (held, named) => {
        fc.pre(held <= named);
        expect(walkTrustRoot(at(held), envelopes(1, 2, 3, 4, 5), at(named).digest).version).toBe(named);
      }),
    );
  });

  test('checks no signature of roots that lie behind: a thousand of them cost nothing', () => {
    const unsigned = { ...at(1).envelope, signatures: [{ sig: 'AAAA', keyid: '' }] };
    const steps = [...Array.from({ length: 1000 }, () => unsigned), ...envelopes(2)];
    expect(walkTrustRoot(at(1), steps, at(2).digest).version).toBe(2);
  });

  test('goes no way that lacks a step, and none back', async () => {
    await expectCode('trust-root-version', () => walkTrustRoot(at(1), envelopes(2, 4), at(4).digest));
    await expectCode('trust-root-mismatch', () => walkTrustRoot(at(1), envelopes(2, 3), at(4).digest));
    await expectCode('trust-root-mismatch', () => walkTrustRoot(at(3), envelopes(1, 2, 3), at(2).digest));
  });
});

describe('a step in silence', () => {
  test('is one step, after 90 days and not a second before', () => {
    fc.assert(
      fc.property(version, fc.double({ min: 0, max: 2 * silenceSeconds, noNaN: true }), (held, seconds) => {
        fc.pre(held < 5);
        const step = () => nextTrustRootInSilence(at(held), envelopes(1, 2, 3, 4, 5), seconds);
        if (seconds < silenceSeconds) expect(step).toThrow(/90 days/);
        else expect(step()?.version).toBe(held + 1);
      }),
    );
    expect(nextTrustRootInSilence(at(5), envelopes(1, 2, 3, 4, 5), silenceSeconds)).toBeNull();
  });

  test('takes the signatures of both, like any other', async () => {
    const take = (root: TrustRoot) => nextTrustRootInSilence(at(1), [root.envelope], silenceSeconds);
    const rootKeys = { threshold: 1, keys: [keyAt(5).publicKey] };
    await expectCode('trust-root-signature-invalid', () => take(trustRootOf({ version: 2, rootKeys }, [keyAt(5)])));
    await expectCode('trust-root-version', () => take(at(3)));
    const { chainId } = elsewhere;
    const torn = trustRootOf({ version: 2, chainId, rootKeys }, [keyAt(5), keyAt(1)]);
    await expectCode('trust-root-mismatch', () => take(torn));
  });

  test('starts counters and time again only where place or witnesses change', () => {
    expect(changesWitnesses(at(1), at(2))).toBe(false);
    expect(changesWitnesses(at(4), at(5))).toBe(true);
    const others = { quorum: 1, members: [{ operator: 'b', publicKey: keyAt(0).publicKey }] };
    expect(changesWitnesses(at(1), trustRootOf({ witnesses: others }, [keyAt(0)]))).toBe(true);
  });
});
