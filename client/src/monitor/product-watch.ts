import type { Version } from '@firmproof/protocol';
import { FirmproofClient } from '../api-client.ts';
import { AccountReader } from '../audit/account-reader.ts';
import { AccountStore } from '../audit/account-store.ts';
import { ContentSource } from '../audit/content-source.ts';
import type { RpcNode } from '../audit/rpc-node.ts';
import { alertOfCondition, alertOfEvent, type Followed } from './alert.ts';
import { type Condition, observe, scopeSubjects } from './conditions.ts';
import type { MonitorConfig, WatchedProduct } from './config.ts';
import { lookAtAccount, recoveryConditions, signerChanges, storedSigners, storeSigners } from './follow/account.ts';
import { lookAtAnnouncements } from './follow/announced.ts';
import { lookAtApproval, markSeen, openApprovals } from './follow/approvals.ts';
import { AttestationWatch, attestationConditions } from './follow/attestations.ts';
import { lookAtContent, releasesToLookAt, versionsOf } from './follow/content.ts';
import { FollowedProduct, isLasting, type LearntEvent } from './follow/followed-product.ts';
import { learnProven } from './follow/learn-proven.ts';
import { type ChainLook, lookAtChain } from './follow/look-at-chain.ts';
import { lookAtReleases, lookAtServer, releasesUnread } from './follow/server-check.ts';
import type { Outbox } from './outbox.ts';
import type { MonitorState } from './state.ts';

export type WatchOptions = {
  readonly state: MonitorState;
  readonly outbox: Outbox;
  readonly config: Pick<MonitorConfig, 'intervalSeconds' | 'patience' | 'content'>;
  /** Whether what happened before the first look is told too. */
  readonly fromStart: boolean;
  /** Seconds since 1970. */
  readonly now: () => number;
  /** Once it is aborted, nothing is written any more. */
  readonly stop: AbortSignal;
};

export type RoundResult = {
  /** What is wrong with nodes, chain or server, and what cannot be verified, in words for people, patience or not. */
  readonly troubles: readonly string[];
  /** Whether chain and server could be looked at, and no attestation waits for the next round. */
  readonly isWhole: boolean;
};

type Chain = NonNullable<ChainLook['chain']>;

/**
 * Follows one product. A round looks at one thing after the other, and writes down what it has seen of each together with the
 * alerts that follow from it, in one transaction: killed at any moment, the next round goes on from there.
 */
export class ProductWatch {
  readonly watched: WatchedProduct;
  readonly #options: WatchOptions;
  readonly #nodes: readonly RpcNode[];
  readonly #sources: readonly ContentSource[];
  readonly #client: FirmproofClient | null;
  readonly #attestations: AttestationWatch;
  #followed: FollowedProduct | null = null;
  readonly #accounts = new AccountStore(null);
  #contentDue = 0;
  #releasesDue = { sequence: -1, at: 0 };

  constructor(watched: WatchedProduct, nodes: readonly RpcNode[], options: WatchOptions) {
    this.watched = watched;
    this.#nodes = nodes;
    this.#options = options;
    this.#sources = watched.sources.map((url) => new ContentSource(url));
    this.#client = watched.server === null ? null : new FirmproofClient({ server: watched.server });
    this.#attestations = new AttestationWatch(watched, this.#client, this.#sources);
  }

  /** Looks at everything that is due. */
  async round(): Promise<RoundResult> {
    const { state, config, now } = this.#options;
    this.#followed ??= FollowedProduct.load(state, this.watched);
    const followed = this.#followed;
    const look = await lookAtChain(followed, this.#nodes, config.patience, now(), this.#historyAt);
    let contradictions: readonly Condition[] = [];
    this.#write(() => {
      contradictions = this.#takeChain(followed, look);
    });
    const conditions = [...look.nodes, ...(look.chain?.conditions ?? []), ...contradictions];
    const troubles = conditions.map(({ message }) => message);
    if (!look.chain?.walked || contradictions.length > 0) return { troubles, isWhole: false };
    await this.#lookAtKeys(followed, look.chain);
    const silence = await this.#lookAtServer(followed);
    const isVerified = await this.#lookAtContent(followed);
    const { unverified } = this.#attestations;
    return { troubles: [...troubles, ...silence, ...unverified], isWhole: silence.length === 0 && isVerified };
  }

  readonly #historyAt = (sequence: number) => this.#followed?.historyAt(this.#options.state, sequence) ?? null;

  /** How people call the product, as far as it is known yet. */
  get name(): string {
    return this.#followed?.name ?? this.watched.label ?? this.watched.product;
  }

  get #of(): Followed {
    return { product: this.watched.product, label: this.name };
  }

  #write(work: () => void): void {
    if (this.#options.stop.aborted) return;
    try {
      this.#options.state.transaction(work);
    } catch (error) {
      // What is in memory may be ahead of the disk: it is read again.
      this.#followed = null;
      throw error;
    }
  }

  #observe(scope: string, conditions: readonly Condition[]): void {
    const { state, outbox, now } = this.#options;
    observe(state, outbox, this.#of, scope, conditions, now());
  }

  /** Answers with what contradicts the model: then nothing of what was walked is taken. */
  #takeChain(followed: FollowedProduct, { nodes, chain }: ChainLook): readonly Condition[] {
    const { state, fromStart } = this.#options;
    const { learnt, contradictions } = chain?.walked
      ? learnProven(followed, chain.walked)
      : { learnt: [], contradictions: [] };
    this.#observe('nodes', nodes);
    if (chain === null) return [];
    this.#observe('chain', chain.conditions);
    if (chain.walked === null) return [];
    this.#observe('model', contradictions);
    if (contradictions.length > 0) {
      // Its model has taken what it should not: it is read again.
      this.#followed = FollowedProduct.load(state, this.watched);
      return contradictions;
    }
    followed.baseline ??= fromStart ? 0 : followed.sequence;
    this.#takeEvents(followed, learnt, followed.baseline);
    this.#observe('attestations', attestationConditions(state, followed));
    this.#takeAnnouncements(followed, followed.baseline);
    return [];
  }

  #takeEvents(followed: FollowedProduct, learnt: readonly LearntEvent[], baseline: number): void {
    const { state, outbox, now } = this.#options;
    const isNew = ({ event }: LearntEvent) => event.sequence > baseline;
    const asksForKeys = this.watched.expectedSigners !== null;
    followed.store(state, learnt, (one) => asksForKeys && isNew(one) && one.approver !== null);
    const fresh = learnt.filter(isNew).flatMap(({ findings }) => findings);
    for (const finding of fresh) if (!isLasting(finding)) outbox.raise(alertOfEvent(this.#of, finding, now()));
    const lasting = followed.lasting().map(lastingCondition);
    const begun = fresh.filter(isLasting).map(lastingCondition);
    // What has begun and ended since the last look is told, and told to be over.
    this.#observe('product', [...lasting, ...begun]);
    if (begun.length > 0) this.#observe('product', lasting);
  }

  #takeAnnouncements({ history }: FollowedProduct, baseline: number): void {
    if (this.watched.announced === null) return;
    const { unreadable, unannounced } = lookAtAnnouncements(this.watched.announced, history, baseline);
    this.#observe('announcements-file', unreadable);
    if (unreadable.length === 0) this.#observe('announcements', unannounced);
  }

  async #lookAtKeys(followed: FollowedProduct, { block, agreeing }: Chain): Promise<void> {
    const { state, outbox, now, config } = this.#options;
    const unseen: Condition[] = [];
    const { quorum } = this.watched;
    const { histories } = new AccountReader({ block, nodes: agreeing, quorum }, this.#accounts);
    for (const open of openApprovals(state, this.watched)) {
      const look = await lookAtApproval(open, this.watched, this.#nodes, histories);
      const { sequence } = look.event;
      if (look.seen) {
        this.#write(() => {
          markSeen(state, this.watched, sequence);
          if (look.notice) outbox.raise(alertOfEvent(this.#of, look.notice, now()));
        });
      } else {
        const message = `who approved event ${sequence} cannot be found out: ${look.why}`;
        const condition = { code: 'approval-unproven', severity: 'warn', subject: String(sequence), sequence } as const;
        unseen.push({ ...condition, message, patienceSeconds: config.patience.carrierSeconds });
      }
    }
    const signers = await lookAtAccount(followed.history.publisher, block, agreeing, this.watched.quorum);
    this.#write(() => {
      this.#observe('approvals', unseen);
      if (signers === null) return;
      for (const { step, ...notice } of signerChanges(storedSigners(state, this.watched.product), signers)) {
        outbox.raise(alertOfCondition(this.#of, notice, step, 0, now()));
      }
      storeSigners(state, this.watched.product, signers);
      this.#observe('account', recoveryConditions(signers));
    });
  }

  async #lookAtServer(followed: FollowedProduct): Promise<readonly string[]> {
    if (this.#client === null) return [];
    const { config, now } = this.#options;
    const patience = { ...config.patience, intervalSeconds: config.intervalSeconds };
    const look = await lookAtServer(this.#client, followed, patience, this.#historyAt);
    const { unreachable } = look;
    this.#write(() => {
      this.#observe('server-reach', unreachable === null ? [] : [unreachable]);
      if (unreachable === null) this.#observe('server', look.conditions);
    });
    if (unreachable !== null) return [unreachable.message];
    const { sequence, at } = this.#releasesDue;
    const isDue = sequence !== followed.sequence || now() >= at || this.#open('server-releases').size > 0;
    if (look.sequence !== followed.sequence || !isDue) return [];
    const releases = await lookAtReleases(this.#client, followed, patience).catch(releasesUnread);
    if (releases === null) return [];
    this.#write(() => this.#observe('server-releases', releases));
    this.#releasesDue = { sequence: followed.sequence, at: now() + config.content.everySeconds };
    return [];
  }

  /** Answers whether it was all that is due. */
  async #lookAtContent(followed: FollowedProduct): Promise<boolean> {
    if (this.#sources.length === 0) return true;
    const { config, now } = this.#options;
    const isDue = now() >= this.#contentDue;
    const lost = this.#open('content');
    const { isMissing, isWhole } = await this.#lookAtAttestations(followed, isDue ? 'all' : versionsOf(lost));
    if (!isDue && lost.size === 0 && !isMissing) return isWhole;
    const found: Condition[] = [];
    for (const release of releasesToLookAt(followed.history, lost, now())) {
      const { carrierSeconds } = config.patience;
      found.push(...(await lookAtContent(release, this.#sources, config.content.blocks, carrierSeconds)));
    }
    this.#write(() => this.#observe('content', found));
    this.#contentDue = now() + config.content.everySeconds;
    return isWhole;
  }

  async #lookAtAttestations(followed: FollowedProduct, again: 'all' | ReadonlySet<Version>) {
    const { state, now } = this.#options;
    const { looks, ...rest } = await this.#attestations.look(state, followed, again, now());
    if (looks.length === 0) return rest;
    this.#write(() => {
      this.#attestations.store(state, looks);
      this.#observe('attestations', attestationConditions(state, followed));
    });
    return rest;
  }

  #open(scope: string): ReadonlySet<string> {
    return scopeSubjects(this.#options.state, this.watched.product, scope);
  }
}

/** It has begun with an event, by whose number it is known for ever. */
const lastingCondition = (finding: Parameters<typeof isLasting>[0]): Condition => ({
  ...finding,
  subject: `${finding.channel ?? ''} ${finding.sequence ?? 0}`,
  since: 0,
  patienceSeconds: 0,
});
