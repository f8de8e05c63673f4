import type { RegistryAddress } from '../approval/approval.ts';
import { actionTypedData, nestedTypedData } from '../approval/approval.ts';
import { isSignedBy } from '../approval/signature.ts';
import { type TypedData, typedDataHash } from '../approval/typed-data.ts';
import type { Address } from '../bytes.ts';
import { toHex } from '../bytes.ts';
import { FirmproofError } from '../errors.ts';
import type { Signer } from '../signers.ts';
import type { SignerSet } from './account-events.ts';
import { requireSameAction } from './call-of-event.ts';
import type { HistoryEvent } from './event.ts';
import { type RegistryCall, readRegistryCall } from './registry-call.ts';
import { isEnough, type KnownSet, type SignersBasis } from './signer-history.ts';
import type { Transaction } from './transaction.ts';
import { unwrapApproval, type WrappedApproval } from './wrapped-approval.ts';

/**
 * How an event was approved, as far as it can be seen (V8).
 * key: by one key, whose signature recovers to the approver: proven.
 * vendor-account: by keys whose signatures are over this action nested for this account. That they were signers of the
 *   account is what `quorum` says.
 * contract: by an account of another kind, such as a Safe, whose rules are not known here: not verified.
 * none: nobody had to, as for applying what was approved when it was scheduled.
 * unknown: the transaction calls something else, which called the registry: not verified.
 */
export type ApprovalForm = 'key' | 'vendor-account' | 'contract' | 'none' | 'unknown';

export type EventApproval = {
  /** The account that had to approve. */
  readonly approver: Address | null;
  readonly form: ApprovalForm;
  /** The signer epoch of the account that the signatures are bound to. */
  readonly epoch: number | null;
  readonly signers: readonly { readonly signer: Signer; readonly valid: boolean }[];
  /** Whether valid signers are enough of the account's set at that epoch. unknown: the set was not given, or the form says nothing. */
  readonly quorum: 'reached' | 'missed' | 'unknown';
  /** What that set rests on; null where there is none, or it was given without it. */
  readonly signersBy: SignersBasis | null;
};

export type ApprovalPlace = RegistryAddress & {
  /** Who had to approve: `ProductHistory.approverOf`, asked before the event is applied. */
  readonly approver: Address | null;
  /** The sets of signers that a vendor account has had: `signerHistoryOf`. Without them epochs are tried, from 1. */
  readonly signerSets?: readonly (SignerSet & Partial<Pick<KnownSet, 'basis' | 'from' | 'until'>>)[] | undefined;
};

/** Each attempt costs one check of a signature; an account changes its signers a few times in its life. */
const maximumEpochs = 32;

/**
 * Who approved an event, from the input of its transaction (V8): the signatures are verified over the action that the event
 * itself tells, so that it does not matter who hands the transaction over, or whether it has the hash that it is said to have.
 * @throws FirmproofError `transaction-mismatch` where the transaction calls the registry and says something else than the event
 */
export async function approvalOf(
  event: HistoryEvent,
  transaction: Transaction,
  place: ApprovalPlace,
): Promise<EventApproval> {
  const { approver, registry } = place;
  if (transaction.hash !== event.transaction) throw mismatch(event, 'has another hash');
  const unseen = { approver, epoch: null, signers: [], quorum: 'unknown', signersBy: null } as const;
  if (transaction.to !== registry) return { ...unseen, form: 'unknown' };
  const call = readRegistryCall(transaction.input);
  if (call === null) throw mismatch(event, 'is no call of the registry that can be read');
  const signed = requireSameAction(event, call, place);
  if (approver === null || signed === null) return { ...unseen, form: 'none', quorum: 'reached' };
  const plain = actionTypedData(place, signed.action, signed.message as never);
  return judge(plain, call, approver, place, event.block.number) ?? { ...unseen, form: 'contract' };
}

function judge(
  plain: TypedData,
  { approval }: RegistryCall,
  approver: Address,
  place: ApprovalPlace,
  block: number,
): EventApproval | null {
  const key = approver as string as Signer;
  if (isSignedBy(key, typedDataHash(plain), toHex(approval))) {
    const signers = [{ signer: key, valid: true }];
    return { approver, form: 'key', epoch: null, signers, quorum: 'reached', signersBy: null };
  }
  const wrapped = unwrapApproval(approval, plain);
  // Nothing else is ever taken by an account that is known to be a vendor account.
  if (wrapped === null && !place.signerSets) return null;
  return judgeSigners(plain, wrapped ?? [], approver, place, block);
}

function judgeSigners(
  plain: TypedData,
  wrapped: WrappedApproval,
  account: Address,
  { chainId, signerSets }: ApprovalPlace,
  block: number,
): EventApproval {
  const digestAt = (epoch: number) => typedDataHash(nestedTypedData(plain, chainId, { account, epoch }));
  const epochs = (signerSets && epochsAt(signerSets, block)) ?? firstEpochs;
  // An account refuses an approval with one signature that does not hold, so the first tells the epoch.
  const [first] = wrapped;
  const epoch = epochs.find((candidate) => first && isSignedBy(first.signer, digestAt(candidate), first.signature));
  const digest = epoch === undefined ? null : digestAt(epoch);
  const signers = wrapped.map(({ signer, signature }) => ({
    signer,
    valid: digest !== null && isSignedBy(signer, digest, signature),
  }));
  const set = signerSets?.find((candidate) => candidate.epoch === epoch);
  const signersBy = set?.basis ?? null;
  const isUntried = epoch === undefined && wrapped.length > 0 && (signerSets?.length ?? 0) > maximumEpochs;
  const quorum = isUntried ? 'unknown' : quorumOf(signers, set, block);
  return { approver: account, form: 'vendor-account', epoch: epoch ?? null, signers, quorum, signersBy };
}

type Sets = NonNullable<ApprovalPlace['signerSets']>;
const isInForce = ({ from, until }: Sets[number], block: number) =>
  block >= (from ?? block) && block <= (until ?? block);

/** The epochs to try: those that may have been in force first, and the newest of them first. */
function epochsAt(sets: Sets, block: number): readonly number[] {
  const newestFirst = sets.toReversed();
  const inForce = newestFirst.filter((set) => isInForce(set, block));
  const others = newestFirst.filter((set) => !isInForce(set, block));
  return [...inForce, ...others].slice(0, maximumEpochs).map(({ epoch }) => epoch);
}

const firstEpochs = Array.from({ length: maximumEpochs }, (_, index) => index + 1);

function quorumOf(
  signers: EventApproval['signers'],
  set: Sets[number] | undefined,
  block: number,
): EventApproval['quorum'] {
  if (signers.length === 0 || !signers.every(({ valid }) => valid)) return 'missed';
  if (set === undefined) return 'unknown';
  // Signers that are gone approve nothing any more, and those to come nothing yet (A46).
  if (!isInForce(set, block)) return 'missed';
  const keys = signers.map(({ signer }) => signer);
  return isEnough(set, keys) ? 'reached' : 'missed';
}

const mismatch = (event: HistoryEvent, why: string) =>
  new FirmproofError('transaction-mismatch', `the transaction given for entry ${event.sequence} ${why}`);
