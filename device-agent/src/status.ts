import {
  errorCatalogue,
  isErrorCode,
  isFirmproofError,
  redactUrl,
  type Sha256Digest,
  type Version,
} from '@firmproof/protocol';
import type { AboutRelease } from './about-release.ts';
import { type AdvisoryNotice, advisoriesAbout } from './advisories.ts';
import type { Agent } from './agent.ts';
import { noRetries, type Retries } from './backoff.ts';
import { isoTime } from './clock.ts';
import { enrolmentsOf } from './identity/enrolment.ts';
import type { InstallTarget, JournalEntry } from './journal.ts';
import { type SourceStatus, sourceStatus } from './network/source-status.ts';
import { choiceOf } from './policy/choice.ts';
import { readQueue } from './receipts/queue.ts';
import { problemsOf } from './receipts/send.ts';
import { heldTrustRoot } from './trust.ts';

/** Why the device runs what it runs. Code and remedy are null where there is nothing to explain. */
type Why = {
  readonly outcome: string;
  readonly code: string | null;
  readonly message: string;
  readonly remedy: string | null;
  /** Trusted time since when that is so. */
  readonly since: string | null;
};

/** What a device says about itself: docs/device-status.md. No secret is in it. */
export type Status = {
  readonly statusVersion: 1;
  readonly why: Why;
  /** These three are null before the first start, which makes them. */
  readonly device: string | null;
  readonly publicKey: string | null;
  readonly keyDigest: Sha256Digest | null;
  /** The identity was made on another machine. */
  readonly cloned: boolean;
  readonly enrolments: Readonly<Record<string, 'enrolled' | 'pending'>>;
  readonly product: string;
  readonly channel: string;
  readonly hardware: string;
  readonly installed: JournalEntry['installed'];
  /** What is known by now about the version that runs, as the vendor has signed it. */
  readonly advisories: readonly AdvisoryNotice[];
  readonly installer: string;
  /** Null while the factory image runs, and where the device does not say: `doctor` tells why. */
  readonly slot: string | null;
  readonly state: JournalEntry['state'];
  readonly target: Version | null;
  /** What its statement says of the version that is under way. */
  readonly targetAbout: AboutRelease | null;
  readonly rollbackFloor: number;
  readonly trustRootVersion: number;
  readonly sequence: number | null;
  /** Whole days of device time since evidence last verified. */
  readonly daysInSilence: number;
  /** Trusted time when evidence last verified; null where it never has. */
  readonly lastSuccessfulCheck: string | null;
  readonly trustedTime: string;
  readonly lastVerdict: JournalEntry['lastVerdict'];
  /** Versions that failed here and why: none is tried again before the vendor promotes again. */
  readonly failed: JournalEntry['failed'];
  /** Trusted time of the next check, and how often in a row one came to nothing for the same reason. */
  readonly nextCheck: string | null;
  readonly retries: Retries;
  readonly hold: { readonly updates: 'all' | 'feature'; readonly since: string; readonly until: string | null } | null;
  readonly postponedUntil: string | null;
  readonly receipts: {
    readonly waiting: number;
    readonly lastSent: string | null;
    readonly problems: readonly string[];
  };
  readonly sources: readonly SourceStatus[];
  readonly recoveredFrom: string | null;
};

export async function statusOf(agent: Agent): Promise<Status> {
  const { config, identity, journal, clock, installer } = agent;
  const root = heldTrustRoot(agent);
  const now = clock.nowSeconds();
  const { installed, state, target, rollbackFloor, lastProven, lastVerdict, failed, nextCheck } = journal.entry;
  const { hold, postponed } = choiceOf(agent);
  const queue = readQueue(config.dataDirectory, now);
  const sent = Object.values(queue.servers).flatMap(({ lastSentSeconds }) => lastSentSeconds ?? []);
  return {
    statusVersion: 1,
    why: whyOf(journal.entry, now),
    device: identity.isStored ? identity.id : null,
    publicKey: identity.isStored ? identity.key.publicKey : null,
    keyDigest: identity.isStored ? identity.key.digest : null,
    cloned: identity.cloned,
    enrolments: Object.fromEntries(
      Object.entries(enrolmentsOf(agent)).map(([server, enrolment]) => [redactUrl(server), enrolment.state]),
    ),
    product: root.product,
    channel: config.channel,
    hardware: config.hardware,
    installed,
    advisories: await advisoriesAbout(agent, installed.version),
    installer: installer.kind,
    slot: await installer.running().catch(unlessUnknown),
    state,
    target: target?.version ?? null,
    targetAbout: target?.about ?? null,
    rollbackFloor,
    trustRootVersion: root.version,
    sequence: lastProven?.sequence ?? null,
    daysInSilence: Math.floor(clock.silentSeconds() / 86_400),
    lastSuccessfulCheck: lastProven && isoTime(now - clock.silentSeconds()),
    trustedTime: isoTime(now),
    lastVerdict,
    failed,
    nextCheck: nextCheck && isoTime(nextCheck.dueSeconds),
    retries: nextCheck?.retries ?? noRetries,
    hold: hold && {
      updates: hold.updates,
      since: isoTime(hold.sinceSeconds),
      until: hold.untilSeconds === null ? null : isoTime(hold.untilSeconds),
    },
    postponedUntil: postponed && isoTime(postponed.untilSeconds),
    receipts: {
      waiting: queue.waiting.length,
      lastSent: sent.length === 0 ? null : isoTime(Math.max(...sent)),
      problems: problemsOf(queue),
    },
    sources: sourceStatus(agent.sources),
    recoveredFrom: journal.recoveredFrom,
  };
}

/** What keeps a device from updating must not keep it from saying so. */
function unlessUnknown(error: unknown): null {
  if (isFirmproofError(error)) return null;
  throw error;
}

function whyOf(entry: JournalEntry, nowSeconds: number): Why {
  const { state, target, lastVerdict, standing } = entry;
  if (state !== 'idle' && target !== null) return underWay(entry, target, nowSeconds);
  if (lastVerdict === null)
    return plain('unknown', 'this device has not checked for updates yet', 'Start `firmproof-agent run`.');
  const { outcome, code, message } = lastVerdict;
  if (code === undefined) return plain(outcome, message, 'Run `firmproof-agent install`, or wait for `run`.');
  const since = standing?.code === code ? isoTime(standing.sinceSeconds) : null;
  return { outcome, code, message, remedy: isErrorCode(code) ? errorCatalogue[code].remedy : null, since };
}

const plain = (outcome: string, message: string, remedy: string | null = null): Why => ({
  outcome,
  code: null,
  message,
  remedy,
  since: null,
});

function underWay(
  { state, trialDeadlineSeconds, failure, lastVerdict }: JournalEntry,
  { version }: InstallTarget,
  nowSeconds: number,
): Why {
  if (failure !== null) {
    if (lastVerdict?.code === 'rollback-failed') {
      const { code, message } = lastVerdict;
      return { ...plain(state, message, errorCatalogue[code].remedy), code };
    }
    const { code, message } = failure;
    return { ...plain(state, `${version} goes: ${message}`, errorCatalogue[code].remedy), code };
  }
  if (state !== 'trial') return plain(state, `${version} is being installed (${state})`);
  if (trialDeadlineSeconds !== null && trialDeadlineSeconds < nowSeconds)
    return plain(
      state,
      `${version} was on trial until ${isoTime(trialDeadlineSeconds)} and is not confirmed: the next round rolls it back`,
      'Run `firmproof-agent install`, or see whether `run` is alive.',
    );
  return trialDeadlineSeconds === null
    ? plain(state, `${version} is verified, and the next boot starts it on trial`, 'Reboot the device.')
    : plain(
        state,
        `${version} is on trial until ${isoTime(trialDeadlineSeconds)}`,
        'Wait, or run `firmproof-agent confirm` where the trial is confirmed from outside.',
      );
}
