import { accountInterface, type AccountParameters as FirstSigners, vendorAccountAddress } from '@firmproof/contracts';
import {
  type AccountParameters,
  type AccountResource,
  type Address,
  type Bytes32,
  FirmproofError,
  parseAddress,
  parseSigner,
  zeroBytes32,
} from '@firmproof/protocol';
import { type AccountRequest, accountTypes, hashStruct } from '@firmproof/protocol/approval';
import { hexQuantity, type Rpc, RpcRefusal } from '@firmproof/protocol/node';

const accountName = 'Firmproof Vendor Account';
const erc1271MagicValue = '0x1626ba7e';

export type Accounts = ReturnType<typeof createAccounts>;

/** Where an account of these first signers is made. */
export const addressOfAccount = (parameters: AccountParameters): Address =>
  parseAddress(vendorAccountAddress(parameters as FirstSigners));

/** Vendor accounts, as seen through one RPC node. */
export function createAccounts(rpc: Rpc) {
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

    /** Whether a contract at the address approves the hash with this signature (ERC-1271). */
    async approves(address: Address, hash: Bytes32, signature: string): Promise<boolean> {
      if (!(await this.hasCode(address))) return false;
      const data = accountInterface.encodeFunctionData('isValidSignature', [hash, signature]);
      try {
        return (await rpc<string>('eth_call', [{ to: address, data }, 'latest'])).startsWith(erc1271MagicValue);
      } catch (error) {
        if (error instanceof RpcRefusal) return false;
        throw error;
      }
    },

    /** @throws FirmproofError `account-not-found` */
    async require(account: Address): Promise<AccountResource> {
      const found = await this.find(account);
      if (found === null) throw new FirmproofError('account-not-found', `there is no vendor account at ${account}`);
      return found;
    },

    /** Whether the chain shows the request fulfilled, whoever relayed it. */
    async shows(request: AccountRequest, at: number | 'latest'): Promise<boolean> {
      const block = at === 'latest' ? at : hexQuantity(at);
      if (request.kind === 'create-account') return isAccount(request.body.account, block);
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
function recoveryHash(message: object): Bytes32 {
  return hashStruct(accountTypes, 'Recover', { ...message });
}
