import type { Address } from '../bytes.ts';
import type { Sha256Digest } from '../digest.ts';
import { FirmproofError } from '../errors.ts';
import type { Channel, ProductName, Version } from '../names.ts';
import { changedFields, describeApplied, describeScheduled } from './configuration-findings.ts';
import type { ConfigurationValues, EventOf, HistoryEvent } from './event.ts';
import type { Finding } from './findings.ts';
import type {
  ChannelHalt,
  ChannelHistory,
  ChannelMove,
  ConfigurationChange,
  PendingConfiguration,
  ReleaseHistory,
} from './history-model.ts';

type Growing<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] };

const contradiction = (event: HistoryEvent, why: string) =>
  new FirmproofError('entry-malformed', `entry ${event.sequence} ${why}`, { details: { sequence: event.sequence } });

/**
 * A product's history as a model that its events fold into, one after the other (V7). It keeps something for each release, move,
 * halt and change, and nothing of the entries themselves. It believes what it is given: whether the events are the registry's
 * is for `Replay` and `compareHistories` to say.
 */
export class ProductHistory {
  #registered: EventOf<'registered'> | null = null;
  #values: ConfigurationValues | null = null;
  #sequence = 0;
  #epoch = 0;
  #topIndex = 0;
  #pending: PendingConfiguration | null = null;
  readonly #releases = new Map<Version, Growing<ReleaseHistory>>();
  readonly #channels = new Map<Channel, Growing<ChannelHistory>>();
  readonly #changes: ConfigurationChange[] = [];

  /** The number of the last event; 0 before the first. What follows can be asked for from the first on. */
  get sequence(): number {
    return this.#sequence;
  }

  /** @throws FirmproofError `history-incomplete` before the first event, as all that follow */
  get registered(): EventOf<'registered'> {
    if (this.#registered === null) throw new FirmproofError('history-incomplete', 'no entry has been replayed yet');
    return this.#registered;
  }

  get #inForce(): ConfigurationValues {
    return this.#values ?? this.registered;
  }

  get name(): ProductName {
    return this.registered.name;
  }

  get publisher(): Address {
    return this.#inForce.publisher;
  }

  /** Zero where nobody is. */
  get guardian(): Address {
    return this.#inForce.guardian;
  }

  get delaySeconds(): number {
    return this.#inForce.delaySeconds;
  }

  get trustRoot(): Sha256Digest {
    return this.#inForce.trustRoot;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The highest rollback index that was published. */
  get topIndex(): number {
    return this.#topIndex;
  }

  get pending(): PendingConfiguration | null {
    return this.#pending;
  }

  /** In the order in which they were published. */
  get releases(): ReadonlyMap<Version, ReleaseHistory> {
    return this.#releases;
  }

  get channels(): ReadonlyMap<Channel, ChannelHistory> {
    return this.#channels;
  }

  get changes(): readonly ConfigurationChange[] {
    return this.#changes;
  }

  /**
   * Who has to have approved an event that comes next: asked before it is applied. null where nobody has to, as for applying
   * what was approved when it was scheduled.
   */
  approverOf(event: HistoryEvent): Address | null {
    switch (event.kind) {
      case 'registered':
        return event.publisher;
      case 'published':
      case 'promoted':
      case 'scheduled':
        return this.publisher;
      case 'revoked':
      case 'halted':
        return event.approver;
      case 'applied':
        return event.publisher === this.publisher ? null : event.publisher;
      case 'vetoed':
        return event.guardian;
    }
  }

  /**
   * Takes the next event, and says what about it somebody should know. docs/spec/audit.md has what each finding means.
   * @throws FirmproofError `entry-malformed` for one that contradicts those before it
   */
  apply(event: HistoryEvent): Finding[] {
    if (event.sequence !== this.#sequence + 1) throw contradiction(event, `follows on entry ${this.#sequence}`);
    if ((event.kind === 'registered') !== (this.#registered === null)) {
      throw contradiction(event, 'is not the registration, or is it twice');
    }
    const findings = this.#fold(event);
    this.#sequence = event.sequence;
    return findings;
  }

  #fold(event: HistoryEvent): Finding[] {
    switch (event.kind) {
      case 'registered':
        this.#registered = event;
        this.#epoch = 1;
        return [];
      case 'published':
        return this.#publish(event);
      case 'promoted':
        return this.#promote(event);
      case 'revoked':
        return this.#revoke(event);
      case 'halted':
        return this.#halt(event);
      case 'scheduled':
        return this.#schedule(event);
      case 'applied':
        return this.#apply(event);
      case 'vetoed':
        return this.#veto(event);
    }
  }

  #publish(event: EventOf<'published'>): Finding[] {
    const { version, image, attestation, rollbackIndex, sequence, time, installableFrom, block, transaction } = event;
    if (this.#releases.has(version)) throw contradiction(event, `publishes ${version}, which was published before`);
    this.#releases.set(version, {
      version,
      image,
      attestation,
      rollbackIndex,
      sequence,
      publishedAt: time,
      installableFrom,
      block,
      transaction,
      publisher: this.publisher,
      trustRoot: this.trustRoot,
      revoked: null,
      promotions: [],
    });
    this.#topIndex = Math.max(this.#topIndex, rollbackIndex);
    return [];
  }

  #release(event: EventOf<'promoted' | 'revoked'>): Growing<ReleaseHistory> {
    const release = this.#releases.get(event.version);
    if (release === undefined) throw contradiction(event, `is about ${event.version}, which was not published`);
    return release;
  }

  #promote(event: EventOf<'promoted'>): Finding[] {
    const { channel, version, sequence, time, counter, start, durationSeconds, firstShareBasisPoints } = event;
    const release = this.#release(event);
    if (release.revoked !== null) throw contradiction(event, `promotes ${version}, which was revoked before`);
    const before = this.#channels.get(channel);
    const last = before && this.#releases.get(before.version);
    const lowerIndex = last !== undefined && release.rollbackIndex < last.rollbackIndex;
    const backwards = last !== undefined && (lowerIndex || release.sequence < last.sequence);
    const schedule = { counter, start, durationSeconds, firstShareBasisPoints };
    const move: ChannelMove = { sequence, at: time, version, ...schedule, backwards };
    if (before === undefined)
      this.#channels.set(channel, { channel, moves: [move], halts: [], halted: false, version });
    else {
      before.moves.push(move);
      before.version = version;
      before.halted = false;
    }
    release.promotions.push(sequence);
    if (!backwards) return [];
    const why = lowerIndex
      ? `rollback index ${release.rollbackIndex} is below ${last.rollbackIndex}, so devices that have confirmed ${last.version} refuse it`
      : `it was published before ${last.version}`;
    const message = `${channel} went back from ${last.version} to ${version}: ${why}`;
    return [
      { code: 'head-moved-backwards', severity: lowerIndex ? 'bad' : 'warn', sequence, version, channel, message },
    ];
  }

  #revoke(event: EventOf<'revoked'>): Finding[] {
    const { version, sequence, time, approver } = event;
    const release = this.#release(event);
    if (release.revoked !== null) throw contradiction(event, `revokes ${version}, which was revoked before`);
    release.revoked = { at: time, approver, sequence };
    const heads = [...this.#channels.values()].filter((channel) => channel.version === version);
    return [
      { code: 'release-revoked', severity: 'warn', sequence, version, message: `${version} was revoked` },
      ...heads.map(({ channel }): Finding => {
        const message = `${version} was revoked while it was the head of ${channel}: devices install nothing from there`;
        return { code: 'head-revoked', severity: 'bad', sequence, version, channel, message };
      }),
      ...this.#byGuardian(event, `the guardian, not the publisher, revoked ${version}`),
    ];
  }

  #halt(event: EventOf<'halted'>): Finding[] {
    const { channel, sequence, time, approver, halts, counter } = event;
    const stopped = this.#channels.get(channel);
    if (stopped === undefined) throw contradiction(event, `halts ${channel}, which has no head`);
    if (stopped.halted) throw contradiction(event, `halts ${channel}, which is halted`);
    const halt: ChannelHalt = { sequence, at: time, approver, halts, counter };
    stopped.halts.push(halt);
    stopped.halted = true;
    const message = `${channel} was halted at ${stopped.version}: devices install nothing from there until a new promotion`;
    return [
      { code: 'channel-halted', severity: 'warn', sequence, channel, version: stopped.version, message },
      ...this.#byGuardian(event, `the guardian, not the publisher, halted ${channel}`),
    ];
  }

  #byGuardian(event: EventOf<'revoked' | 'halted'>, message: string): Finding[] {
    if (event.approver === this.publisher) return [];
    const about = event.kind === 'halted' ? { channel: event.channel } : { version: event.version };
    return [{ code: 'approved-by-guardian', severity: 'info', sequence: event.sequence, ...about, message }];
  }

  #schedule(event: EventOf<'scheduled'>): Finding[] {
    const { pending, publisher, guardian, delaySeconds, trustRoot, sequence, time } = event;
    const { signedEpoch, deadline, pendingFrom, vetoable } = event;
    const values = { publisher, guardian, delaySeconds, trustRoot };
    const rest = { pending, signedEpoch, deadline, pendingFrom, vetoable, sequence, scheduledAt: time };
    this.#record(event, values);
    this.#epoch = signedEpoch + 1;
    this.#pending = { ...values, ...rest };
    return [describeScheduled(event, this.#inForce)];
  }

  #apply(event: EventOf<'applied'>): Finding[] {
    if (this.#pending?.pending !== event.pending) throw contradiction(event, 'applies what was not scheduled');
    const { publisher, guardian, delaySeconds, trustRoot } = event;
    const before = this.#inForce;
    this.#record(event, { publisher, guardian, delaySeconds, trustRoot });
    this.#values = { publisher, guardian, delaySeconds, trustRoot };
    this.#epoch = event.epoch;
    this.#pending = null;
    return describeApplied(event, before);
  }

  #veto(event: EventOf<'vetoed'>): Finding[] {
    const vetoed = this.#pending;
    if (vetoed?.pending !== event.pending) throw contradiction(event, 'vetoes what was not scheduled');
    const { publisher, guardian, delaySeconds, trustRoot } = vetoed;
    this.#record(event, { publisher, guardian, delaySeconds, trustRoot });
    this.#pending = null;
    const message = `the guardian vetoed the change of entry ${vetoed.sequence}`;
    return [{ code: 'configuration-vetoed', severity: 'warn', sequence: event.sequence, message }];
  }

  #record(event: EventOf<'scheduled' | 'applied' | 'vetoed'>, values: ConfigurationValues): void {
    const { kind, sequence, time, block, transaction, pending } = event;
    const changes = changedFields(values, this.#inForce);
    this.#changes.push({ kind, sequence, at: time, block, transaction, pending, changes, values });
  }
}
