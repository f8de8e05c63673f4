import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Contract,
  type ContractTransactionResponse,
  type InterfaceAbi,
  JsonRpcProvider,
  Network,
  Wallet,
} from 'ethers';
import { expect } from 'vitest';

type ChainOfServer = { readonly rpcUrl: string; readonly info: { readonly chainId: number } };
type Deployed = { readonly address: string; readonly abi: InterfaceAbi };

/** Lends the relayer's key of an embedded chain, past the server: anybody may relay, and this one has money. */
export async function withRelayer<Result>(
  server: ChainOfServer,
  directory: string,
  act: (relayer: Wallet) => Promise<Result>,
): Promise<Result> {
  const key = readFileSync(join(directory, 'chain', 'relayer.key'), 'utf8').trim();
  const provider = new JsonRpcProvider(server.rpcUrl, Network.from(server.info.chainId), {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 50,
  });
  try {
    return await act(new Wallet(key, provider));
  } finally {
    provider.destroy();
  }
}

/** Calls a function of a contract in a transaction that succeeds. */
export function call(
  server: ChainOfServer & { readonly directory: string },
  { address, abi }: Deployed,
  name: string,
  args: readonly unknown[],
): Promise<void> {
  return withRelayer(server, server.directory, async (relayer) => {
    const contract = new Contract(address, abi, relayer);
    await ((await contract.getFunction(name)(...args)) as ContractTransactionResponse).wait();
  });
}

const enoughGas = 3_000_000;

/**
 * The contract must refuse the call with exactly this custom error, `Name` or `Name(arguments)`: both when asked, and in a
 * transaction that is really mined.
 */
export function refused(
  server: ChainOfServer & { readonly directory: string },
  { address, abi }: Deployed,
  name: string,
  args: readonly unknown[],
  error: string,
): Promise<void> {
  return withRelayer(server, server.directory, async (relayer) => {
    const called = new Contract(address, abi, relayer).getFunction(name);
    const failure: unknown = await called.staticCall(...args).then(
      () => 'nothing was refused',
      (reason) => reason,
    );
    const revert = (failure as { revert?: { name: string; args: readonly unknown[] } | null }).revert;
    const said = revert ? `${revert.name}(${revert.args.join(',')})`.toLowerCase() : String(failure);
    expect(error.includes('(') ? said : said.split('(')[0]).toBe(error.toLowerCase());
    const transaction = (await called(...args, { gasLimit: enoughGas })) as ContractTransactionResponse;
    await expect(transaction.wait()).rejects.toMatchObject({ code: 'CALL_EXCEPTION', receipt: { status: 0 } });
  });
}
