import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { buildStatement, FirmproofClient, signAction, signAttestation } from '@firmproof/client';
import {
  type ActionMessage,
  attestationDigest,
  bytes32OfDigest,
  parseAddress,
  parseProductId,
  parseVersion,
} from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectCode } from '../support/expect-code.ts';
import { boundary, multipart, problemOf } from '../support/http.ts';
import { destroyStack, makeVendor, type Stack, startStack } from '../support/stack.ts';
import { type Upload, Uploader } from '../support/upload.ts';

let stack: Stack;
let uploader: Uploader;
let good: Upload;

beforeAll(async () => {
  stack = await startStack(undefined, { FIRMPROOF_MAXIMUM_IMAGE_BYTES: '2000000' });
  uploader = await Uploader.open(stack, await makeVendor(stack));
  good = await uploader.prepare('1.0.0');
});
afterAll(() => destroyStack(stack));

const code = async (response: Promise<Response>) => (await problemOf(await response)).code;
const image = (bytes: Buffer = good.bytes) => ['image', bytes, true] as const;
const attestation = (text = good.attestation) => ['attestation', text] as const;
const approval = (text = good.approval) => ['approval', text] as const;

/** Nothing of a refused upload may stay. */
async function refused(expected: string, response: Promise<Response>): Promise<void> {
  const before = uploader.blocks();
  expect(await code(response)).toBe(expected);
  expect(uploader.blocks()).toBe(before);
  expect((await fetch(`${stack.url}/healthz`)).ok).toBe(true);
}

describe('multipart', () => {
  test.each([
    ['no attestation', 'upload-part-missing', () => [approval(), image()]],
    ['no approval', 'upload-part-missing', () => [attestation(), image()]],
    ['no image', 'upload-part-missing', () => [attestation(), approval()]],
    ['nothing', 'upload-part-missing', () => []],
    ['the image first', 'upload-part-missing', () => [image(), attestation(), approval()]],
    ['the attestation twice', 'upload-part-unexpected', () => [attestation(), attestation(), approval(), image()]],
    ['two images', 'upload-part-unexpected', () => [attestation(), approval(), image(), image()]],
    [
      'an unknown part',
      'upload-part-unexpected',
      () => [attestation(), approval(), ['notes', 'hello'] as const, image()],
    ],
    [
      'a file under another name',
      'upload-part-unexpected',
      () => [attestation(), approval(), ['firmware', good.bytes, true] as const],
    ],
    [
      'an oversized attestation',
      'upload-part-unexpected',
      () => [attestation('x'.repeat(200_000)), approval(), image()],
    ],
    ['an empty image', 'image-empty', () => [attestation(), approval(), image(Buffer.alloc(0))]],
  ] as const)('%s: %s', (_, expected, parts) => refused(expected, uploader.send(multipart(parts()))));

  test('another content type', () =>
    refused('upload-malformed', uploader.send('{}', { 'content-type': 'application/json' })));

  test('no boundary', () => refused('upload-malformed', uploader.send('x', { 'content-type': 'multipart/form-data' })));

  test('an end that is missing', () =>
    refused('upload-truncated', uploader.send(multipart([attestation(), approval(), image()], false))));

  test('an image larger than the server takes, announced or not', async () => {
    const large = multipart([attestation(), approval(), image(Buffer.alloc(2_600_000))]);
    await refused('image-too-large', uploader.send(large));
    const slightlyLarge = multipart([attestation(), approval(), image(Buffer.alloc(2_000_001))]);
    await refused('image-too-large', uploader.send(slightlyLarge));
    const { bytes } = good;
    const unannounced = new ReadableStream({
      start(controller) {
        controller.enqueue(
          multipart([attestation(), approval(), image(Buffer.concat([bytes, Buffer.alloc(2_000_001)]))]),
        );
        controller.close();
      },
    });
    await refused('image-too-large', uploader.send(unannounced));
  });
});

describe('what is in the parts', () => {
  const upload = (parts: { attestation?: string; approval?: string; bytes?: Buffer }) =>
    uploader.send(multipart([attestation(parts.attestation), approval(parts.approval), image(parts.bytes)]));

  async function signed(change: Partial<ActionMessage<'Publish'>>, domain = stack.info): Promise<string> {
    const message = { ...good.message, ...change };
    const signature = await signAction(uploader.vendor.wallet, domain, 'Publish', message);
    return JSON.stringify({ message, signature });
  }

  async function attested(change: object, key = uploader.vendor.buildKey) {
    const { product } = uploader.vendor;
    const { digest, cid, sizeBytes } = good.image;
    const predicate = {
      product,
      version: good.message.version,
      image: { cid, sizeBytes },
      rollbackIndex: 0,
      hardware: ['*'],
      precursors: ['*'] as never[],
      ...change,
    };
    const text = await signAttestation(buildStatement('image.bin', digest, predicate), key);
    return { attestation: text, approval: await signed({ attestation: bytes32OfDigest(attestationDigest(text)) }) };
  }

  test('other bytes than the statement is about', () =>
    refused('statement-subject', upload({ bytes: randomBytes(5000) })));

  test('an attestation that is no JSON', () => refused('attestation-malformed', upload({ attestation: 'hello' })));

  test('an attestation by a key outside the trust root', async () => {
    await refused('attestation-key-unknown', upload(await attested({}, generateKeyPairSync('ed25519').privateKey)));
  });

  test('a statement for another version, another size, another CID, another product, another rollback index', async () => {
    await refused('statement-version', upload(await attested({ version: '9.9.9' })));
    await refused('statement-size', upload(await attested({ image: { cid: good.image.cid, sizeBytes: 4999 } })));
    const other = await uploader.prepare('1.5.0');
    await refused('statement-cid', upload(await attested({ image: { cid: other.image.cid, sizeBytes: 5000 } })));
    await refused('statement-product', upload(await attested({ product: `0x${'33'.repeat(32)}` })));
    await refused('statement-rollback-index', upload(await attested({ rollbackIndex: 1 })));
  });

  test('an approval that is no approval', () => refused('approval-malformed', upload({ approval: '{"message":{}}' })));

  test('an approval for another chain, registry, product, version, attestation or epoch, and an expired one', async () => {
    await refused('approval-invalid', upload({ approval: await signed({}, { ...stack.info, chainId: 1 }) }));
    const registry = parseAddress(`0x${'44'.repeat(20)}`);
    await refused('approval-invalid', upload({ approval: await signed({}, { ...stack.info, registry }) }));
    const product = parseProductId(`0x${'55'.repeat(32)}`);
    await refused('approval-invalid', upload({ approval: await signed({ product }) }));
    await refused('statement-version', upload({ approval: await signed({ version: parseVersion('7.7.7') }) }));
    const attestationOfOther = { attestation: bytes32OfDigest(good.image.digest) };
    await refused('approval-invalid', upload({ approval: await signed(attestationOfOther) }));
    await refused('approval-epoch', upload({ approval: await signed({ epoch: 9 }) }));
    await refused('approval-expired', upload({ approval: await signed({ deadline: 1_000_000 }) }));
  });

  test('a rollback index that jumps', async () => {
    const jump = await uploader.prepare('1.6.0', undefined, { rollbackIndex: 5 });
    await expectCode('rollback-index-too-high', () => uploader.vendor.vendor.upload(jump.file, jump));
  });

  test('a version that exists', async () => {
    const first = await uploader.prepare('2.0.0');
    await uploader.vendor.vendor.client.follow((await uploader.vendor.vendor.upload(first.file, first)).id);
    const second = await uploader.prepare('2.0.0', randomBytes(4000));
    await refused(
      'version-exists',
      uploader.send(multipart([attestation(second.attestation), approval(second.approval), image(second.bytes)])),
    );
  });

  test('a product that nobody registered', async () => {
    const url = uploader.url.replace(uploader.vendor.product, `0x${'66'.repeat(32)}`);
    const response = fetch(url, { method: 'POST', headers: { authorization: `Bearer ${uploader.token}` } });
    expect(await code(response)).toBe('product-not-found');
  });
});

describe('a large upload that is refused', () => {
  test('is answered before all of it was sent', async () => {
    let sent = 0;
    let timer: NodeJS.Timeout | undefined;
    const body = new ReadableStream({
      start(controller) {
        const parts = multipart([attestation('hello'), approval(), image(Buffer.alloc(1000))], false);
        controller.enqueue(parts);
      },
      pull(controller) {
        // Never ends by itself: an answer that waited for the end would not come.
        return new Promise((resolve) => {
          timer = setTimeout(() => {
            sent += 1000;
            controller.enqueue(Buffer.alloc(1000));
            resolve();
          }, 5);
        });
      },
      cancel: () => clearTimeout(timer),
    });
    await refused('attestation-malformed', uploader.send(body));
    expect(sent).toBeLessThan(2_000_000);
  });
});

describe('the same upload', () => {
  test('twice is one proposal, during and after', async () => {
    const { vendor } = uploader.vendor;
    const once = await uploader.prepare('3.0.0');
    const [first, second] = await Promise.all([vendor.upload(once.file, once), vendor.upload(once.file, once)]);
    expect(second.id).toBe(first.id);
    const confirmed = await vendor.client.follow(first.id);
    const third = await vendor.upload(once.file, once);
    expect(third).toMatchObject({ id: first.id, state: 'confirmed', transaction: confirmed.transaction });
    expect((await vendor.client.product(uploader.vendor.product)).sequence).toBeGreaterThan(1);
    const releases = [];
    for await (const release of vendor.client.releases(uploader.vendor.product)) releases.push(release.version);
    expect(releases.filter((version) => version === '3.0.0')).toHaveLength(1);
  });
});

describe('who may upload', () => {
  test('nobody without a token, with a wrong one, or with somebody else’s', async () => {
    const body = multipart([attestation(), approval(), image()]);
    const type = { 'content-type': `multipart/form-data; boundary=${boundary}` };
    await refused('authentication-required', fetch(uploader.url, { method: 'POST', headers: type, body }));
    await refused('token-invalid', uploader.send(body, { authorization: 'Bearer nonsense' }));
    const other = await Uploader.open(stack, await makeVendor(stack, { name: 'other' }));
    await refused('token-scope', uploader.send(body, { authorization: `Bearer ${other.token}` }));
  });

  test('not more in a day than the quota', async () => {
    const small = await startStack(undefined, { FIRMPROOF_DAILY_UPLOAD_BYTES: '10000' });
    try {
      const there = await Uploader.open(small, await makeVendor(small));
      for (const version of ['1.0.0', '1.0.1']) {
        const release = await there.prepare(version);
        await there.vendor.vendor.upload(release.file, release);
      }
      const over = await there.prepare('1.0.2');
      await expectCode('quota-exceeded', () => there.vendor.vendor.upload(over.file, over));
    } finally {
      await destroyStack(small);
    }
  });

  test('a stolen token publishes nothing: only the publisher’s signature does (A35)', async () => {
    const thief = new FirmproofClient({ server: stack.url, token: uploader.token });
    const stranger = await makeVendor(stack, { name: 'thief' });
    const message = { ...good.message, version: parseVersion('6.6.6') };
    const signature = await signAction(stranger.wallet, stack.info, 'Publish', message);
    await expectCode('statement-version', () =>
      thief.publish({ attestation: good.attestation, message, by: signature }, good.file),
    );
    const own = { ...good.message };
    const forged = await signAction(stranger.wallet, stack.info, 'Publish', own);
    await expectCode('approval-invalid', () =>
      thief.publish({ attestation: good.attestation, message: own, by: forged }, good.file),
    );
  });
});
