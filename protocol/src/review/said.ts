import type { AccountResource, ProductResource, Proposal, ReleaseResource } from '../api.ts';
import { parseAttestation } from '../attestation.ts';
import type { Address } from '../bytes.ts';
import type { ReleaseDocument } from '../documents.ts';
import { isFirmproofError } from '../errors.ts';
import type { ProductId, Version } from '../names.ts';
import { readDevices } from './devices.ts';
import type { GivenDocument } from './documents.ts';
import type { Said } from './review.ts';

/** Which document is asked for, and how many bytes it has. */
export type DocumentPlace = Pick<ReleaseDocument, 'digest' | 'sizeBytes'>;

/** What is fetched of the documents of one release, to be hashed and compared: whoever approves does not wait for more. */
const maximumFetchedBytes = 8 * 1024 * 1024;

/** Where what is said of a proposal comes from: a server, through whoever asks it. */
export type SaidSource = {
  proposal(id: string): Promise<Proposal>;
  product(product: ProductId): Promise<ProductResource>;
  account(account: Address): Promise<AccountResource>;
  proposedAttestation(id: string): Promise<string>;
  /** The list of the devices that a proposal anchors, as CSV. */
  proposedDevices(id: string): Promise<string>;
  /** Newest first; as many as it takes to find the one before. */
  releases(product: ProductId): Promise<readonly ReleaseResource[]>;
  attestation(release: ReleaseResource): Promise<string>;
  /** Not hashed, and one byte more than it should have at most. */
  document(product: ProductId, document: DocumentPlace): Promise<Uint8Array>;
  proposedDocument(id: string, document: DocumentPlace): Promise<Uint8Array>;
};

/**
 * Everything that the server says around a proposal. Only the proposal itself is needed; whatever else is not to be had is
 * null, and is shown as not checked.
 */
export async function loadSaid(source: SaidSource, id: string): Promise<Said> {
  const proposal = await source.proposal(id);
  const { product, kind, version } = proposal;
  const isRelease = kind === 'publish';
  const [productSaid, account, attestation, devices, previous] = await Promise.all([
    product ? optional(source.product(product)) : null,
    proposal.approver ? optional(source.account(proposal.approver)) : null,
    isRelease ? optional(source.proposedAttestation(id)) : null,
    kind === 'anchor-devices' ? optional(source.proposedDevices(id)) : null,
    isRelease && product && version ? previousRelease(source, product, version) : null,
  ]);
  return {
    proposal,
    product: productSaid,
    account,
    attestation,
    documents: await given(
      attestation,
      () => true,
      (document) => source.proposedDocument(id, document),
    ),
    devices: devices !== null && product ? await readDevices(devices, product) : null,
    previous,
  };
}

async function previousRelease(source: SaidSource, product: ProductId, version: Version): Promise<Said['previous']> {
  const releases = (await optional(source.releases(product))) ?? [];
  const release = releases.find((candidate) => candidate.status === 'active' && candidate.version !== version);
  if (!release) return null;
  const attestation = await optional(source.attestation(release));
  if (attestation === null) return null;
  const isSbom = ({ kind }: ReleaseDocument) => kind === 'sbom';
  const documents = await given(attestation, isSbom, (document) => source.document(product, document));
  return { release, attestation, documents };
}

/** What the server gives as the documents that an attestation names. */
async function given(
  attestation: string | null,
  isWanted: (document: ReleaseDocument) => boolean,
  fetch: (document: ReleaseDocument) => Promise<Uint8Array>,
): Promise<readonly GivenDocument[]> {
  const answers: GivenDocument[] = [];
  let left = maximumFetchedBytes;
  for (const document of attestation === null ? [] : documentsOf(attestation).filter(isWanted)) {
    if (document.sizeBytes > left || answers.some(({ digest }) => digest === document.digest)) continue;
    left -= document.sizeBytes;
    answers.push({ digest: document.digest, bytes: await optional(fetch(document)) });
  }
  return answers;
}

/** An attestation that nobody can read names none: the review says what is wrong with it. */
function documentsOf(attestation: string): readonly ReleaseDocument[] {
  try {
    return parseAttestation(attestation).statement.predicate.documents ?? [];
  } catch (error) {
    if (isFirmproofError(error)) return [];
    throw error;
  }
}

/** null where the server has an answer that says no; when it does not answer, that is an error all the same. */
async function optional<Value>(answer: Promise<Value>): Promise<Value | null> {
  try {
    return await answer;
  } catch (error) {
    if (isFirmproofError(error) && error.code !== 'server-unreachable') return null;
    throw error;
  }
}
