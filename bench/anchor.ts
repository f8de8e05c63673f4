// A hundred thousand devices in one transaction: what that costs in gas, in time and in the server's memory, how long others
// have to wait meanwhile, and how our tree compares with OpenZeppelin's library on the same leaves.
import { anchorInterface } from '@firmproof/contracts';
import {
  type BatchDevice,
  deviceAnchorAddress,
  deviceLeaf,
  deviceTree,
  leavesOf,
  type ProductId,
  rootOfProof,
} from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { StandardMerkleTree } from '@openzeppelin/merkle-tree';
import { someDevices } from '../test/support/devices.ts';
import { eventually, makeVendor } from '../test/support/stack.ts';
import { figure, megabyte } from './figure.ts';
import { withServerProcess } from './server-process.ts';

const count = Number(process.argv[2] ?? 100_000);

function cpuSecondsOf<Result>(act: () => Result): [number, Result] {
  const before = process.cpuUsage();
  const result = act();
  return [process.cpuUsage(before).user / 1e6, result];
}

function compareWithLibrary(product: ProductId, devices: readonly BatchDevice[]): void {
  const [own, { root }] = cpuSecondsOf(() => deviceTree(leavesOf({ product, devices })));
  const [theirs, library] = cpuSecondsOf(() =>
    StandardMerkleTree.of(
      devices.map(({ keyDigest, salt }) => [product, `0x${keyDigest}`, salt]),
      ['bytes32', 'bytes32', 'bytes32'],
    ),
  );
  if (library.root !== root) throw new Error('the two trees have different roots');
  figure('anchor.tree', own, 's', { count });
  figure('anchor.tree-to-library', own / theirs, 'ratio', { count });
}

/** The longest that a small request had to wait while something else was going on. */
async function longestWait(url: string, during: Promise<unknown>): Promise<number> {
  let isOver = false;
  let longest = 0;
  const end = during.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    const start = performance.now();
    await fetch(`${url}/healthz`);
    longest = Math.max(longest, performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await end;
  return longest / 1000;
}

await withServerProcess(async ({ url, info, peakBytes }) => {
  const { vendor, product } = await makeVendor({ url, info });
  const devices = someDevices(count);
  compareWithLibrary(product, devices);
  const idleBytes = peakBytes();
  const start = performance.now();
  const proposed = await vendor.anchorDevices({ product, devices });
  const { transaction, message } = await vendor.client.follow(proposed.id);
  figure('anchor.seconds', (performance.now() - start) / 1000, 's', { count });
  const rpc = createRpc(info.rpcUrl ?? '');
  const receipt = await rpc<{ gasUsed: string }>('eth_getTransactionReceipt', [transaction]);
  figure('anchor.gas', Number(receipt.gasUsed), 'gas', { count });
  const last = devices.at(-1) as BatchDevice;
  const leaf = deviceLeaf(product, last.keyDigest, last.salt);
  const { proof = [] } = await eventually(
    () => vendor.client.deviceAnchorState(product, leaf),
    ({ state }) => state === 'anchored',
    'the index',
  );
  if (rootOfProof(leaf, proof) !== message?.['root']) throw new Error('the proof leads elsewhere');
  const question = [info.registry, product, `0x${last.keyDigest}`, last.salt, proof];
  const data = anchorInterface.encodeFunctionData('isDeviceAccepted', question);
  const answer = await rpc<string>('eth_call', [{ to: deviceAnchorAddress, data }, 'latest']);
  if (BigInt(answer) !== 1n) throw new Error('the contract does not take the proof');
  figure('anchor.proof', proof.length, 'nodes', { count });
  figure('anchor.peak-memory', peakBytes() / megabyte, 'MB', { count });
  figure('anchor.peak-memory-before', idleBytes / megabyte, 'MB');
  // Once more, under the eyes of somebody else.
  const more = vendor.anchorDevices({ product, devices: someDevices(count) });
  figure('anchor.longest-wait', await longestWait(url, more), 's', { count });
});
