import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRpc, createWitness, createWitnessServer, type Witness } from '@firmproof/protocol/node';
import { Wallet } from 'ethers';
import type { Stack } from './stack.ts';

export type WitnessDaemon = { readonly url: string; readonly witness: Witness; stop(): Promise<void> };

/** A witness with its HTTP server, as `firmproof witness` runs it, but in this process. */
export async function startWitness(rpcUrl: string, directory: string, operator: string): Promise<WitnessDaemon> {
  const witness = createWitness({
    rpcUrl,
    key: generateKeyPairSync('ed25519').privateKey,
    operator,
    stateFile: join(directory, `${operator}.signed.json`),
    pollMilliseconds: 100,
  });
  const server = createWitnessServer(witness);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  witness.start();
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    witness,
    async stop() {
      server.close();
      server.closeAllConnections();
      await witness.stop();
    },
  };
}

/** The environment of a second server that works on the first one's chain as on any chain of the world. */
export async function onChainOf(
  stack: Stack,
  options: { readonly rpcUrl: string; readonly witnesses: readonly WitnessDaemon[]; readonly balanceWei?: bigint },
): Promise<{ readonly environment: Record<string, string>; readonly relayer: string }> {
  const key = `0x${randomBytes(32).toString('hex')}`;
  const file = join(stack.directory, 'second-relayer.key');
  writeFileSync(file, key);
  const relayer = new Wallet(key).address;
  const balance = options.balanceWei ?? 10n ** 20n;
  await createRpc(stack.rpcUrl)('anvil_setBalance', [relayer, `0x${balance.toString(16)}`]);
  return {
    relayer,
    environment: {
      FIRMPROOF_RPC_URL: options.rpcUrl,
      FIRMPROOF_REGISTRY: stack.info.registry,
      FIRMPROOF_REGISTRY_BLOCK: String(stack.info.registryBlock),
      FIRMPROOF_RELAYER_KEY_FILE: file,
      FIRMPROOF_WITNESSES: options.witnesses.map(({ witness, url }) => `${witness.operator}=${url}`).join(','),
      FIRMPROOF_POLL_MILLISECONDS: '100',
    },
  };
}
