import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { z } from 'zod';
import type { Proposal, ProposalKind } from '../api.ts';
import { type Address, type Bytes32, keccak256 } from '../bytes.ts';
import { type ActionName, actions } from '../eip712.ts';
import { FirmproofError } from '../errors.ts';
import { describeIssues } from '../json.ts';
import { type AccountActionName, accountActions, field } from './account-actions.ts';
import { accountTypedData, actionTypedData, nestedTypedData, type RegistryAddress } from './approval.ts';
import { type TypedData, typedDataHash } from './typed-data.ts';

/** What a proposal of each kind asks its approvers to sign; `apply` asks only a new publisher. */
export const registryActions = {
  register: 'Register',
  publish: 'Publish',
  promote: 'Promote',
  revoke: 'Revoke',
  halt: 'Halt',
  configure: 'Configure',
  apply: 'Accept',
  veto: 'Veto',
} as const satisfies Partial<Record<ProposalKind, ActionName>>;

export const accountChanges = {
  'set-signers': 'SetSigners',
  'set-recovery': 'SetRecovery',
  'schedule-recovery': 'Recover',
  recover: 'Recover',
  'cancel-recovery': 'CancelRecovery',
} as const satisfies Partial<Record<ProposalKind, AccountActionName>>;

type Actions = typeof actions & typeof accountActions;

/** The message of a proposal, as what its kind says that it is. */
export type ProposedAction = {
  [Name in keyof Actions]: { readonly action: Name; readonly message: z.infer<Actions[Name]> };
}[keyof Actions];

/**
 * Reads the message that a proposal is about, strictly: what it says beyond its type would not be signed.
 * @throws FirmproofError `approval-malformed`
 */
export function proposedAction({ kind, message }: Pick<Proposal, 'kind' | 'message'>): ProposedAction {
  const action = isUnsigned({ kind, message })
    ? 'Configure'
    : { ...registryActions, ...accountChanges, 'create-account': null }[kind];
  if (action === null) throw new FirmproofError('approval-malformed', 'nobody has to approve that an account is made');
  const schema = { ...actions, ...accountActions }[action];
  const parsed = schema.strict().safeParse(message);
  if (parsed.success) return { action, message: parsed.data } as ProposedAction;
  throw new FirmproofError(
    'approval-malformed',
    `the message of the proposal is no ${action}: ${describeIssues(parsed.error).join('; ')}`,
  );
}

const isRegistryKind = (kind: ProposalKind): kind is keyof typeof registryActions => kind in registryActions;

/** A scheduled configuration is applied without anybody's approval, unless the publisher changes. */
const isUnsigned = ({ kind, message }: Proposed) => kind === 'apply' && message !== undefined && 'trustRoot' in message;

type Proposed = Pick<Proposal, 'kind' | 'message'>;

/**
 * What each signer of the vendor account signs: the one place where a proposal becomes bytes to sign.
 * @throws FirmproofError `approval-malformed`
 */
export function typedDataForSigners(
  proposal: Proposed,
  place: RegistryAddress,
  at: { readonly account: Address; readonly epoch: number },
): TypedData {
  const { action, message } = proposedAction(proposal);
  if (isUnsigned(proposal)) throw new FirmproofError('approval-malformed', 'nobody has to approve this');
  return isRegistryKind(proposal.kind)
    ? nestedTypedData(actionTypedData(place, action as ActionName, message as never), place.chainId, at)
    : accountTypedData(place.chainId, at, action as AccountActionName, message as never);
}

/**
 * The id that the proposal of this message has; null where the message is not the whole of it (the acceptance of a
 * configuration by a new publisher).
 * @throws FirmproofError `approval-malformed`
 */
export function proposalIdOf(proposal: Proposed, place: RegistryAddress, account: Address | undefined): Bytes32 | null {
  const { kind } = proposal;
  const { action, message } = proposedAction(proposal);
  if (action === 'Accept') return null;
  if (kind === 'apply') {
    const hash = typedDataHash(actionTypedData(place, 'Configure', message as never));
    const types = { Apply: [field('bytes32', 'hash')] };
    return typedDataHash({ domain: { name: 'apply' }, types, primaryType: 'Apply', message: { hash } });
  }
  if (isRegistryKind(kind)) return typedDataHash(actionTypedData(place, action as ActionName, message as never));
  if (account === undefined) return null;
  const typed = accountTypedData(place.chainId, { account, epoch: 0 }, action as AccountActionName, message as never);
  return keccak256(utf8ToBytes(`${kind} ${typedDataHash(typed)}`));
}
