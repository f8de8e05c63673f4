import {
  type AccountResource,
  FirmproofError,
  type Proposal,
  type Requirements,
  requireUsableSigners,
} from '@firmproof/protocol';
import {
  type AccountActionMessage,
  type AccountChange,
  accountActions,
  accountTypes,
  demandOfChange,
  hashStruct,
  isAsked,
} from '@firmproof/protocol/approval';
import { deadlineFromNow } from './approve.ts';
import type { SignerApprover } from './approver.ts';
import type { SignerSet } from './team.ts';
import type { Vendor } from './vendor.ts';

/** New signers, approved by the old k and the new k. @throws FirmproofError `signers-invalid` */
export function setSigners({ account, epoch }: AccountResource, set: SignerSet): AccountChange {
  return { kind: 'set-signers', body: { account, message: newSigners(epoch, set) } };
}

/** Announces new signers, approved by the recovery set. @throws FirmproofError `signers-invalid`, `recovery-pending` */
export function scheduleRecovery({ account, epoch, recovery }: AccountResource, set: SignerSet): AccountChange {
  if (recovery.threshold === 0) throw new FirmproofError('recovery-pending', 'the account has no recovery signers');
  return { kind: 'schedule-recovery', body: { account, message: newSigners(epoch, set) } };
}

function newSigners(epoch: number, { signers, threshold, passkeysAlone }: SignerSet) {
  requireUsableSigners(signers, threshold, passkeysAlone);
  return { signers: [...signers], threshold, passkeysAlone, epoch: epoch + 1, deadline: deadlineFromNow() };
}

/** A new recovery set; no signers end recovery. @throws FirmproofError `signers-invalid` */
export function setRecovery(
  { account, recovery }: AccountResource,
  { signers, threshold }: Pick<SignerSet, 'signers' | 'threshold'>,
): AccountChange {
  if (signers.length > 0 || threshold > 0) requireUsableSigners(signers, threshold, true);
  const message = { signers: [...signers], threshold, epoch: recovery.epoch + 1, deadline: deadlineFromNow() };
  return { kind: 'set-recovery', body: { account, message } };
}

/** @throws FirmproofError `recovery-pending` when none is announced */
export function cancelRecovery(team: AccountResource): AccountChange {
  const { hash } = requirePending(team);
  const message = { pending: hash, deadline: deadlineFromNow() };
  return { kind: 'cancel-recovery', body: { account: team.account, message } };
}

/**
 * Puts the announced signers in force. The account keeps only the hash of what was announced, so it is looked for among
 * proposals.
 * @throws FirmproofError `recovery-pending`
 */
export function completeRecovery(team: AccountResource, proposals: readonly Proposal[]): AccountChange {
  const { hash } = requirePending(team);
  for (const { kind, message } of proposals) {
    const announced = kind === 'schedule-recovery' ? accountActions.Recover.safeParse(message) : null;
    if (announced?.success && recoveryHash(announced.data) === hash)
      return { kind: 'recover', body: { account: team.account, message: announced.data } };
  }
  throw new FirmproofError('recovery-pending', `this server does not know what was announced as ${hash}`, {
    hint: 'Ask the server that the recovery was announced through; the event RecoveryScheduled of the account names it too.',
  });
}

const recoveryHash = (message: AccountActionMessage<'Recover'>) => hashStruct(accountTypes, 'Recover', { ...message });

function requirePending({ pendingRecovery }: AccountResource) {
  if (pendingRecovery) return pendingRecovery;
  throw new FirmproofError('recovery-pending', 'no recovery is announced');
}

/** Who has to approve a change. */
export const requirementsOf = (team: AccountResource, change: AccountChange, chainId: number): Requirements =>
  demandOfChange(team, change, chainId).requirements;

/** Proposes a change of the vendor's account, approved by the own key where that is asked. */
export async function proposeChange(
  { client, info, approver }: Vendor<SignerApprover>,
  team: AccountResource,
  change: AccountChange,
): Promise<Proposal> {
  const { chainId } = info;
  const asked = isAsked(requirementsOf(team, change, chainId), approver.key.signer);
  const approvals = asked ? [await approver.signChange(chainId, change)] : [];
  return client.changeAccount(change.kind, team.account, { message: change.body.message, approvals });
}
