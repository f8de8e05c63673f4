import type { z } from 'zod';
import type { Proposal } from '../api.ts';
import type { Address, Bytes32 } from '../bytes.ts';
import { type ActionName, actions } from '../eip712.ts';
import { FirmproofError } from '../errors.ts';
import { describeIssues } from '../json.ts';
import { accountActions } from './account-actions.ts';
import {
  type AccountAtEpoch,
  accountTypedData,
  actionTypedData,
  nestedTypedData,
  type RegistryAddress,
} from './approval.ts';
import { accountActionOfKind, actionOfKind, type ChainRequest, proposalIdOf } from './requests.ts';
import type { TypedData } from './typed-data.ts';

type Actions = typeof actions & typeof accountActions;

/** What a proposal asks for, its message read as what its kind says that it is. */
export type ProposedAction = {
  readonly [Name in keyof Actions]: { readonly action: Name; readonly message: z.infer<Actions[Name]> };
}[keyof Actions];

type Proposed = Pick<Proposal, 'kind' | 'message'>;

/** Only a new publisher has to sign where a configuration is applied, and it signs that it accepts. */
function actionNameOf({ kind, message }: Proposed): keyof Actions {
  if (kind === 'create-account')
    throw new FirmproofError('approval-malformed', 'nobody has to approve that an account is made');
  if (kind === 'apply' && message !== undefined && !('trustRoot' in message)) return 'Accept';
  return { ...actionOfKind, ...accountActionOfKind }[kind];
}

/**
 * Reads the message of a proposal, strictly: what it says beyond its type would not be signed.
 * @throws FirmproofError `approval-malformed`
 */
export function proposedAction(proposal: Proposed): ProposedAction {
  const action = actionNameOf(proposal);
  const schema = { ...actions, ...accountActions }[action];
  const parsed = schema.strict().safeParse(proposal.message);
  if (parsed.success) return { action, message: parsed.data } as ProposedAction;
  const mistakes = describeIssues(parsed.error).join('; ');
  throw new FirmproofError('approval-malformed', `the message of the proposal is no ${action}: ${mistakes}`);
}

/**
 * What each signer of the vendor account at `at` signs to approve the proposal.
 * @throws FirmproofError `approval-malformed`
 */
export function proposedTypedData(proposal: Proposed, place: RegistryAddress, at: AccountAtEpoch): TypedData {
  const { action, message } = proposedAction(proposal);
  if (action in accountActions) return accountTypedData(place.chainId, at, action as never, message as never);
  if (proposal.kind === 'apply' && action === 'Configure')
    throw new FirmproofError('approval-malformed', 'nobody has to approve this');
  return nestedTypedData(actionTypedData(place, action as ActionName, message as never), place.chainId, at);
}

/**
 * The id that the proposal of this message has to have. null where the message is not all of it: a new publisher accepts a
 * configuration without its values.
 * @throws FirmproofError `approval-malformed`
 */
export function idOfProposed(proposal: Proposed, place: RegistryAddress, account: Address): Bytes32 | null {
  const { action, message } = proposedAction(proposal);
  if (action === 'Accept') return null;
  return proposalIdOf(place, { kind: proposal.kind, body: { message, account } } as ChainRequest);
}
