import { createReadStream } from 'node:fs';
import {
  FirmproofError,
  parseAttestation,
  type ServerInfo,
  type TrustRoot,
  verifyAttestation,
} from '@firmproof/protocol';
import type { RegistryAddress } from '@firmproof/protocol/approval';
import { importImage } from '@firmproof/protocol/node';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import { loadSaid, placeOf, type Review, reviewProposal, type Said } from '@firmproof/protocol/review';
import type { FirmproofClient } from './api-client.ts';
import { sizeOfImage } from './image-file.ts';

const comparedReleases = 50;
const otherImage =
  'Do not approve it if this is the image that you have checked: firmproof reject ID --reason "another image".';

export type ReviewedProposal = { readonly review: Review; readonly said: Said };

/**
 * What a proposal is about, computed here from the message that would be signed.
 * @param known.registry The registry that approvals are made for; null at the first time.
 * @param known.trustRoot Of the product, where it is known here: then the attestation's signature is checked too.
 */
export async function reviewOf(
  client: FirmproofClient,
  info: ServerInfo,
  id: string,
  known: { readonly registry: RegistryAddress | null; readonly trustRoot: TrustRoot | null },
): Promise<ReviewedProposal> {
  const said = await loadSaid(
    {
      proposal: client.proposal,
      product: client.product,
      account: client.account,
      proposedAttestation: (proposal) => client.proposedAttestation(proposal),
      proposedDevices: (proposal) => client.proposedDevices(proposal),
      releases: async (product) => {
        const newest = [];
        for await (const release of client.releases(product)) if (newest.push(release) >= comparedReleases) break;
        return newest;
      },
      attestation: ({ product, version }) => client.attestation(product, version),
      document: (product, document) => client.document(product, document),
      proposedDocument: (proposal, document) => client.proposedDocument(proposal, document),
    },
    id,
  );
  const review = reviewProposal(id, said, placeOf(info, null, known.registry));
  const checks = [...review.checks, ...(await signatureCheck(client, said, known.trustRoot))];
  return { said, review: { ...review, checks } };
}

async function signatureCheck(
  client: FirmproofClient,
  { attestation: text }: Said,
  trustRoot: TrustRoot | null,
): Promise<Review['checks']> {
  if (text === null) return [];
  const name = "The attestation's signature";
  if (trustRoot === null)
    return [{ name, outcome: 'unchecked', text: 'The trust root of this product is not here; devices check it.' }];
  try {
    const attestation = parseAttestation(text);
    const who = attestation.kind === 'keyless' ? 'An identity' : 'A build key';
    // The trust root here has its digest, so it may come from anybody.
    const trustedRoot = trustRoot.sigstore && (await client.sigstoreRoot(trustRoot.product));
    await verifyAttestation(attestation, trustRoot, { verifier: keylessVerifier, trustedRoot });
    return [{ name, outcome: 'passed', text: `${who} of the trust root here has signed it.` }];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const whom = trustRoot.sigstore ? 'build key or identity' : 'build key';
    return [
      { name, outcome: 'failed', text: `No ${whom} of trust root ${trustRoot.version} here has signed it: ${why}.` },
    ];
  }
}

/**
 * Compares a file with the image that is approved.
 * @throws FirmproofError `statement-subject` for another file, `file-not-found`, `image-empty`
 */
export async function requireSameImage(
  file: string,
  approved: NonNullable<Review['image']>,
  onProgress: (sizeBytes: number) => void,
): Promise<void> {
  sizeOfImage(file);
  const { digest, cid } = await importImage(createReadStream(file, { highWaterMark: 1 << 20 }), { onProgress });
  if (digest !== approved.digest)
    throw new FirmproofError(
      'statement-subject',
      `${file} has digest ${digest}, the proposal is for ${approved.digest}`,
      { hint: otherImage },
    );
  if (approved.cid !== null && cid !== approved.cid)
    throw new FirmproofError('statement-cid', `${file} has CID ${cid}, the proposal is for ${approved.cid}`, {
      hint: otherImage,
    });
}
