import type { ProductResource } from '@firmproof/protocol';
import { compareHistories, compareState, foreignProduct } from '@firmproof/protocol/audit';
import type { KnownPlace } from './place.ts';
import { bad, type Problem, problemOf } from './problem.ts';
import type { Replayed } from './replayed.ts';
import type { Sighting, Sightings, Voucher } from './sightings.ts';

/** What is known for sure, in one word. */
export type Verdict = {
  /** good: complete, and vouched for. warn: nothing speaks against it, and nobody for it. bad: somebody was found out. */
  readonly tone: 'good' | 'warn' | 'bad';
  /** Entries up to this one are vouched for. */
  readonly vouchedUpTo: number;
  readonly vouchers: readonly Voucher[];
  /** The newest block that it rests on. */
  readonly block: { readonly number: number; readonly timestamp: number } | null;
  /** The worst first. */
  readonly problems: readonly Problem[];
};

/** Whether an entry is one of those that count as checked; what rests on another one is only said. */
export const isVouchedFor = ({ tone, vouchedUpTo }: Verdict, sequence: number) =>
  tone === 'good' && sequence <= vouchedUpTo;

type Known = {
  readonly place: KnownPlace;
  readonly replayed: Replayed;
  readonly sightings: Sightings;
  /** The server's own index, where it answers. */
  readonly said: ProductResource | null;
};

/** Holds what the server carries against everything that vouches for it. Pure: the same answers give the same verdict. */
export function judge({ place, replayed, sightings, said }: Known): Verdict {
  const problems = [
    ...sightings.problems,
    ...replayProblems(replayed),
    ...idProblems(place, replayed),
    ...sightings.list.flatMap((sighting) => sightingProblems(sighting, replayed)),
    ...(said ? serverProblems(said, replayed) : []),
  ];
  const isBad = problems.some(({ severity }) => severity === 'bad');
  const vouched = sightings.list
    .filter(({ vouchers }) => vouchers.length > 0)
    .sort((one, other) => other.proven.sequence - one.proven.sequence);
  const vouchedUpTo = isBad ? 0 : (vouched[0]?.proven.sequence ?? 0);
  const stale = problems.some(({ code }) => code === 'chain-stalled');
  const newest = vouched[0] ?? sightings.list[0];
  const order = { bad: 0, warn: 1 } as const;
  return {
    tone: isBad ? 'bad' : vouchedUpTo > 0 && !stale ? 'good' : 'warn',
    vouchedUpTo,
    vouchers: isBad ? [] : distinctVouchers(vouched.flatMap(({ vouchers }) => vouchers)),
    block: newest ? newest.proven.block : null,
    problems: distinct(problems).sort((one, other) => order[one.severity] - order[other.severity]),
  };
}

function replayProblems({ failure }: Replayed): readonly Problem[] {
  if (failure === null) return [];
  const what = 'The history that the server gives does not hold together';
  return [
    { ...problemOf('bad', what, failure), code: failure.code === 'entry-malformed' ? 'history-differs' : failure.code },
  ];
}

function idProblems(place: KnownPlace, { events: [first], history }: Replayed): readonly Problem[] {
  const foreign = first?.kind === 'registered' ? foreignProduct(history, place) : null;
  return foreign === null ? [] : [bad('history-differs', `The entries are not what was asked for: ${foreign}.`)];
}

function sightingProblems({ proven, vouchers }: Sighting, replayed: Replayed): readonly Problem[] {
  if (replayed.failure) return [];
  const { events, hashes, history } = replayed;
  const at = (sequence: number) => hashes[sequence - 1] ?? null;
  const sequence = events.length;
  const last = at(sequence);
  const verdict =
    last === null
      ? ({ complete: false, firstDifference: `all ${proven.sequence} entries are missing`, sequence: 1 } as const)
      : compareHistories({ sequence, history: last, at }, proven);
  const who = vouchers.length > 0 ? 'is vouched for' : "is in the server's own proof";
  if (!verdict.complete) {
    const missing = sequence < proven.sequence;
    return missing
      ? [
          bad(
            'history-incomplete',
            `The server leaves something out of the history that ${who}: ${verdict.firstDifference}.`,
          ),
        ]
      : [
          bad(
            'history-differs',
            `The server shows another history than the one that ${who}: ${verdict.firstDifference}.`,
          ),
        ];
  }
  if (sequence !== proven.sequence) return [];
  return compareState(history, proven).map((text) =>
    bad('history-differs', `What the entries add up to is not what ${who}: ${text}.`),
  );
}

/** The server's index is what other programs read: where it says something else than the entries, somebody is shown something false. */
function serverProblems(said: ProductResource, { history, events, failure }: Replayed): readonly Problem[] {
  if (failure || said.sequence !== events.length || events.length === 0) return [];
  const differing = [
    said.name !== history.name && 'the name',
    said.publisher !== history.publisher && 'the publisher',
    said.guardian !== history.guardian && 'the guardian',
    said.delaySeconds !== history.delaySeconds && 'the delay',
    said.trustRoot !== history.trustRoot && 'the trust root',
    ...said.channels.map(({ channel, version, halted }) => {
      const replayed = history.channels.get(channel);
      return (replayed?.version !== version || replayed.halted !== halted) && `the channel ${channel}`;
    }),
  ].filter((part) => part !== false);
  if (differing.length === 0) return [];
  return [bad('server-disagrees', `The server's own summary contradicts the history about: ${differing.join(', ')}.`)];
}

function distinct(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [problem.text, problem])).values()];
}

function distinctVouchers(vouchers: readonly Voucher[]): Voucher[] {
  return [...new Map(vouchers.map((voucher) => [voucher.kind, voucher])).values()];
}
