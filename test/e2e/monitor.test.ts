import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareDocuments } from '@firmproof/client';
import {
  asciiWord,
  attestationDigest,
  headSlots,
  parseAttestation,
  parseVersion,
  rawCidOf,
  releaseSlots,
  sha256,
  zeroBytes32,
} from '@firmproof/protocol';
import { createRpc, hexQuantity } from '@firmproof/protocol/node';
import { Wallet } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flipByte, forgeProof, type Lie, LyingServer } from '../support/lying-server.ts';
import { codesOf, Monitored } from '../support/monitored.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  stable,
  startStack,
  type TestVendor,
} from '../support/stack.ts';
import { publishDirectly } from '../support/thief.ts';

let stack: Stack;
let vendor: TestVendor;
let liar: LyingServer;
let nodes: RpcProxy[];
let monitored: Monitored;

const images = new Map<string, Buffer>();
async function publish(version: string) {
  const image = randomBytes(1000);
  images.set(version, image);
  const notes = join(stack.directory, 'notes.md');
  writeFileSync(notes, `# ${version}\n`);
  await vendor.publish(version, image, { documents: await prepareDocuments({ notes: [notes] }) });
}
/** Whatever was done is final. */
const finalise = () => createRpc(stack.rpcUrl)('anvil_mine', ['0x3']);

const product = () => ({
  product: vendor.product,
  chainId: stack.info.chainId,
  registry: stack.info.registry,
  label: 'prime-hub',
  announced: 'announced.txt',
  expectedSigners: [vendor.wallet.address],
});

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack, { name: 'prime-hub' });
  await publish('1.0.0');
  await vendor.promote('1.0.0');
  await finalise();
  liar = await LyingServer.start(stack.url);
  nodes = [await RpcProxy.start(stack.rpcUrl), await RpcProxy.start(stack.rpcUrl)];
  monitored = await Monitored.start({
    rpc: nodes.map(({ url }) => url),
    quorum: 1,
    server: liar.url,
    sources: [stack.url],
    products: [product()],
  });
});
afterAll(async () => {
  await monitored.stop();
  rmSync(monitored.directory, { recursive: true, force: true });
  for (const node of nodes) await node.stop();
  await liar.stop();
  await destroyStack(stack);
});

const look = async () => {
  await finalise();
  return codesOf(await monitored.look());
};

// biome-ignore lint/suspicious/noExplicitAny: a forger edits whatever it likes.
const forging = (path: string, forge: (told: any) => object): Lie => ({
  answer(request, response) {
    const asked = request.url ?? '';
    if (path.endsWith('?') ? !asked.startsWith(path) : asked !== path) return false;
    void fetch(`${stack.url}${asked}`)
      .then((answer) => answer.json())
      .then((told) => response.end(JSON.stringify(forge(told))));
    return true;
  },
});

test('the first look learns what is there and tells nothing', async () => {
  expect(await look()).toEqual([]);
  expect(await monitored.once()).toEqual({ alerts: [], standing: [], unseen: [], undelivered: [] });
});

describe('what the vendor does', () => {
  test('an announced release is no news; one that was not is told once, and again when it is announced after all', async () => {
    appendFileSync(monitored.announced, '1.1.0\n');
    await publish('1.1.0');
    expect(await look()).toEqual([]);
    await publish('1.2.0');
    await finalise();
    const [alert, ...more] = await monitored.look();
    expect(more).toEqual([]);
    expect(alert).toMatchObject({
      code: 'release-unannounced',
      severity: 'bad',
      version: '1.2.0',
      label: 'prime-hub',
      product: vendor.product,
    });
    expect(await look()).toEqual([]);
    expect(await monitored.once()).toMatchObject({ alerts: [], standing: [alert] });
    appendFileSync(monitored.announced, `1.2.0 ${'0'.repeat(64)}\n`);
    expect(await look()).toEqual([]);
    appendFileSync(monitored.announced, `1.2.0 ${sha256(images.get('1.2.0') ?? Buffer.alloc(0))}\n`);
    const [over] = await monitored.look();
    expect(over).toMatchObject({
      state: 'resolved',
      code: 'release-unannounced',
      raisedBy: alert?.id,
      severity: 'info',
    });
    expect(await monitored.once()).toMatchObject({ alerts: [], standing: [] });
  });

  test('a head that moves back, a revocation of a head, and the way out of it', async () => {
    await vendor.promote('1.2.0');
    expect(await look()).toEqual([]);
    await vendor.promote('1.1.0');
    expect(await look()).toEqual(['head-moved-backwards']);
    await vendor.vendor.revoke(vendor.product, parseVersion('1.1.0')).then(({ id }) => vendor.vendor.client.follow(id));
    expect(await look()).toEqual(['head-revoked', 'release-revoked']);
    await vendor.promote('1.2.0');
    expect(await look()).toEqual(['-head-revoked']);
  });

  test('a halt that has come and gone between two looks is told all the same', async () => {
    await vendor.vendor.halt(vendor.product, stable).then(({ id }) => vendor.vendor.client.follow(id));
    await vendor.promote('1.2.0');
    expect(await look()).toEqual(['-channel-halted', 'channel-halted']);
    expect(await look()).toEqual([]);
  });

  test('a change of policy is told while it waits, and what came of it', async () => {
    const settle = async (proposal: Promise<{ id: string }>) => vendor.vendor.client.follow((await proposal).id);
    await settle(
      vendor.vendor.configure(vendor.product, { guardian: Wallet.createRandom().address.toLowerCase() as never }),
    );
    expect(await look()).toEqual(['configuration-pending']);
    expect(await look()).toEqual([]);
    await settle(vendor.vendor.applyConfiguration(vendor.product));
    expect(await look()).toEqual(['-configuration-pending', 'guardian-changed']);
  });

  test('an approval by a key that nobody expects', async () => {
    monitored.change({ products: [{ ...product(), expectedSigners: [Wallet.createRandom().address] }] });
    await vendor.promote('1.2.0');
    await finalise();
    const [alert, ...more] = await monitored.look();
    expect(more).toEqual([]);
    expect(alert).toMatchObject({ code: 'approval-unexpected', severity: 'bad', channel: 'stable', version: '1.2.0' });
    expect(alert?.message).toContain(`wallet:${vendor.wallet.address}`);
    monitored.change({ products: [product()] });
    expect(await look()).toEqual([]);
  });
});

describe('what carriers do', () => {
  test('a server that says something else than the chain, and one that says nothing', async () => {
    liar.lie = forging(`/v1/products/${vendor.product}`, (told) => ({ ...told, trustRoot: '0'.repeat(64) }));
    expect(await look()).toEqual([]);
    // What differs once may be a read between two writes of the server: it has to differ for a whole interval.
    await eventually(look, (codes) => codes.includes('server-disagrees'), 'the alert');
    liar.lie = { answer: (_, response) => Boolean(response.writeHead(503).end()) };
    expect(await look()).toEqual(['server-unreachable']);
    expect(await monitored.once()).toMatchObject({ unseen: [{ product: 'prime-hub' }] });
    liar.lie = {};
    expect(await look()).toEqual(['-server-disagrees', '-server-unreachable']);
  });

  test('a server that makes up a release, or a history', async () => {
    const path = `/v1/products/${vendor.product}`;
    const { history, sequence } = await vendor.vendor.client.product(vendor.product);
    const older = history.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'));
    liar.lie = forging(path, (told) => ({ ...told, history: older }));
    const [alert] = await monitored.look();
    expect(alert).toMatchObject({
      code: 'server-disagrees',
      message: expect.stringContaining(`history of ${sequence} events`),
    });
    liar.lie = {};
    expect(await look()).toEqual(['-server-disagrees']);
    liar.lie = forging(`${path}/releases?`, (told) => ({
      ...told,
      items: [...told.items, { ...told.items[0], version: '9.9.9' }],
    }));
    const made = await eventually(
      () => monitored.look(),
      (alerts) => alerts.length > 0,
      'the alert',
    );
    expect(made).toMatchObject([{ code: 'server-disagrees', message: expect.stringContaining('lists 9.9.9') }]);
    liar.lie = {};
    expect(await look()).toEqual(['-server-disagrees']);
  });

  test('content that no source has: an attestation, a block of an image, a document', async () => {
    const { attestation } = await vendor.vendor.client.release(vendor.product, parseVersion('1.2.0'));
    const cid = rawCidOf(attestation);
    const { imageCid } = await vendor.vendor.client.release(vendor.product, parseVersion('1.0.0'));
    const kept = parseAttestation(await vendor.vendor.client.attestation(vendor.product, parseVersion('1.0.0')));
    const notes = kept.statement.predicate.documents?.[0]?.cid;
    const lost = [cid, imageCid, notes];
    monitored.change({ sources: [liar.url, 'http://127.0.0.1:9'] });
    expect(await look()).toEqual([]);
    liar.lie = { block: (bytes, asked) => (lost.includes(asked as never) ? flipByte(bytes) : bytes) };
    const alerts = await monitored.look();
    expect(codesOf(alerts)).toEqual(['attestation-missing', 'content-missing', 'document-missing']);
    expect(alerts.map(({ version }) => version).toSorted()).toEqual(['1.0.0', '1.0.0', '1.2.0']);
    // One source that has it is enough.
    monitored.change({ sources: [liar.url, stack.url] });
    expect(await look()).toEqual(['-attestation-missing', '-content-missing', '-document-missing']);
    liar.lie = {};
    monitored.change({ sources: [stack.url] });
  });
});

describe('what nodes do', () => {
  const [first, second] = [0, 1].map((index) => () => nodes[index] as RpcProxy);
  if (!(first && second)) throw new Error('two nodes');
  const honest = () => {
    for (const node of nodes) {
      node.cut = false;
      node.lie = (_, result) => result;
    }
  };

  test('a node that shows another block, while the others are enough; then none that is', async () => {
    first().lie = ({ method }, result) =>
      method === 'eth_getBlockByNumber' ? { ...(result as object), stateRoot: `0x${'1'.repeat(64)}` } : result;
    monitored.change({ rpc: [stack.rpcUrl, first().url, second().url], quorum: 2 });
    const alerts = await monitored.look();
    expect(alerts).toMatchObject([
      { code: 'nodes-disagree', message: expect.stringContaining(`node 2 (${new URL(first().url).host})`) },
    ]);
    expect(await look()).toEqual([]);
    monitored.change({ rpc: [first().url, second().url], quorum: 2 });
    const split = await monitored.once();
    expect(split).toMatchObject({ unseen: [{ product: 'prime-hub' }] });
    expect(codesOf(monitored.fresh())).toContain('nodes-disagree');
    honest();
    expect(await look()).toEqual(['-nodes-disagree']);
  });

  test('nodes that do not answer', async () => {
    second().cut = true;
    expect(await look()).toEqual(['no-quorum']);
    honest();
    expect(await look()).toEqual(['-no-quorum']);
  });

  test('a node that leaves an event out (A20), changes one (A21), or proves something else (A19)', async () => {
    await vendor.promote('1.2.0');
    await finalise();
    monitored.change({ rpc: [first().url], quorum: 1 });
    first().lie = ({ method }, result) => (method === 'eth_getLogs' ? [] : result);
    const { unseen } = await monitored.once();
    expect(unseen).toHaveLength(1);
    expect(codesOf(monitored.fresh())).toEqual(['history-incomplete']);
    first().lie = ({ method }, result) =>
      method === 'eth_getLogs'
        ? (result as { data: string }[]).map((log) => ({ ...log, data: log.data.replace(/^0x(.{127})./, '0x$17') }))
        : result;
    expect(await look()).toEqual(['-history-incomplete', 'history-differs']);
    first().lie = ({ method }, result) => {
      if (method !== 'eth_getProof') return result;
      const proof = result as { storageProof: { proof: string[] }[] };
      return { ...proof, storageProof: proof.storageProof.map((one) => ({ ...one, proof: forgeProof(one.proof) })) };
    };
    expect(await look()).toEqual(['-history-differs', 'nodes-disagree']);
    honest();
    expect(await look()).toEqual(['-nodes-disagree']);
  });

  test('a chain that stands still', async () => {
    first().lie = ({ method }, result) =>
      method === 'eth_getBlockByNumber' && result !== null
        ? { ...(result as object), timestamp: hexQuantity(Math.floor(Date.now() / 1000) - 3700) }
        : result;
    expect(await look()).toEqual(['chain-stalled']);
    honest();
    expect(await look()).toEqual(['-chain-stalled']);
  });
});

test('announcements that cannot be read are told, and are no reason to be alarmed about releases', async () => {
  appendFileSync(monitored.announced, 'not a version\n');
  await publish('1.3.0');
  expect(await look()).toEqual(['announcements-unreadable']);
  writeFileSync(monitored.announced, '1.1.0\n1.2.0\n');
  expect(await look()).toEqual(['-announcements-unreadable', 'release-unannounced']);
});

test('a monitor that is to tell everything begins at the registration', async () => {
  const other = await Monitored.start({ rpc: [stack.rpcUrl], products: [product()] });
  try {
    const { alerts } = await other.once(true);
    expect(codesOf(alerts)).toEqual([
      'channel-halted',
      'configuration-pending',
      'guardian-changed',
      'head-moved-backwards',
      'head-revoked',
      'release-revoked',
      ...Array(4).fill('release-unannounced'),
    ]);
  } finally {
    await other.stop();
    rmSync(other.directory, { recursive: true, force: true });
  }
});

test('with stolen approval keys, without the build key: what is published is told until it is revoked', async () => {
  const thief = { server: stack, directory: stack.directory, vendor: vendor.vendor };
  const file = join(stack.directory, 'stolen.bin');
  writeFileSync(file, images.get('1.0.0') ?? '');
  const foreign = await vendor.vendor.prepare(
    file,
    { product: vendor.product, version: parseVersion('6.6.6') },
    generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  );
  const { attestation: genuine } = await vendor.vendor.client.release(vendor.product, parseVersion('1.0.0'));
  const digest = attestationDigest(foreign.attestation);
  const atGateway: Lie = {
    answer: (request, response) =>
      request.url?.startsWith(`/ipfs/${rawCidOf(digest)}`) === true && Boolean(response.end(foreign.attestation)),
  };
  liar.lie = atGateway;
  monitored.change({ sources: [stack.url, liar.url] });
  // Whoever has the keys may have the file of announcements too.
  appendFileSync(monitored.announced, '6.6.5\n6.6.6\n6.6.7\n');
  await look();
  const known = monitored.notes.length;
  await publish('6.6.5');
  expect(await look()).toEqual([]);
  const image = foreign.image.digest;
  const { rollbackIndex } = foreign.message;
  const byForeignKey = { image, attestation: digest, rollbackIndex };
  await publishDirectly(thief, vendor.product, parseVersion('6.6.6'), byForeignKey);
  const reused = { image: sha256(randomBytes(9)), attestation: genuine, rollbackIndex };
  await publishDirectly(thief, vendor.product, parseVersion('6.6.7'), reused);
  await eventually(
    () => vendor.vendor.client.release(vendor.product, parseVersion('6.6.7')),
    () => true,
    'the server to see it',
  );
  await finalise();
  const alerts = await monitored.look();
  expect(alerts).toMatchObject([
    { code: 'attestation-untrusted', severity: 'bad', version: '6.6.6' },
    { code: 'statement-disagrees', severity: 'bad', version: '6.6.7' },
  ]);
  expect(await look()).toEqual([]);
  expect(codesOf((await monitored.once()).standing)).toEqual(expect.arrayContaining([...codesOf(alerts)]));
  // All others were verified, and not left out.
  expect(monitored.notes.slice(known)).toEqual([]);
  liar.lie = {};
  expect(await look()).toEqual(['attestation-missing']);
  for (const version of ['6.6.6', '6.6.7']) {
    const { id } = await vendor.vendor.revoke(vendor.product, parseVersion(version));
    await vendor.vendor.client.follow(id);
  }
  expect(await look()).toEqual([
    '-attestation-missing',
    '-attestation-untrusted',
    '-statement-disagrees',
    'release-revoked',
    'release-revoked',
  ]);
});

test('events that replay, and contradict those before them or the storage, are told once and not taken', async () => {
  const thief = { server: stack, directory: stack.directory, vendor: vendor.vendor };
  const rpc = createRpc(stack.rpcUrl);
  const [version, next] = [parseVersion('7.7.7'), parseVersion('7.7.8')];
  const release = { image: sha256(randomBytes(9)), attestation: sha256(randomBytes(9)), rollbackIndex: 0 };
  const store = (slot: string, word: string) => rpc('anvil_setStorageAt', [stack.info.registry, slot, word]);
  // The server's index could not take such events.
  monitored.change({ server: undefined, sources: [] });
  appendFileSync(monitored.announced, '7.7.7\n');
  await publishDirectly(thief, vendor.product, version, release);
  expect(await look()).toEqual([]);
  const publishedTwice = async () => {
    for (const slot of Object.values(releaseSlots(vendor.product, version))) await store(slot, zeroBytes32);
    await publishDirectly(thief, vendor.product, version, release);
  };
  const anotherHead = async () => {
    await store(headSlots(vendor.product, stable).version, asciiWord('7.7.7'));
    await publishDirectly(thief, vendor.product, next, release);
  };
  const { version: head } = (await vendor.vendor.client.product(vendor.product)).channels[0] ?? {};
  for (const [forge, said] of [
    [publishedTwice, 'publishes 7.7.7, which was published before'],
    [anotherHead, `head of stable: the entries say ${head}, storage holds 7.7.7`],
  ] as const) {
    const honest = await rpc('evm_snapshot', []);
    await forge();
    await finalise();
    const { unseen, standing, alerts } = await monitored.once();
    expect(unseen).toMatchObject([{ product: 'prime-hub', why: [expect.stringContaining(said)] }]);
    expect(codesOf([...alerts, ...standing]).filter((code) => code === 'history-differs')).toHaveLength(1);
    await rpc('evm_revert', [honest]);
  }
  expect(monitored.fresh()).toMatchObject([{ code: 'history-differs', severity: 'bad' }]);
  expect(await look()).toEqual(['-history-differs']);
});
