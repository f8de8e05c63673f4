import type { AccountResource, ProductResource, Proposal, ReleaseResource } from '../api.ts';
import type { Address } from '../bytes.ts';
import { isFirmproofError } from '../errors.ts';
import type { ProductId, Version } from '../names.ts';
import { readDevices } from './devices.ts';
import type { Said } from './review.ts';

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
    devices: devices !== null && product ? await readDevices(devices, product) : null,
    previous,
  };
}

async function previousRelease(source: SaidSource, product: ProductId, version: Version): Promise<Said['previous']> {
  const releases = (await optional(source.releases(product))) ?? [];
  const release = releases.find((candidate) => candidate.status === 'active' && candidate.version !== version);
  if (!release) return null;
  const attestation = await optional(source.attestation(release));
  return attestation === null ? null : { release, attestation };
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
