import type { AccountResource, Quorum, Requirements } from '../api.ts';
import type { Bytes32 } from '../bytes.ts';
import { type Signer, signerKind } from '../signers.ts';
import { nestedTypedData, type SignerApproval } from './approval.ts';
import { type AccountChange, type BySigners, changeTypedData } from './requests.ts';
import { type TypedData, typedDataHash } from './typed-data.ts';

/** What a signer's key is asked to sign, and who has to. */
export type Demand = { readonly requirements: Requirements; readonly digest: Bytes32 };

/** The approval of a registry's action by a vendor account. */
export function demandOfAction(team: AccountResource, plain: TypedData, chainId: number): Demand {
  const { account, epoch } = team;
  const digest = typedDataHash(nestedTypedData(plain, chainId, { account, epoch }));
  return { requirements: { account, epoch, quorums: [currentOf(team)] }, digest };
}

/** The approval of a change of the account itself. */
export function demandOfChange(team: AccountResource, request: AccountChange, chainId: number): Demand {
  const { account, epoch } = team;
  const digest = typedDataHash(changeTypedData(chainId, request, epoch));
  return { requirements: { account, epoch, quorums: quorumsOf(team, request) }, digest };
}

const currentOf = ({ threshold, passkeysAlone, signers }: AccountResource): Quorum => ({
  role: 'current',
  threshold,
  passkeysAlone,
  signers,
});

function quorumsOf(team: AccountResource, request: AccountChange): Quorum[] {
  switch (request.kind) {
    case 'set-signers':
      return [currentOf(team), proposedBy(request.body.message)];
    case 'set-recovery':
    case 'cancel-recovery':
      return [currentOf(team)];
    case 'schedule-recovery':
      return [
        {
          role: 'recovery',
          threshold: team.recovery.threshold,
          passkeysAlone: true,
          signers: team.recovery.signers,
        },
      ];
    case 'recover':
      return [proposedBy(request.body.message)];
  }
}

const proposedBy = (message: { signers: Signer[]; threshold: number; passkeysAlone: boolean }): Quorum => ({
  role: 'proposed',
  threshold: message.threshold,
  passkeysAlone: message.passkeysAlone,
  signers: message.signers,
});

export function isAsked({ quorums }: Requirements, signer: Signer): boolean {
  return quorums.some(({ signers }) => signers.includes(signer));
}

/** The approvals of one quorum, when they are enough; null while they are not. */
export function approvedBy<Approval extends Pick<SignerApproval, 'signer'>>(
  quorum: Quorum,
  approvals: readonly Approval[],
): readonly Approval[] | null {
  const own = approvals.filter(({ signer }) => quorum.signers.includes(signer));
  const outside = quorum.passkeysAlone || own.some(({ signer }) => signerKind(signer) !== 'passkey');
  return quorum.threshold > 0 && own.length >= quorum.threshold && outside ? own : null;
}

/** Why the quorum is not there yet, for people. */
export function describeMissing(
  { quorums }: Requirements,
  approvals: readonly Pick<SignerApproval, 'signer'>[],
): { readonly code: 'approvals-missing' | 'browser-alone'; readonly message: string } | null {
  for (const quorum of quorums) {
    if (approvedBy(quorum, approvals) !== null) continue;
    const count = approvals.filter(({ signer }) => quorum.signers.includes(signer)).length;
    return count < quorum.threshold
      ? {
          code: 'approvals-missing',
          message: `${count} of ${quorum.threshold} needed ${quorum.role} signers have approved`,
        }
      : { code: 'browser-alone', message: 'all approvals come from passkeys, one is needed from outside a browser' };
  }
  return null;
}

/** Whether so many have rejected it that no quorum can come together any more. */
export function isOutOfReach({ quorums }: Requirements, rejecting: readonly Signer[]): boolean {
  return quorums.some(
    ({ signers, threshold }) => signers.filter((signer) => !rejecting.includes(signer)).length < threshold,
  );
}

/** Each quorum's approvals go where the contract looks for them; null while one is missing. */
export function sortedOut({ quorums }: Requirements, approvals: readonly SignerApproval[]): BySigners | null {
  const sides = { approval: [] as SignerApproval[], proof: [] as SignerApproval[] };
  for (const quorum of quorums) {
    const own = approvedBy(quorum, approvals);
    if (own === null) return null;
    sides[quorum.role === 'proposed' ? 'proof' : 'approval'].push(...own);
  }
  return sides;
}
