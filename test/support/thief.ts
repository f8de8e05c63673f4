import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ReleaseOptions, Vendor } from '@firmproof/client';
import { releaseRegistryAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  type ActionName,
  attestationDigest,
  type BlockStatement,
  blockStatementBytes,
  bytes32OfDigest,
  type Channel,
  type Cosignature,
  type Envelope,
  type ProductId,
  payloadOf,
  type Sha256Digest,
  sha256,
  type Version,
} from '@firmproof/protocol';
import { actionTypedData, wrapApprovals } from '@firmproof/protocol/approval';
import { publicKeyOf } from '@firmproof/protocol/node';
import { Contract, type ContractTransactionResponse } from 'ethers';
import { withRelayer } from './relayer.ts';
import { eventually } from './stack.ts';
import { approvalsBy, type TeamSigner, teamTypedData } from './team.ts';

type Server = { readonly rpcUrl: string; readonly info: { readonly chainId: number; readonly registry: string } };

/** Relays straight to the registry, past every check of the server. Anybody may. */
export async function relayDirectly(
  server: Server,
  directory: string,
  action: string,
  args: readonly unknown[],
): Promise<void> {
  await withRelayer(server, directory, async (relayer) => {
    const registry = new Contract(server.info.registry, releaseRegistryAbi, relayer);
    const transaction = (await registry.getFunction(action)(...args)) as ContractTransactionResponse;
    await transaction.wait();
  });
}

/** `signers`: whose keys the thief has besides the vendor's own, where a team publishes. */
type Stolen = {
  readonly server: Server;
  readonly directory: string;
  readonly vendor: Vendor;
  readonly signers?: readonly TeamSigner[];
};

/** What the registry takes for an approval, or would with enough signers. */
async function stolenApproval<Name extends ActionName>(
  { vendor, signers = [] }: Stolen,
  action: Name,
  message: ActionMessage<Name>,
): Promise<string> {
  const { info, account, approver, client } = vendor;
  const by = await approver.approve(info, action, message);
  if (typeof by === 'string') return by;
  const at = { account, epoch: (await client.account(account)).epoch };
  const others = approvalsBy(signers, teamTypedData(info, at, action, message));
  return wrapApprovals([...by.approvals, ...others], actionTypedData(info, action, message));
}

const weekSeconds = 7 * 86_400;
/** Far away: tests let hours pass on the chain. */
const deadline = () => Math.floor(Date.now() / 1000) + weekSeconds;

/** With a stolen approval key: records whatever the thief likes, past the server. */
export async function publishDirectly(
  stolen: Stolen,
  product: ProductId,
  version: Version,
  release: { readonly image: Sha256Digest; readonly attestation: Sha256Digest; readonly rollbackIndex: number },
): Promise<void> {
  const { server, directory, vendor } = stolen;
  const { epoch } = await vendor.client.product(product);
  const message: ActionMessage<'Publish'> = {
    product,
    version,
    image: bytes32OfDigest(release.image),
    attestation: bytes32OfDigest(release.attestation),
    rollbackIndex: release.rollbackIndex,
    epoch,
    deadline: deadline(),
  };
  const approval = await stolenApproval(stolen, 'Publish', message);
  await relayDirectly(server, directory, 'publish', [...Object.values(message), approval]);
}

export async function promoteDirectly(
  stolen: Stolen,
  product: ProductId,
  version: Version,
  channel: Channel,
): Promise<void> {
  const { server, directory, vendor } = stolen;
  const { channels, epoch } = await vendor.client.product(product);
  const message: ActionMessage<'Promote'> = {
    product,
    channel,
    version,
    counter: (channels.find((head) => head.channel === channel)?.counter ?? 0) + 1,
    start: 0,
    duration: 0,
    firstShare: 10_000,
    epoch,
    deadline: deadline(),
  };
  const approval = await stolenApproval(stolen, 'Promote', message);
  await relayDirectly(server, directory, 'promote', [...Object.values(message), approval]);
}

/**
 * With a stolen approval key and a stolen server, but without a build key: records a release that a build key of the
 * thief's own has signed, and promotes it.
 */
export async function publishWithStolenApprovalKey(
  stolen: Stolen,
  file: string,
  options: ReleaseOptions,
  channel: Channel,
): Promise<void> {
  const ownKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const { attestation, image, message } = await stolen.vendor.prepare(file, options, ownKey);
  const { product, version } = options;
  const release = {
    image: image.digest,
    attestation: attestationDigest(attestation),
    rollbackIndex: message.rollbackIndex,
  };
  plantAttestation(stolen.directory, attestation);
  await publishDirectly(stolen, product, version, release);
  await promoteDirectly(stolen, product, version, channel);
}

/** With a stolen approval key: names whatever trust root the thief likes, past the server and without a veto window. */
export async function nameTrustRootDirectly(
  { server, directory, vendor }: Stolen,
  product: ProductId,
  trustRoot: Sha256Digest,
): Promise<void> {
  const { publisher, guardian, delaySeconds, epoch } = await vendor.client.product(product);
  const named = bytes32OfDigest(trustRoot);
  const message: ActionMessage<'Configure'> = {
    product,
    publisher,
    guardian,
    delay: delaySeconds,
    trustRoot: named,
    epoch,
    deadline: deadline(),
  };
  const approval = await vendor.approver.approve(vendor.info, 'Configure', message);
  await relayDirectly(server, directory, 'configure', [...Object.values(message), approval]);
  await relayDirectly(server, directory, 'applyConfiguration', [...Object.values(message), 0, '0x']);
  await eventually(
    () => vendor.client.product(product),
    (now) => now.epoch === epoch + 2,
    'the server to see it',
  );
}

/** Puts a trust root into the database of a stolen server, as a step from the one with this digest. */
export function plantTrustRoot(directory: string, envelope: Envelope, previous: Sha256Digest): Sha256Digest {
  const payload = payloadOf(envelope);
  const digest = sha256(payload);
  const database = new DatabaseSync(join(directory, 'firmproof.sqlite'), { timeout: 5000 });
  try {
    // Under no product's name: the server's own check of witnesses does not look at it.
    database
      .prepare('INSERT INTO trust_roots (digest, product, version, envelope, previous) VALUES (?, ?, ?, ?, ?)')
      .run(
        digest,
        'planted',
        JSON.parse(new TextDecoder().decode(payload)).version,
        JSON.stringify(envelope),
        previous,
      );
    return digest;
  } finally {
    database.close();
  }
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
