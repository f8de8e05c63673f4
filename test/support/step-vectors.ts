import {
  asciiWord,
  blockStatementBytes,
  digestOfBytes32,
  type Envelope,
  headSlots,
  parseAttestation,
  parseChannel,
  parseEvidence,
  parseTrustRoot,
  parseVersion,
  preAuthenticationEncoding,
  productSlots,
  proveAccount,
  proveStorage,
  releaseSlots,
  sha256,
  toHex,
  vouchingOperators,
} from '@firmproof/protocol';

// biome-ignore lint/suspicious/noExplicitAny: a vector, read as another language would.
type EvidenceVector = any;

/** What each step of the checks comes to for the evidence of the vectors: hexadecimal without 0x, in the order of the checks. */
export async function stepsOf({
  trustRoot,
  evidence,
  device,
  proves,
}: EvidenceVector): Promise<Record<string, string>> {
  const root = parseTrustRoot(JSON.stringify(trustRoot));
  const parsed = parseEvidence(JSON.stringify(evidence));
  const account = await proveAccount(parsed.block.stateRoot, root.registry, parsed.accountProof);
  if (account === null || !parsed.release) throw new Error('the vectors prove an update');
  const product = productSlots(root.product);
  const head = headSlots(root.product, parseChannel(device.channel));
  const release = releaseSlots(root.product, parseVersion(proves.version));
  const attestation = JSON.parse(parsed.release.attestation).dsseEnvelope;
  const signedDigest = ({ payloadType, payload }: Envelope) =>
    sha256(preAuthenticationEncoding(payloadType, Buffer.from(payload, 'base64')));
  const word = async (slot: typeof product.state, name: keyof typeof parsed.storageProofs) =>
    proveStorage(account.storageRoot, slot, parsed.storageProofs[name] ?? []);
  const releaseState = await word(release.state, 'releaseState');
  const sequence = releaseState.slice(2 + 64 - 44, 2 + 64 - 32).padStart(64, '0');
  const steps = {
    trustRootDigest: root.digest,
    trustRootSigned: signedDigest(trustRoot),
    blockStatement: toHex(blockStatementBytes(parsed.block)),
    vouching: vouchingOperators(parsed.block, parsed.cosignatures, root.witnesses).size.toString(16).padStart(2, '0'),
    storageRoot: account.storageRoot,
    codeHash: account.codeHash,
    productSlot: product.state,
    headSlot: head.version,
    productState: await word(product.state, 'productState'),
    history: await word(product.history, 'history'),
    trustRoot: digestOfBytes32(await word(product.trustRoot, 'trustRoot')),
    headVersion: asciiWord(proves.version),
    headSchedule: await word(head.schedule, 'headSchedule'),
    releaseSlot: release.commitment,
    releaseCommitment: await word(release.commitment, 'releaseCommitment'),
    releaseState,
    attestationDigest: parseAttestation(parsed.release.attestation).digest,
    attestationSigned: signedDigest(attestation),
    bucket: sha256(Buffer.from(`${device.rolloutSecret}${root.product.slice(2)}${sequence}`, 'hex')).slice(0, 8),
  };
  return Object.fromEntries(Object.entries(steps).map(([name, value]) => [name, value.replace(/^0x/, '')]));
}
