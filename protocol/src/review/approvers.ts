import { approvedBy } from '../approval/index.ts';
import { type Proposal, type Quorum, type Signer, signerKind } from '../index.ts';

export type Approver = {
  readonly signer: Signer;
  readonly state: 'approved' | 'rejected' | 'missing';
  readonly at?: number;
  readonly reason?: string;
};

export type QuorumProgress = {
  readonly role: Quorum['role'];
  readonly threshold: number;
  readonly approved: number;
  readonly complete: boolean;
  /** Enough have approved, but all of them in a browser. */
  readonly needsOutside: boolean;
  readonly passkeysAlone: boolean;
  readonly approvers: readonly Approver[];
};

/** Who has approved, who has not, quorum by quorum; all as the server says. */
export function progressOf({ requirements, approvals, rejections }: Proposal): readonly QuorumProgress[] {
  if (!requirements) return [];
  const counting = approvals.filter(({ epoch }) => epoch === requirements.epoch);
  return requirements.quorums.map((quorum) => {
    const own = counting.filter(({ signer }) => quorum.signers.includes(signer));
    const given = own.map(({ signer }) => ({ signer, signature: '0x' as const }));
    return {
      role: quorum.role,
      threshold: quorum.threshold,
      passkeysAlone: quorum.passkeysAlone,
      approved: own.length,
      complete: approvedBy(quorum, given) !== null,
      needsOutside:
        own.length >= quorum.threshold - 1 &&
        !quorum.passkeysAlone &&
        own.length > 0 &&
        own.every(({ signer }) => signerKind(signer) === 'passkey'),
      approvers: quorum.signers.map((signer) => approverOf(signer, own, rejections)),
    };
  });
}

function approverOf(signer: Signer, approvals: Proposal['approvals'], rejections: Proposal['rejections']): Approver {
  const approval = approvals.find((candidate) => candidate.signer === signer);
  if (approval) return { signer, state: 'approved', at: approval.at };
  const rejection = rejections.find((candidate) => candidate.signer === signer);
  if (rejection) return { signer, state: 'rejected', at: rejection.at, reason: rejection.reason };
  return { signer, state: 'missing' };
}

/** The passkeys that are asked. */
export function askedPasskeys({ requirements }: Proposal): readonly Signer[] {
  const signers = requirements?.quorums.flatMap((quorum) => quorum.signers) ?? [];
  return [...new Set(signers)].filter((signer) => signerKind(signer) === 'passkey');
}
