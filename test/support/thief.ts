import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type ReleaseOptions, signAction, type Vendor } from '@firmproof/client';
import { releaseRegistryAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  attestationDigest,
  type BlockStatement,
  blockStatementBytes,
  type Channel,
  type Cosignature,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { Contract, type ContractTransactionResponse, JsonRpcProvider, Network, Wallet } from 'ethers';

type Server = { readonly rpcUrl: string; readonly info: { readonly chainId: number; readonly registry: string } };

/** Relays straight to the registry, past every check of the server. Anybody may. */
export async function relayDirectly(
  server: Server,
  directory: string,
  action: string,
  args: readonly unknown[],
): Promise<void> {
  const key = readFileSync(join(directory, 'chain', 'relayer.key'), 'utf8').trim();
  const provider = new JsonRpcProvider(server.rpcUrl, Network.from(server.info.chainId), {
    staticNetwork: true,
    cacheTimeout: -1,
    pollingInterval: 50,
  });
  try {
    const registry = new Contract(server.info.registry, releaseRegistryAbi, new Wallet(key, provider));
    const transaction = (await registry.getFunction(action)(...args)) as ContractTransactionResponse;
    await transaction.wait();
  } finally {
    provider.destroy();
  }
}

/**
 * With a stolen approval key and a stolen server, but without a build key: records a release that a build key of the
 * thief's own has signed, and promotes it.
 */
export async function publishWithStolenApprovalKey(
  stolen: { readonly server: Server; readonly directory: string; readonly vendor: Vendor },
  file: string,
  options: ReleaseOptions,
  channel: Channel,
): Promise<void> {
  const { server, directory, vendor } = stolen;
  const ownKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const { attestation, message, signature } = await vendor.prepare(file, options, ownKey);
  plantAttestation(directory, attestation);
  await relayDirectly(server, directory, 'publish', [...Object.values(message), signature]);
  const { product, version } = options;
  const { channels, epoch } = await vendor.client.product(product);
  const promotion: ActionMessage<'Promote'> = {
    product,
    channel,
    version,
    counter: (channels.find((head) => head.channel === channel)?.counter ?? 0) + 1,
    start: 0,
    duration: 0,
    firstShare: 10_000,
    epoch,
    deadline: message.deadline,
  };
  const approval = await signAction(vendor.wallet, vendor.info, 'Promote', promotion);
  await relayDirectly(server, directory, 'promote', [...Object.values(promotion), approval]);
}

/** Puts an attestation into the database of a stolen server, which would never have accepted it. */
export function plantAttestation(directory: string, text: string): void {
  const database = new DatabaseSync(join(directory, 'firmproof.sqlite'), { timeout: 5000 });
  try {
    database
      .prepare('INSERT OR IGNORE INTO attestations (digest, text) VALUES (?, ?)')
      .run(attestationDigest(text), text);
  } finally {
    database.close();
  }
}

/** What the embedded witness number `index` would sign if it lied: its key is as real as its lie. */
export function lyingCosignature(directory: string, index: number, block: BlockStatement): Cosignature {
  const key = createPrivateKey(readFileSync(join(directory, 'witnesses', `witness-${index}.pem`)));
  return { publicKey: publicKeyOf(key), signature: sign(null, blockStatementBytes(block), key).toString('base64') };
}
