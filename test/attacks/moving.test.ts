// A13, A47: trust roots that nobody has made, and the ways to make a device follow one too early.
import { randomBytes, sign } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { addBuildKey, nextDocument, nextTrustRoot } from '@firmproof/client';
import {
  type ErrorCode,
  parseVersion,
  sha256,
  type TrustRoot,
  type TrustRootDocument,
  trustRootPayloadType,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice, type TestDevice } from '../support/device.ts';
import { forgeEvidence } from '../support/forged-state.ts';
import { ed25519Key, envelopeOf, type TestKey } from '../support/keys.ts';
import { freshP256, rotate } from '../support/mover.ts';
import { eventually, stable } from '../support/stack.ts';
import { nameTrustRootDirectly, plantTrustRoot } from '../support/thief.ts';

let arena: Arena;
let rootKey: TestKey;
/** Signed by the root keys, and named by no chain. */
let ahead: TrustRoot;
const thiefs = ed25519Key();

beforeAll(async () => {
  arena = await Arena.open();
  const { rootKey: privateKey, trustRoot } = arena.vendor;
  const publicKey = publicKeyOf(privateKey);
  rootKey = { privateKey, publicKey, sign: (message) => sign(null, message, privateKey).toString('base64') };
  ahead = nextTrustRoot(trustRoot, [addBuildKey(publicKeyOf(freshP256()))], [privateKey]);
});
afterAll(() => arena.close());

const verdictOf = async (device: TestDevice) => (await device.check()).verdict;

describe('A13, A47 a stolen publisher key and a stolen server name trust roots of their own', () => {
  const next = (change: Partial<TrustRootDocument>) => ({ ...nextDocument(arena.vendor.trustRoot, []), ...change });
  const thiefsKeys = () => ({ threshold: 1, keys: [thiefs.publicKey] });

  test.each<[string, ErrorCode, () => [TrustRootDocument, TestKey[]]]>([
    [
      'signed by the old threshold only',
      'trust-root-signature-invalid',
      () => [next({ rootKeys: thiefsKeys() }), [rootKey]],
    ],
    [
      'signed by the new threshold only',
      'trust-root-signature-invalid',
      () => [next({ rootKeys: thiefsKeys() }), [thiefs]],
    ],
    [
      'with another build key, signed by nobody who may',
      'trust-root-signature-invalid',
      () => [next({ buildKeys: [thiefs.publicKey] }), [thiefs]],
    ],
    ['that skips a version', 'trust-root-version', () => [next({ version: 3 }), [rootKey]]],
    ['that goes back a version', 'trust-root-mismatch', () => [next({ version: 1 }), [rootKey]]],
    ['for the same product on another chain', 'trust-root-mismatch', () => [next({ chainId: 1 }), [rootKey]]],
  ])('one %s: %s', async (_what, code, make) => {
    const { stack, vendor } = arena;
    const [document, keys] = make();
    const envelope = envelopeOf(
      JSON.stringify({ ...document, salt: randomBytes(8).toString('hex') }),
      trustRootPayloadType,
      keys,
    );
    const named = plantTrustRoot(stack.directory, envelope, vendor.trustRoot.digest);
    await nameTrustRootDirectly(
      { server: stack, directory: stack.directory, vendor: vendor.vendor },
      vendor.product,
      named,
    );
    await eventually(
      () => arena.evidence(),
      ({ trustRoots }) => trustRoots.some(({ payload }: { payload: string }) => payload === envelope.payload),
      'evidence of it',
    );
    await arena.resists(code, () => arena.device.install());
  });

  test('one that no server has: the way there is missing', async () => {
    const { stack, vendor } = arena;
    const before = await arena.evidence();
    await nameTrustRootDirectly(
      { server: stack, directory: stack.directory, vendor: vendor.vendor },
      vendor.product,
      sha256(randomBytes(9)),
    );
    // The server cannot make evidence of it, and goes on with what it had.
    expect(await arena.evidence()).toEqual(before);
    await nameTrustRootDirectly(
      { server: stack, directory: stack.directory, vendor: vendor.vendor },
      vendor.product,
      vendor.trustRoot.digest,
    );
    await arena.offers('2.0.0');
  });
});

describe('A47 a trust root ahead of the chain', () => {
  test('is not adopted, however well it is signed: what the chain names is what counts', async () => {
    const told = { ...(await arena.evidence()), trustRoots: [ahead.envelope] };
    const { verdict } = await arena.liar.lying({ evidence: () => told }, () => arena.device.check());
    expect(verdict).toMatchObject({ outcome: 'update', release: { version: '2.0.0' } });
    expect(await arena.device.status()).toMatchObject({ trustRootVersion: 1 });
  });

  /** A server that says that the product has moved, and has the roots to prove it. */
  const offering =
    (...roots: readonly TrustRoot[]) =>
    (request: IncomingMessage, response: ServerResponse) => {
      const items = roots.map(({ envelope }) => envelope);
      if (request.url?.includes('/trust-roots')) response.writeHead(200).end(JSON.stringify({ items }));
      else response.writeHead(410).end('{}');
      return true;
    };

  test('is not adopted because a server says that the product has moved', async () => {
    await arena.resists('trust-root-ahead', () =>
      arena.liar.lying({ answer: offering(ahead) }, () => arena.device.install()),
    );
  });

  test.each(['0', '4102444800000'])('is not adopted because the wall clock says %s', async (milliseconds) => {
    const lying = `data:text/javascript,Date.now=()=>${milliseconds};`;
    const before = await arena.device.fingerprint();
    const { code, stdout } = await arena.liar.lying({ answer: offering(ahead) }, () =>
      runCommand(firmproofAgent, ['check', '--config', arena.device.configFile, '--json'], {
        NODE_OPTIONS: `--import=${lying}`,
      }),
    );
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'unproven', code: 'trust-root-ahead' });
    expect(code).toBe(20);
    expect(await arena.device.fingerprint()).toEqual(before);
  });

  test('is not adopted because the image was built late: silence is counted, not computed from dates', async () => {
    const late = makeDevice(arena.vendor.trustRoot, [arena.liar.url], {
      image: { version: '0.0.1', rollbackIndex: 0, buildTimeSeconds: 4_000_000_000 },
    });
    try {
      await arena.resists(
        'trust-root-ahead',
        () => arena.liar.lying({ answer: offering(ahead) }, () => late.install()),
        late,
      );
    } finally {
      late.destroy();
    }
  });

  test('is not adopted because lying witnesses let time jump; and 90 days later the liars are outlived', async () => {
    const { vendor, liar, stack } = arena;
    const device = makeDevice(vendor.trustRoot, [liar.url]);
    try {
      const farSeconds = Math.floor(Date.now() / 1000) + 200 * 86_400;
      const release = (await arena.evidence()).release;
      const state = {
        trustRoot: vendor.trustRoot,
        channel: stable,
        version: parseVersion('2.0.0'),
        ...release,
        sequence: 9_000_000,
      };
      const lie = await forgeEvidence(state, farSeconds, arena.cosign(1, 2));
      await liar.lying({ evidence: () => lie }, () => device.check());
      expect(await device.status()).toMatchObject({
        sequence: 9_000_000,
        trustedTime: expect.stringMatching(/^202[7-9]/),
      });
      await arena.resists(
        'trust-root-ahead',
        () => liar.lying({ answer: offering(ahead) }, () => device.install()),
        device,
      );
      expect(await verdictOf(device)).toMatchObject({ outcome: 'unproven', code: 'stale' });

      // The vendor lets the liars go. What they left on the device bars the way of the chain, for 90 days.
      const honest = vendor.trustRoot.witnesses.members.filter(({ operator }) => operator === 'witness-3');
      const witnesses = { quorum: 1, members: honest };
      const cured = await rotate(
        stack,
        vendor,
        vendor.trustRoot,
        [(document) => ({ ...document, witnesses })],
        [vendor.rootKey],
      );
      await eventually(
        () => arena.evidence(),
        ({ trustRoots }) => trustRoots.length === 1,
        'the new root',
      );
      device.sleep(89);
      expect(await verdictOf(device)).toMatchObject({ outcome: 'unproven', code: 'stale' });
      expect(await device.status()).toMatchObject({ trustRootVersion: 1 });
      device.sleep(2);
      expect(await device.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
      expect(await device.status()).toMatchObject({ trustRootVersion: cured.version, daysInSilence: 0 });
    } finally {
      device.destroy();
    }
  });

  test('an older trust root that is named again is not gone back to', async () => {
    const { stack, vendor, device } = arena;
    expect(await verdictOf(device)).toMatchObject({ outcome: 'update' });
    expect(await device.status()).toMatchObject({ trustRootVersion: 2 });
    await nameTrustRootDirectly(
      { server: stack, directory: stack.directory, vendor: vendor.vendor },
      vendor.product,
      vendor.trustRoot.digest,
    );
    await eventually(
      () => arena.evidence(),
      ({ trustRoots }) => trustRoots.length === 0,
      'evidence of the old root',
    );
    await arena.resists('trust-root-mismatch', () => device.install());
    await arena.resists('sequence-rollback', () =>
      arena.liar.lying({ evidence: () => arena.old }, () => device.install()),
    );
  });
});
