import {
  attestationDigest,
  bytes32OfDigest,
  commitmentOf,
  decodeReleaseState,
  FirmproofError,
  isFirmproofError,
  type KeylessMeans,
  parseAttestation,
  parseBytes32,
  proveAccount,
  proveStorage,
  type RebuiltRelease,
  type ReleaseResource,
  releaseSlots,
  subjectDigest,
  type TrustRoot,
  type Version,
  verifyAttestation,
} from '@firmproof/protocol';
import { createRpc, readBlock } from '@firmproof/protocol/node';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import type { FirmproofClient } from './api-client.ts';

/** What keyless statements of a product are verified with, besides its trust root. */
export async function keylessMeansOf(client: FirmproofClient, root: TrustRoot): Promise<KeylessMeans> {
  if (root.sigstore === undefined) return {};
  return { verifier: keylessVerifier, trustedRoot: await client.sigstoreRoot(root.product) };
}

/**
 * Which image a release is about, by something else than the server's word: the attestation, whose signature holds under the
 * trust root, or, with an RPC node, a Merkle proof of what the registry has recorded. That works in the veto window too, when
 * nobody is shown the attestation.
 * @throws FirmproofError `release-not-found`, `not-installable-yet`, `server-lied`, `statement-*`, `attestation-*`,
 *   `commitment-mismatch`, `chain-unreachable`, `storage-proof-invalid`
 */
export async function recordedImage(
  client: FirmproofClient,
  root: TrustRoot,
  version: Version,
  rpcUrl: string | null,
): Promise<RebuiltRelease> {
  const release = await client.release(root.product, version);
  if (rpcUrl !== null) await requireRecorded(rpcUrl, root, release);
  const text = await attestationOf(client, root, version, rpcUrl !== null);
  if (text === null) return { version, image: release.image, attestedBy: null };
  if (attestationDigest(text) !== release.attestation)
    throw new FirmproofError('server-lied', `the server gives another attestation of ${version} than it names`);
  const attestation = parseAttestation(text);
  await verifyAttestation(attestation, root, await keylessMeansOf(client, root));
  const { statement } = attestation;
  if (statement.predicate.product !== root.product)
    throw new FirmproofError('statement-product', 'the attestation is for another product');
  if (statement.predicate.version !== version)
    throw new FirmproofError('statement-version', `the attestation is for ${statement.predicate.version}`);
  const image = subjectDigest(statement);
  if (image !== release.image)
    throw new FirmproofError('server-lied', `the server names another image of ${version} than was attested`);
  return { version, image, attestedBy: attestation.kind === 'keyed' ? attestation.hint : null };
}

/** Null where nobody is shown it yet and something else has proved the image. */
async function attestationOf(client: FirmproofClient, { product }: TrustRoot, version: Version, isProven: boolean) {
  try {
    return await client.attestation(product, version);
  } catch (error) {
    if (!isFirmproofError(error) || error.code !== 'not-installable-yet') throw error;
    if (isProven) return null;
    throw new FirmproofError('not-installable-yet', error.message, {
      cause: error,
      hint: 'Wait for the end of the veto window, or prove the image by the chain: --rpc URL.',
    });
  }
}

type ReleaseProof = { readonly accountProof: string[]; readonly storageProof: { readonly proof: string[] }[] };

async function requireRecorded(rpcUrl: string, root: TrustRoot, release: ReleaseResource): Promise<void> {
  const rpc = createRpc(rpcUrl);
  const block = await readBlock(rpc, 'finalized');
  if (block === null) throw new FirmproofError('chain-unsuitable', 'the node calls no block final');
  const { commitment, state } = releaseSlots(root.product, release.version);
  const proof = await rpc<ReleaseProof>('eth_getProof', [root.registry, [commitment, state], block.number]);
  const account = await proveAccount(parseBytes32(block.stateRoot), root.registry, proof.accountProof);
  if (account === null) throw new FirmproofError('registry-absent', `no contract is at ${root.registry} on this chain`);
  const proven = (slot: typeof state, index: number) =>
    proveStorage(account.storageRoot, slot, proof.storageProof[index]?.proof ?? []);
  const recorded = await proven(commitment, 0);
  if (decodeReleaseState(BigInt(await proven(state, 1))).status === 'none')
    throw new FirmproofError('release-unknown', `no final block of this chain records ${release.version}`);
  if (recorded !== commitmentOf(bytes32OfDigest(release.image), bytes32OfDigest(release.attestation)))
    throw new FirmproofError('commitment-mismatch', `the chain records another image of ${release.version}`);
}
