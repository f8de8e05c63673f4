import { type Address, type BlockStatement, FirmproofError, isFirmproofError } from '@firmproof/protocol';
import {
  type AccountEvent,
  type AccountProof,
  type AccountRecord,
  accountProofSchema,
  accountSlots,
  type Finding,
  type ProvenAccount,
  proveAccountState,
  type SignerHistory,
  signerHistoryOf,
  signerSlots,
} from '@firmproof/protocol/audit';
import { hexQuantity, RpcRefusal } from '@firmproof/protocol/node';
import { z } from 'zod';
import { accountEventsBefore } from './account-logs.ts';
import type { AccountStore, KeptAccount } from './account-store.ts';
import { assembleAccount, isWholeChain } from './assemble-account.ts';
import type { RpcNode } from './rpc-node.ts';

/** Whose keys an account has had; null for what is no vendor account, and where nobody proves it. */
export type SignerHistories = (account: Address) => Promise<SignerHistory | null>;

const answerSchema = z.object({
  accountProof: z.array(z.string()),
  storageProof: z.array(z.object({ key: z.string(), value: z.string(), proof: z.array(z.string()) })),
});

type Candidate = KeptAccount & { readonly announcement: AccountRecord['announcement'] };
type Judged = { readonly record: AccountRecord; readonly history: SignerHistory };
type Shown = { readonly judged: Judged; readonly isWhole: boolean; readonly key: string };

/** What a node has shown, without the transactions: one that lacks them may still show the same. */
const keyOf = ({ first, changes }: Candidate) =>
  JSON.stringify([first, changes.map(({ transaction: _, announcement: __, ...change }) => change)]);

/**
 * Finds out from nodes whose keys vendor accounts have had, up to a final block (V11 of docs/spec/audit.md). Storage proves
 * the last set, and how many there were; what was between is searched only where there was a change, and proved by its signatures. What cannot
 * be proved has to be shown alike by a quorum.
 */
export class AccountReader {
  readonly findings: Finding[] = [];
  readonly records = new Map<Address, AccountRecord>();
  readonly #block: BlockStatement;
  readonly #nodes: readonly RpcNode[];
  readonly #quorum: number;
  readonly #store: AccountStore;
  readonly #read = new Map<Address, Promise<SignerHistory | null>>();

  constructor(
    { block, nodes, quorum }: { block: BlockStatement; nodes: readonly RpcNode[]; quorum: number },
    store: AccountStore,
  ) {
    this.#block = block;
    this.#nodes = nodes;
    this.#quorum = Math.min(quorum, nodes.length);
    this.#store = store;
  }

  readonly histories: SignerHistories = (account) => {
    const known = this.#read.get(account) ?? this.#find(account);
    this.#read.set(account, known);
    return known;
  };

  async #find(account: Address): Promise<SignerHistory | null> {
    const found = await this.#prove(account);
    if (found === null) return null;
    const { proof, proven } = found;
    const judge = async ({ first, changes, announcement, shownBy }: Candidate): Promise<Judged> => {
      const record: AccountRecord = { account, first, changes, announcement, shownBy, proof };
      const history = await signerHistoryOf(record, this.#block);
      if (history === null) throw new Error('the account was proven before');
      return { record, history };
    };
    const { record, history } = await this.#choose(account, proven, judge);
    this.records.set(account, record);
    for (const dispute of history.disputes)
      this.#tell('bad', `what nodes show of account ${account} is not so: ${dispute}`);
    const { first, changes, shownBy } = record;
    await this.#store.put(account, { first, changes: [...changes], shownBy });
    return history;
  }

  #tell(severity: Finding['severity'], message: string, code: Finding['code'] = 'nodes-disagree'): void {
    this.findings.push({ code, severity, message: message.slice(0, 500) });
  }

  /** The account's storage, from whichever node has a proof that holds. */
  async #prove(account: Address): Promise<{ readonly proof: AccountProof; readonly proven: ProvenAccount } | null> {
    const reasons: string[] = [];
    for (const node of this.#nodes) {
      try {
        const proof = await readProof(node, account, this.#block, this.#tries);
        const proven = await proveAccountState(proof, account, this.#block);
        return proven && { proof, proven };
      } catch (error) {
        const why = isFirmproofError(error) || error instanceof RpcRefusal ? error.message : 'the answer is malformed';
        if (!(isFirmproofError(error) || error instanceof RpcRefusal || error instanceof z.ZodError)) throw error;
        if (isFirmproofError(error) && error.code.endsWith('proof-invalid'))
          this.#tell('bad', `${node.label} gives a false proof of account ${account}: ${why}`);
        reasons.push(`${node.label}: ${why}`);
      }
    }
    this.#tell('warn', `no node proves whose account ${account} is: ${reasons.join('; ')}`, 'approval-unproven');
    return null;
  }

  async #choose(
    account: Address,
    proven: ProvenAccount,
    judge: (candidate: Candidate) => Promise<Judged>,
  ): Promise<Judged> {
    const { current, recovery, pending } = proven;
    const { signers, threshold, passkeysAlone } = current;
    const more = { recoverySigners: [...recovery.signers], recoveryThreshold: recovery.threshold };
    const first = { signers: [...signers], threshold, passkeysAlone, ...more };
    const unsearched: Candidate = { first, changes: [], announcement: null, shownBy: 0 };
    // Nothing has ever changed: what storage holds now is what it began with.
    if (current.epoch === 1 && pending === null) return judge(unsearched);
    const kept = this.#store.get(account);
    if (kept && pending === null && kept.changes.length === current.epoch - 1) {
      const judged = await judge({ ...kept, announcement: null });
      if (isWholeChain(judged.history)) return judged;
    }
    const shown: Shown[] = [];
    const count = (key: string) => shown.filter((other) => other.key === key).length;
    for (const node of this.#nodes) {
      const candidate = await this.#search(node, account, proven);
      if (candidate === null) continue;
      const { announcement } = candidate;
      const judged = await judge(current.epoch === 1 ? { ...unsearched, announcement } : candidate);
      const one = { judged, isWhole: isWholeChain(judged.history), key: keyOf(candidate) };
      shown.push(one);
      if (one.isWhole && count(one.key) >= this.#quorum) break;
    }
    const rank = ({ isWhole, key }: Shown) => (isWhole ? this.#nodes.length : 0) + count(key);
    const [best] = shown.toSorted((one, other) => rank(other) - rank(one));
    if (best === undefined) return judge(unsearched);
    const { first: root, changes, announcement } = best.judged.record;
    const shownBy = count(best.key) >= this.#quorum ? count(best.key) : 0;
    // Where too few show it, what is proven is left.
    const unproven = best.judged.history.changes.findIndex(({ basis }) => basis !== 'signed');
    const isLeft = shownBy > 0 || best.isWhole || unproven < 0;
    return judge({ first: root, changes: isLeft ? [...changes] : changes.slice(0, unproven), announcement, shownBy });
  }

  /** What one node shows of the account's changes; null where it shows nothing. */
  async #search(node: RpcNode, account: Address, { current, pending }: ProvenAccount): Promise<Candidate | null> {
    const isComplete = (events: readonly AccountEvent[]) =>
      (current.epoch === 1 || events.some((event) => event.kind === 'signers-set' && event.epoch === 1)) &&
      (pending === null ||
        events.some((event) => event.kind === 'recovery-scheduled' && event.pending === pending.hash));
    try {
      const events = await accountEventsBefore(node, account, this.#block.number, this.#tries, isComplete);
      const others = this.#nodes.filter((other) => other !== node);
      return await assembleAccount(events, [node, ...others], pending?.hash ?? null, this.#tries);
    } catch (error) {
      if (!(isFirmproofError(error) || error instanceof RpcRefusal || error instanceof z.ZodError)) throw error;
      this.#tell('info', `${node.label} does not show the changes of account ${account}: ${error.message}`);
      return null;
    }
  }

  get #tries(): number | undefined {
    return this.#nodes.length > 1 ? 3 : undefined;
  }
}

async function readProof(
  node: RpcNode,
  account: Address,
  { number }: BlockStatement,
  tries: number | undefined,
): Promise<AccountProof> {
  const ask = async (slots: readonly string[]) => {
    const answer = answerSchema.parse(await node.call('eth_getProof', [account, slots, hexQuantity(number)], tries));
    if (answer.storageProof.length !== slots.length)
      throw new FirmproofError('chain-unsuitable', `${node.label} proves other slots than it was asked for`);
    return answer;
  };
  const { accountProof, storageProof } = await ask(accountSlots);
  const words = new Map(accountSlots.map((slot, index) => [slot, storageProof[index]?.value ?? '0x0']));
  const more = signerSlots((slot) => words.get(slot) ?? '0x0');
  const behind = more.length === 0 ? [] : (await ask(more)).storageProof;
  const storage = [...accountSlots, ...more].map((slot, index) => ({
    slot,
    proof: [...storageProof, ...behind][index]?.proof ?? [],
  }));
  return accountProofSchema.parse({ accountProof, storage });
}
