import {
  type AccountParameters as FirstSigners,
  vendorAccountAbi,
  vendorAccountAddress,
  vendorAccountFactoryAbi,
  vendorAccountFactoryAddress,
} from '@firmproof/contracts';
import {
  type AccountParameters,
  type AccountResource,
  type Address,
  type Bytes32,
  type cancelRecoveryRequestSchema,
  type createAccountRequestSchema,
  FirmproofError,
  keccak256,
  parseAddress,
  parseSigner,
  type recoverRequestSchema,
  type setRecoveryRequestSchema,
  type setSignersRequestSchema,
  toHex,
  zeroBytes32,
} from '@firmproof/protocol';
import {
  type AccountActionName,
  accountTypedData,
  encodeApprovals,
  hashStruct,
  type SignerApproval,
  type TypedData,
  typedDataHash,
} from '@firmproof/protocol/approval';
import { hexQuantity, type Rpc, RpcRefusal } from '@firmproof/protocol/node';
import { Interface } from 'ethers';
import type { z } from 'zod';

export const accountInterface = new Interface(vendorAccountAbi);
const factoryInterface = new Interface(vendorAccountFactoryAbi);
const factory = parseAddress(vendorAccountFactoryAddress);
const accountName = 'Firmproof Vendor Account';

type Of<Schema extends z.ZodType> = z.output<Schema> & { readonly account: Address };

/** What a proposal asks of a vendor account, by kind. */
export type AccountRequest =
  | { readonly kind: 'create-account'; readonly body: z.output<typeof createAccountRequestSchema> }
  | { readonly kind: 'set-signers'; readonly body: Of<typeof setSignersRequestSchema> }
  | { readonly kind: 'set-recovery'; readonly body: Of<typeof setRecoveryRequestSchema> }
  | { readonly kind: 'schedule-recovery'; readonly body: Of<typeof recoverRequestSchema> }
  | { readonly kind: 'recover'; readonly body: Of<typeof recoverRequestSchema> }
  | { readonly kind: 'cancel-recovery'; readonly body: Of<typeof cancelRecoveryRequestSchema> };
export type AccountChange = Exclude<AccountRequest, { kind: 'create-account' }>;

const actionOfKind = {
  'set-signers': 'SetSigners',
  'set-recovery': 'SetRecovery',
  'schedule-recovery': 'Recover',
  recover: 'Recover',
  'cancel-recovery': 'CancelRecovery',
} as const satisfies Record<AccountChange['kind'], AccountActionName>;

const functionOfKind = {
  'set-signers': 'setSigners',
  'set-recovery': 'setRecovery',
  'schedule-recovery': 'scheduleRecovery',
  recover: 'recover',
  'cancel-recovery': 'cancelRecovery',
} as const;

export type Accounts = ReturnType<typeof createAccounts>;

/** Where an account of these first signers is made. */
export const addressOfAccount = (parameters: AccountParameters): Address =>
  parseAddress(vendorAccountAddress(parameters as FirstSigners));

/** Vendor accounts, as seen through one RPC node: read, and calls to them encoded, never sent. */
export function createAccounts({ rpc, chainId }: { rpc: Rpc; chainId: number }) {
  async function read<Result>(account: Address, name: string, block: string): Promise<Result> {
    const data = accountInterface.encodeFunctionData(name);
    const answer = await rpc<string>('eth_call', [{ to: account, data }, block]);
    const result = accountInterface.decodeFunctionResult(name, answer);
    return (result.length === 1 ? result[0] : result) as Result;
  }

  async function isAccount(account: Address, block: string): Promise<boolean> {
    if ((await rpc<string>('eth_getCode', [account, block])) === '0x') return false;
    try {
      return (await read<readonly unknown[]>(account, 'eip712Domain', block))[1] === accountName;
    } catch (error) {
      // Another contract: it has no such function, or answers something else.
      if (error instanceof RpcRefusal || (error instanceof Error && 'code' in error && error.code === 'BAD_DATA'))
        return false;
      throw error;
    }
  }

  const signersOf = (list: readonly string[]) => list.map(parseSigner);

  return {
    /** null for an address that is no vendor account: a single key, a Safe, nobody. */
    async find(account: Address, block = 'latest'): Promise<AccountResource | null> {
      if (!(await isAccount(account, block))) return null;
      const get = <Result>(name: string) => read<Result>(account, name, block);
      const [hash, from] = await get<readonly [Bytes32, bigint]>('pendingRecovery');
      return {
        account,
        epoch: Number(await get<bigint>('signerEpoch')),
        threshold: Number(await get<bigint>('threshold')),
        passkeysAlone: await get<boolean>('passkeysAlone'),
        signers: signersOf(await get<string[]>('signers')),
        recovery: {
          epoch: Number(await get<bigint>('recoveryEpoch')),
          threshold: Number(await get<bigint>('recoveryThreshold')),
          signers: signersOf(await get<string[]>('recoverySigners')),
        },
        ...(hash !== zeroBytes32 && { pendingRecovery: { hash, recoverableFrom: Number(from) } }),
      };
    },

    /** Whether the address holds code: only then can it approve by ERC-1271. */
    async hasCode(address: Address): Promise<boolean> {
      return (await rpc<string>('eth_getCode', [address, 'latest'])) !== '0x';
    },

    /** @throws FirmproofError `account-not-found` */
    async require(account: Address): Promise<AccountResource> {
      const found = await this.find(account);
      if (found === null) throw new FirmproofError('account-not-found', `there is no vendor account at ${account}`);
      return found;
    },

    /** What the signers sign, at a signer epoch of the account. */
    typedData(request: AccountChange, epoch: number): TypedData {
      const { account, message } = request.body;
      return accountTypedData(chainId, { account, epoch }, actionOfKind[request.kind], message as never);
    },

    /** The id of the proposal: what is asked of which account, whoever approves it. */
    proposalId(request: AccountRequest): Bytes32 {
      if (request.kind === 'create-account') return digestOfText(`create ${addressOfAccount(request.body.parameters)}`);
      const hash = typedDataHash(this.typedData(request, 0));
      return digestOfText(`${request.kind} ${hash}`);
    },

    /** The call, with the approvals of each role that is asked. */
    encode(
      request: AccountRequest,
      by: { readonly approval: readonly SignerApproval[]; readonly proof: readonly SignerApproval[] },
    ): { readonly to: Address; readonly data: string } {
      if (request.kind === 'create-account') {
        return { to: factory, data: factoryInterface.encodeFunctionData('create', [request.body.parameters]) };
      }
      const { account, message } = request.body;
      const values = accountInterface.getFunction(functionOfKind[request.kind])?.inputs.flatMap(({ name }) => {
        if (name === 'approval') return [toHex(encodeApprovals(by.approval))];
        if (name === 'proof') return [toHex(encodeApprovals(by.proof))];
        return [(message as Record<string, unknown>)[name]];
      });
      return { to: account, data: accountInterface.encodeFunctionData(functionOfKind[request.kind], values ?? []) };
    },

    /** Whether the chain shows the request fulfilled, whoever relayed it. */
    async shows(request: AccountRequest, at: number | 'latest'): Promise<boolean> {
      const block = at === 'latest' ? at : hexQuantity(at);
      if (request.kind === 'create-account') return isAccount(addressOfAccount(request.body.parameters), block);
      const now = await this.find(request.body.account, block);
      if (now === null) return false;
      const same = (signers: readonly string[], others: readonly string[]) => signers.join() === others.join();
      switch (request.kind) {
        case 'set-signers':
        case 'recover': {
          const { epoch, signers, threshold } = request.body.message;
          return now.epoch === epoch && now.threshold === threshold && same(now.signers, signers);
        }
        case 'set-recovery': {
          const { epoch, signers } = request.body.message;
          return now.recovery.epoch === epoch && same(now.recovery.signers, signers);
        }
        case 'schedule-recovery':
          return now.pendingRecovery?.hash === recoveryHash(request.body.message);
        case 'cancel-recovery':
          return now.pendingRecovery?.hash !== request.body.message.pending;
      }
    },
  };
}

/** What the account keeps of an announced recovery: the struct hash of its message. */
function recoveryHash(message: z.output<typeof recoverRequestSchema>['message']): Bytes32 {
  const { types, primaryType } = accountTypedData(0, { account: zeroAccount, epoch: 0 }, 'Recover', message);
  return hashStruct(types, primaryType, message);
}

const zeroAccount = parseAddress(`0x${'0'.repeat(40)}`);
const digestOfText = (text: string) => keccak256(new TextEncoder().encode(text));
