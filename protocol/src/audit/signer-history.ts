import { approvedBy } from '../approval/requirements.ts';
import { isSignedBy } from '../approval/signature.ts';
import type { Address, Bytes32 } from '../bytes.ts';
import { type Signer, signerKeyHash } from '../signers.ts';
import type { BlockStatement } from '../witness.ts';
import { accountAddressOf } from './account-address.ts';
import { type AccountCall, readAccountCall } from './account-call.ts';
import type { SignerSet } from './account-events.ts';
import type { AccountChange, AccountRecord } from './account-record.ts';
import { type ProvenAccount, proveAccountState } from './account-storage.ts';
import type { WrappedApproval } from './wrapped-approval.ts';

/**
 * What a set of signers rests on (V11.2 to V11.5). address: the account's address is made of it. signed: the set before has signed for it (for a
 * recovery: its recovery set), and so on back to the address. storage: the account's storage holds it. These are proofs; shown is
 * the word of nodes, as for a change through another contract.
 */
export type SignersBasis = 'address' | 'signed' | 'storage' | 'shown';

export type KnownSet = SignerSet & {
  readonly basis: SignersBasis;
  /** The blocks in which it came into force and in which it went, as far as that is known. */
  readonly from: number | null;
  readonly until: number | null;
};

/** How a set came about. unseen: nobody has shown it, only storage has it. */
export type SignersChange = KnownSet & {
  readonly kind: 'signers' | 'recovery-set' | 'recovered' | 'unseen';
  /** Who has signed for it; nobody where that cannot be seen. */
  readonly approvers: readonly Signer[];
};

export type SignerHistory = {
  readonly account: Address;
  /** By epoch, from the first. */
  readonly sets: readonly KnownSet[];
  readonly changes: readonly SignersChange[];
  /** Proven by storage. */
  readonly pending: (NonNullable<ProvenAccount['pending']> & { readonly approvers: readonly Signer[] }) | null;
  /** What was shown and cannot be true, or was left out: for people. */
  readonly disputes: readonly string[];
  readonly shownBy: number;
};

type Quorum = Pick<SignerSet, 'signers' | 'threshold' | 'passkeysAlone'>;

/** Whether the account would take these for its approval: nobody else among them, each key once, enough of them (A12). */
export function isEnough(set: Quorum, signers: readonly Signer[]): boolean {
  const keys = new Set(signers.map(signerKeyHash));
  const members = signers.every((signer) => set.signers.includes(signer));
  const voices = signers.map((signer) => ({ signer }));
  return (
    members &&
    keys.size === signers.length &&
    approvedBy({ ...set, role: 'current', signers: [...set.signers] }, voices) !== null
  );
}

const haveSigned = (set: Quorum, approvals: WrappedApproval, digest: Bytes32): boolean =>
  approvals.every(({ signer, signature }) => isSignedBy(signer, digest, signature)) &&
  isEnough(
    set,
    approvals.map(({ signer }) => signer),
  );

/**
 * The sets of signers that a vendor account has had, each with what it rests on (V11). Whose block it is is not asked here.
 * @returns null where the proof shows that there is no vendor account
 * @throws FirmproofError `account-proof-invalid`, `storage-proof-invalid`, `proof-too-large`
 */
export async function signerHistoryOf(
  record: AccountRecord,
  block: Pick<BlockStatement, 'stateRoot' | 'chainId'>,
): Promise<SignerHistory | null> {
  const { account, shownBy } = record;
  const proven = await proveAccountState(record.proof, account, block);
  if (proven === null) return null;
  const chain = new SignerChain(record, block.chainId);
  for (const change of record.changes) if (!chain.take(change, proven.current.epoch)) break;
  chain.end(proven);
  const call = record.announcement?.to === account ? readAccountCall(record.announcement.input) : null;
  const isSame = call?.name === 'scheduleRecovery' && call.structHash === proven.pending?.hash;
  const by: Quorum = { ...proven.recovery, passkeysAlone: true };
  const approvers = isSame ? chain.announcedBy(call, proven.current.epoch, by) : null;
  const pending = proven.pending && { ...proven.pending, approvers: approvers ?? [] };
  return { account, ...chain.result(), pending, shownBy };
}

type Growing = Omit<SignersChange, 'until'>;

class SignerChain {
  readonly #account: Address;
  readonly #chainId: number;
  readonly #first: Omit<KnownSet, 'until'>;
  /** Whether the address is made of the first set. Of another, nothing follows. */
  readonly #isRooted: boolean;
  readonly #changes: Growing[] = [];
  readonly #disputes: string[] = [];
  #recovery: Quorum;
  readonly #blocksAreKnown: boolean;

  constructor({ account, first, shownBy }: AccountRecord, chainId: number) {
    this.#account = account;
    this.#blocksAreKnown = shownBy > 0;
    this.#chainId = chainId;
    const { signers, threshold, passkeysAlone, recoverySigners, recoveryThreshold } = first;
    this.#isRooted = accountAddressOf(first) === account;
    this.#first = { epoch: 1, signers, threshold, passkeysAlone, basis: 'address', from: null };
    this.#recovery = { signers: recoverySigners, threshold: recoveryThreshold, passkeysAlone: true };
  }

  get #last(): Omit<KnownSet, 'until'> {
    return this.#changes.at(-1) ?? this.#first;
  }

  /** false where nothing that comes behind it can be told. */
  take(change: AccountChange, lastEpoch: number): boolean {
    const { epoch, set, block, recovery, transaction } = change;
    if (!this.#isRooted) return this.#dispute('its address is not made of the first signers that are shown');
    if (epoch > lastEpoch) return this.#dispute(`signer epoch ${epoch} is shown, storage has ${lastEpoch}`);
    if (epoch !== this.#last.epoch + 1) return this.#dispute(`signer epoch ${this.#last.epoch + 1} is left out`);
    const from = this.#blocksAreKnown ? block.number : null;
    const call = transaction?.to === this.#account ? readAccountCall(transaction.input) : null;
    if (transaction?.to === this.#account) {
      const approved = call && this.#approved(call, change);
      if (call === null || approved === null)
        return this.#dispute(`nobody who could has signed for what is shown as signer epoch ${epoch}`);
      const isProven = this.#last.basis !== 'shown' && approved.approvers.length > 0;
      this.#changes.push({ ...approved, epoch, basis: isProven ? 'signed' : 'shown', from });
      return true;
    }
    const kind = recovery === null ? 'signers' : 'recovery-set';
    this.#changes.push({ ...set, epoch, kind, basis: 'shown', from, approvers: [] });
    if (recovery) this.#recovery = { ...recovery, passkeysAlone: true };
    return true;
  }

  /**
   * What the call makes of the set before, if those have signed it who have to; null if not. Without approvers where a recovery
   * was announced through another contract, or nobody has what announced it.
   */
  #approved(call: AccountCall, { announcement }: AccountChange): (Quorum & Pick<Growing, 'kind' | 'approvers'>) | null {
    const last = this.#last;
    const digest = call.digestAt(this.#chainId, { account: this.#account, epoch: last.epoch });
    const approvers = call.approval.map(({ signer }) => signer);
    const { signers, threshold, passkeysAlone } = call;
    const next = { signers, threshold, passkeysAlone };
    switch (call.name) {
      case 'setSigners': {
        const isGood = haveSigned(last, call.approval, digest) && haveSigned(next, call.proof, digest);
        return isGood && call.epoch === last.epoch + 1 ? { ...next, kind: 'signers', approvers } : null;
      }
      case 'setRecovery': {
        if (!haveSigned(last, call.approval, digest)) return null;
        this.#recovery = next;
        const { signers: same, threshold: k, passkeysAlone: alone } = last;
        return { signers: same, threshold: k, passkeysAlone: alone, kind: 'recovery-set', approvers };
      }
      case 'recover': {
        if (!haveSigned(next, call.proof, digest)) return null;
        if (announcement?.to !== this.#account) return { ...next, kind: 'recovered', approvers: [] };
        const announced = readAccountCall(announcement.input);
        const by = announced?.structHash === call.structHash ? this.announcedBy(announced, last.epoch) : null;
        return by && { ...next, kind: 'recovered', approvers: by };
      }
      case 'scheduleRecovery':
        return null;
    }
  }

  /** Who of the recovery set has announced it; null where those are not enough. */
  announcedBy(call: AccountCall, epoch: number, recovery = this.#recovery): readonly Signer[] | null {
    const digest = call.digestAt(this.#chainId, { account: this.#account, epoch });
    const isGood = call.name === 'scheduleRecovery' && haveSigned(recovery, call.approval, digest);
    return isGood ? call.approval.map(({ signer }) => signer) : null;
  }

  /** The last word has storage. */
  end({ current }: ProvenAccount): void {
    const last = this.#last;
    const isLast = this.#isRooted && last.epoch === current.epoch;
    const isSame =
      isLast &&
      last.threshold === current.threshold &&
      last.passkeysAlone === current.passkeysAlone &&
      last.signers.join() === current.signers.join();
    if (isSame && last.basis !== 'shown') return;
    if (isLast && !isSame) this.#dispute(`the signers of epoch ${last.epoch} are shown to be others than storage has`);
    if (!isLast && current.epoch > 1 && this.#disputes.length === 0)
      this.#dispute(`storage has signer epoch ${current.epoch}, what is shown ends with ${last.epoch}`);
    const known = isLast ? this.#changes.pop() : undefined;
    const rest = known && isSame ? known : ({ kind: 'unseen', approvers: [], from: null } as const);
    this.#changes.push({ ...rest, ...current, basis: 'storage' });
  }

  result(): Pick<SignerHistory, 'sets' | 'changes' | 'disputes'> {
    const all = [...(this.#isRooted ? [this.#first] : []), ...this.#changes];
    // Where epochs in between are not known, nobody knows when this one ended.
    const until = (index: number) =>
      all[index + 1]?.epoch === (all[index]?.epoch ?? 0) + 1 ? (all[index + 1]?.from ?? null) : null;
    const whole = all.map((set, index) => ({ ...set, until: until(index) }));
    const changes = whole.filter((set): set is SignersChange => 'kind' in set && set.epoch > 1);
    return { sets: whole, changes, disputes: this.#disputes };
  }

  #dispute(what: string): false {
    this.#disputes.push(what);
    return false;
  }
}
