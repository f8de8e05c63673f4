import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import type { ApprovalSignature, Approver } from '@firmproof/client';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  type Bytes32,
  type Login,
  loginTypes,
  parseAddress,
  parseBytes32,
  serverDomain,
  toHex,
  zeroAddress,
} from '@firmproof/protocol';
import { actionTypedData, type RegistryAddress, typedDataHash } from '@firmproof/protocol/approval';
import { Contract, ContractFactory, type ContractTransactionResponse, concat, type Wallet } from 'ethers';
import { inAnHour } from './attacked-team.ts';
import { withRelayer } from './relayer.ts';
import type { Stack } from './stack.ts';

const load = createRequire(import.meta.url);
const artifact = (path: string) => {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return load(`@safe-global/safe-smart-account/build/artifacts/contracts/${path}.sol/${name}.json`);
};

async function deployed(path: string, relayer: Wallet): Promise<Contract> {
  const { abi, bytecode } = artifact(path);
  const contract = await new ContractFactory(abi, bytecode, relayer).deploy();
  await contract.waitForDeployment();
  return contract as Contract;
}

/** Deploys the real Safe 1.5.0, and one of these owners behind its proxy, with the handler that speaks ERC-1271 for it. */
export function deploySafe(stack: Stack, owners: readonly Wallet[], threshold: number): Promise<Address> {
  return withRelayer(stack, stack.directory, async (relayer) => {
    const singleton = await deployed('Safe', relayer);
    const factory = await deployed('proxies/SafeProxyFactory', relayer);
    const handler = await deployed('handler/CompatibilityFallbackHandler', relayer);
    const list = owners.map(({ address }) => address);
    const setup = [list, threshold, zeroAddress, '0x', handler.target, zeroAddress, 0, zeroAddress];
    const initializer = singleton.interface.encodeFunctionData('setup', setup);
    const args = [singleton.target, initializer, 0];
    const safe = await factory.getFunction('createProxyWithNonce').staticCall(...args);
    const transaction = await factory.getFunction('createProxyWithNonce')(...args);
    await (transaction as ContractTransactionResponse).wait();
    return parseAddress(safe);
  });
}

/** What the Safe itself says of its owners: proof that it is one. */
export function ownersOf(stack: Stack, safe: Address): Promise<readonly string[]> {
  return withRelayer(stack, stack.directory, async (relayer) => [
    ...(await new Contract(safe, artifact('Safe').abi, relayer).getFunction('getOwners')()),
  ]);
}

/**
 * A Safe's signature over an EIP-712 hash: what each owner signs is SafeMessage(bytes message) of that hash in the domain of the
 * Safe, and the signatures follow each other ascending by owner.
 */
async function signAsSafe(
  chainId: number,
  safe: Address,
  owners: readonly Wallet[],
  hash: Bytes32,
): Promise<ApprovalSignature> {
  const domain = { chainId, verifyingContract: safe };
  const types = { SafeMessage: [{ name: 'message', type: 'bytes' }] };
  const ordered = [...owners].sort((one, other) => (BigInt(one.address) < BigInt(other.address) ? -1 : 1));
  const signatures = await Promise.all(ordered.map((owner) => owner.signTypedData(domain, types, { message: hash })));
  return concat(signatures) as ApprovalSignature;
}

/** Speaks for a Safe with the keys of some owners; without any it proposes, and the approval has to follow. */
export class SafeApprover implements Approver {
  readonly account: Address;
  readonly owners: readonly Wallet[];

  constructor(safe: Address, owners: readonly Wallet[]) {
    this.account = safe;
    this.owners = owners;
  }

  sign<Name extends ActionName>(at: RegistryAddress, action: Name, message: ActionMessage<Name>) {
    return signAsSafe(at.chainId, this.account, this.owners, typedDataHash(actionTypedData(at, action, message)));
  }

  async approve<Name extends ActionName>(at: RegistryAddress, action: Name, message: ActionMessage<Name>) {
    return this.owners.length === 0 ? { approvals: [] } : this.sign(at, action, message);
  }

  async login(server: string, chainId: number) {
    const message: Login = {
      publisher: this.account,
      origin: new URL(server).origin,
      nonce: parseBytes32(toHex(randomBytes(32))),
      deadline: inAnHour() - 3300,
    };
    const login = { domain: serverDomain(chainId), types: loginTypes, primaryType: 'Login', message };
    return { message, signature: await signAsSafe(chainId, this.account, this.owners, typedDataHash(login)) };
  }
}
