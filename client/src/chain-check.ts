import { generateKeyPairSync, sign } from 'node:crypto';
import { type Address, isFirmproofError, parseBytes32, proveAccount, zeroAddress } from '@firmproof/protocol';
import { createRpc, hexQuantity, type Rpc, RpcRefusal, readBlock } from '@firmproof/protocol/node';

export type ChainFinding = {
  readonly name: string;
  readonly ok: boolean;
  /** Without it Firmproof does not work on this chain; the others are good to have. */
  readonly required: boolean;
  readonly message: string;
};

const p256Verify = '0x0000000000000000000000000000000000000100';
/** Calldata and execution of a publish with one key. */
const gasOfARelease = 110_000n;
const maximumClockSkewSeconds = 3600;

/**
 * Asks an RPC node for everything that Firmproof needs of a chain: proofs, finality tags, logs; and what is good to have.
 * @throws FirmproofError `chain-unreachable`
 */
export async function checkChain(rpcUrl: string, registry?: Address): Promise<readonly ChainFinding[]> {
  const rpc = createRpc(rpcUrl);
  const chainId = Number(await rpc<string>('eth_chainId'));
  return [
    { name: 'chain id', ok: true, required: true, message: String(chainId) },
    await find('finality', true, () => finality(rpc)),
    await find('proofs', true, () => proofs(rpc, registry ?? zeroAddress)),
    await find('logs', true, () => logs(rpc)),
    ...(registry ? [await find('registry', true, () => code(rpc, registry))] : []),
    await find('clock', false, () => clock(rpc)),
    await find('P-256 precompile', false, () => precompile(rpc)),
    await find('cost of a release', false, () => cost(rpc)),
  ];
}

class Unfit extends Error {}

async function find(name: string, required: boolean, ask: () => Promise<string>): Promise<ChainFinding> {
  try {
    return { name, ok: true, required, message: await ask() };
  } catch (error) {
    const expected = error instanceof Unfit || error instanceof RpcRefusal || isFirmproofError(error);
    if (!expected) throw error;
    return { name, ok: false, required, message: error.message };
  }
}

async function finality(rpc: Rpc): Promise<string> {
  const [latest, final] = [await readBlock(rpc, 'latest'), await readBlock(rpc, 'finalized')];
  if (latest === null || final === null) throw new Unfit('the node does not know which blocks are final');
  return `block ${Number(final.number)} is final, ${Number(latest.number) - Number(final.number)} behind the newest`;
}

async function proofs(rpc: Rpc, address: Address): Promise<string> {
  const block = await readBlock(rpc, 'latest');
  if (block === null) throw new Unfit('the node has no newest block');
  const { accountProof } = await rpc<{ accountProof: string[] }>('eth_getProof', [address, [], block.number]);
  await proveAccount(parseBytes32(block.stateRoot), address, accountProof);
  return `eth_getProof leads to the state root of block ${Number(block.number)}`;
}

async function logs(rpc: Rpc): Promise<string> {
  const newest = Number((await readBlock(rpc, 'latest'))?.number ?? 0);
  const range = { fromBlock: hexQuantity(Math.max(0, newest - 1999)), toBlock: hexQuantity(newest) };
  await rpc('eth_getLogs', [{ address: zeroAddress, ...range }]);
  return 'eth_getLogs answers over 2000 blocks';
}

async function code(rpc: Rpc, registry: Address): Promise<string> {
  if ((await rpc<string>('eth_getCode', [registry, 'latest'])) === '0x') throw new Unfit(`nothing is at ${registry}`);
  return `a contract is at ${registry}`;
}

async function clock(rpc: Rpc): Promise<string> {
  const skew = Math.round(Date.now() / 1000 - Number((await readBlock(rpc, 'latest'))?.timestamp ?? 0));
  if (Math.abs(skew) > maximumClockSkewSeconds) throw new Unfit(`the newest block is ${skew} s off the clock here`);
  return `the newest block is ${skew} s old`;
}

/** RIP-7212 / EIP-7951, tried with a signature made on the spot. */
async function precompile(rpc: Rpc): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = Buffer.from('firmproof');
  const digest = await crypto.subtle.digest('SHA-256', message);
  const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(27);
  const data = `0x${Buffer.concat([Buffer.from(digest), signature, point]).toString('hex')}`;
  const answer = await rpc<string>('eth_call', [{ to: p256Verify, data }, 'latest']);
  if (!/^0x0*1$/.test(answer)) throw new Unfit('absent: P-256 approvals cost about 300k gas more');
  return 'present: P-256 approvals are cheap';
}

async function cost(rpc: Rpc): Promise<string> {
  const price = BigInt(await rpc<string>('eth_gasPrice'));
  return `${Number(price * gasOfARelease) / 1e18} of the chain's coin, at ${Number(price) / 1e9} gwei`;
}
