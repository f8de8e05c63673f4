// A29, A30: signatures that are right, about something else; releases and keys that are no longer good.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { signAction, signTrustRoot } from '@firmproof/client';
import {
  type ActionMessage,
  attestationMediaType,
  bytes32OfDigest,
  type ErrorCode,
  keyIdOf,
  parseVersion,
  preAuthenticationEncoding,
  predicateType,
  sha256,
  statementPayloadType,
  statementType,
  type TrustRoot,
} from '@firmproof/protocol';
import { type ImportedImage, publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { makeDevice } from '../support/device.ts';
import { eventually, stable } from '../support/stack.ts';

let arena: Arena;
beforeAll(async () => {
  arena = await Arena.open();
});
afterAll(() => arena.close());

type Confusion = {
  readonly payloadType?: string;
  readonly keyid?: string;
  readonly statement?: (statement: ReturnType<typeof statementOf>) => object;
  readonly payload?: Buffer;
  readonly rollbackIndex?: number;
  readonly spoil?: boolean;
};

const statementOf = (image: ImportedImage, version: string) => ({
  _type: statementType,
  subject: [{ name: 'image.bin', digest: { sha256: image.digest as string } }],
  predicateType,
  predicate: arena.predicate(image, version),
});

/** An attestation by the vendor's own build key, well signed, with one thing confused. */
function confused(image: ImportedImage, version: string, confusion: Confusion): string {
  const { buildKey } = arena.vendor;
  const statement = statementOf(image, version);
  const payload = confusion.payload ?? Buffer.from(JSON.stringify(confusion.statement?.(statement) ?? statement));
  const payloadType = confusion.payloadType ?? statementPayloadType;
  const signature = sign('sha256', preAuthenticationEncoding(payloadType, payload), buildKey);
  if (confusion.spoil) signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
  const hint = keyIdOf(publicKeyOf(buildKey));
  return JSON.stringify({
    mediaType: attestationMediaType,
    verificationMaterial: { publicKey: { hint } },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: signature.toString('base64'), keyid: confusion.keyid ?? hint }],
    },
  });
}

describe('A29 attestation confusion', () => {
  const otherKey = keyIdOf(publicKeyOf(generateKeyPairSync('ed25519').privateKey));
  const cases: readonly (readonly [string, ErrorCode, Confusion])[] = [
    ['a wrong payload type', 'attestation-payload-type', { payloadType: 'application/json' }],
    ['another keyid than hint', 'attestation-keyid-mismatch', { keyid: otherKey }],
    ['a spoilt signature', 'attestation-signature-invalid', { spoil: true }],
    [
      'another statement type',
      'statement-type',
      { statement: (s) => ({ ...s, _type: 'https://in-toto.io/Statement/v0.1' }) },
    ],
    [
      'another predicate type',
      'statement-predicate-type',
      { statement: (s) => ({ ...s, predicateType: 'https://slsa.dev/provenance/v1' }) },
    ],
    ['no JSON at all', 'statement-malformed', { payload: Buffer.from('firmware') }],
    ['two subjects', 'statement-malformed', { statement: (s) => ({ ...s, subject: [...s.subject, ...s.subject] }) }],
    [
      'another subject',
      'statement-subject',
      { statement: (s) => ({ ...s, subject: [{ name: 'x', digest: { sha256: sha256(randomBytes(4)) } }] }) },
    ],
    [
      'another product',
      'statement-product',
      { statement: (s) => ({ ...s, predicate: { ...s.predicate, product: `0x${'12'.repeat(32)}` } }) },
    ],
    [
      'another version',
      'statement-version',
      { statement: (s) => ({ ...s, predicate: { ...s.predicate, version: '99.0.0' } }) },
    ],
    [
      'another rollback index',
      'statement-rollback-index',
      { statement: (s) => ({ ...s, predicate: { ...s.predicate, rollbackIndex: 1 } }) },
    ],
  ];

  test.each(cases)('%s: %s', async (_, code, confusion) => {
    const version = `3.0.${cases.findIndex((one) => one[2] === confusion)}`;
    const image = await arena.imported(randomBytes(600));
    await arena.recordPastTheServer(version, image, confused(image, version, confusion));
    await arena.seen(code);
    await arena.resists(code, () => arena.device.install());
  });

  test('a size that is not the image’s is found out when the bytes arrive', async () => {
    const bytes = randomBytes(600);
    const image = await arena.imported(bytes);
    const version = '3.1.0';
    const smaller: Confusion = {
      statement: (s) => ({ ...s, predicate: { ...s.predicate, image: { ...s.predicate.image, sizeBytes: 599 } } }),
    };
    await arena.recordPastTheServer(version, image, confused(image, version, smaller));
    await arena.offers('3.1.0');
    const block = () => bytes;
    const answer = (request: { url?: string | undefined }, response: import('node:http').ServerResponse) => {
      if (!request.url?.startsWith('/ipfs/')) return false;
      response.writeHead(200).end(block());
      return true;
    };
    await arena.resists('image-size-mismatch', () => arena.liar.lying({ answer }, () => arena.device.install()));
  });
});

async function configure(change: (document: TrustRoot) => object): Promise<TrustRoot> {
  const { vendor, wallet, product, rootKey, trustRoot } = arena.vendor;
  const document = JSON.parse(Buffer.from(trustRoot.envelope.payload, 'base64').toString());
  const next = signTrustRoot({ ...document, version: 2, ...change(trustRoot) }, [rootKey]);
  const { publisher, guardian, delaySeconds, epoch } = await vendor.client.product(product);
  const message: ActionMessage<'Configure'> = {
    product,
    publisher,
    guardian,
    delay: delaySeconds,
    trustRoot: bytes32OfDigest(next.digest),
    epoch,
    deadline: Math.floor(Date.now() / 1000) + 3600,
  };
  const signature = await signAction(wallet, vendor.info, 'Configure', message);
  await vendor.client.follow((await vendor.client.configure(message, signature, next.envelope)).id);
  await vendor.client.follow((await vendor.client.applyConfiguration(message)).id);
  return next;
}

describe('A30 revoked', () => {
  test('a release that is revoked during its download is not activated', async () => {
    await arena.vendor.publish('4.0.0', randomBytes(2_500_000));
    await arena.vendor.promote('4.0.0');
    await arena.offers('4.0.0');
    const { vendor, product } = arena.vendor;
    const revoked = makeDevice(arena.vendor.trustRoot, [arena.stack.url]);
    await revoked.check();
    let revocation: Promise<void> | undefined;
    const before = await arena.device.fingerprint();
    // The first block stays under way until the revocation is in the evidence.
    const result = await arena.liar.lying(
      {
        answer(request, response) {
          if (!request.url?.startsWith('/ipfs/') || revocation !== undefined) return false;
          revocation = vendor
            .revoke(product, parseVersion('4.0.0'))
            .then(({ id }) => vendor.client.follow(id))
            .then(() => arena.seen('head-revoked', revoked))
            .then(() => fetch(`${arena.stack.url}${request.url}`))
            .then(
              async (answer) => void response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer())),
            );
          return true;
        },
      },
      () => arena.device.install(),
    );
    await revocation;
    revoked.destroy();
    expect(result).toMatchObject({ outcome: 'waiting', code: 'head-revoked' });
    expect(await arena.device.fingerprint()).toMatchObject({ ...before, sequence: expect.any(Number) });
  });

  test('from then on it is refused at the first check; what runs keeps running', async () => {
    const device = makeDevice(arena.vendor.trustRoot, [arena.stack.url]);
    try {
      await device.check();
      await arena.resists('head-revoked', () => device.install(), device);
      expect((await arena.device.status()).installed.version).toBe('1.0.0');
    } finally {
      device.destroy();
    }
  });

  test('a dropped build key is refused, but for the attestations that the new root lists', async () => {
    const oldImage = randomBytes(700);
    await arena.vendor.publish('5.0.0', oldImage);
    await arena.vendor.publish('5.0.1', randomBytes(700));
    await arena.vendor.promote('5.0.1');
    await arena.offers('5.0.1');
    const listed = await arena.vendor.vendor.client.release(arena.vendor.product, parseVersion('5.0.0'));
    await configure(() => ({
      buildKeys: [publicKeyOf(generateKeyPairSync('ed25519').privateKey)],
      acceptedAttestations: [listed.attestation],
    }));
    await arena.seen('attestation-key-unknown');
    await arena.resists('attestation-key-unknown', () => arena.device.install());
    expect((await arena.device.status()).trustRootVersion).toBe(2);
    await arena.vendor.promote('5.0.0');
    await eventually(
      async () => (await arena.vendor.vendor.client.channel(arena.vendor.product, stable)).version,
      (version) => version === '5.0.0',
      'the promotion',
    );
    await arena.offers('5.0.0');
    expect(await arena.device.install()).toMatchObject({ outcome: 'installed', version: '5.0.0' });
    expect(arena.device.running()).toBe(sha256(oldImage));
  });
});
