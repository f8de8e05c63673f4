import { isFirmproofError, type ProductId, type Proposal, type ServerInfo, type Version } from '@firmproof/protocol';
import type { Said } from '@firmproof/protocol/review';
import type { Api } from './api.ts';

export type LoadedProposal = { readonly info: ServerInfo; readonly said: Said };

/**
 * Everything that the server says around a proposal. Only the proposal itself is needed; whatever else is not to be had is
 * null, and is shown as not checked.
 */
export async function loadProposal(api: Api, id: string): Promise<LoadedProposal> {
  const [info, proposal] = await Promise.all([api.info(), api.proposal(id)]);
  const { product, kind, version } = proposal;
  const isRelease = kind === 'publish';
  const [productSaid, account, attestation, previous] = await Promise.all([
    product ? optional(api.product(product)) : null,
    proposal.approver ? optional(api.account(proposal.approver)) : null,
    isRelease ? optional(api.proposedAttestation(id)) : null,
    isRelease && product && version ? previousRelease(api, product, version) : null,
  ]);
  return { info, said: { proposal, product: productSaid, account, attestation, previous } };
}

async function previousRelease(api: Api, product: ProductId, version: Version): Promise<Said['previous']> {
  const releases = (await optional(api.releases(product))) ?? [];
  const release = releases.find((candidate) => candidate.status === 'active' && candidate.version !== version);
  if (!release) return null;
  const attestation = await optional(api.attestation(release));
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

export const isFinished = ({ state }: Proposal) => ['confirmed', 'rejected', 'expired'].includes(state);
