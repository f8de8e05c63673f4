import { zeroAddress } from '@firmproof/protocol';
import type { ConfigurationChange, ConfigurationField, EventKind, HistoryEvent } from '@firmproof/protocol/audit';
import { describeDuration, describeShare, describeTime } from '@firmproof/protocol/review';

export const kindWords: Readonly<Record<EventKind, string>> = {
  registered: 'Registration',
  published: 'Release',
  promoted: 'Promotion',
  revoked: 'Revocation',
  halted: 'Halt',
  scheduled: 'Change scheduled',
  applied: 'Change in force',
  vetoed: 'Veto',
};

/** What visitors filter by: a few groups instead of eight kinds. */
export const kindGroups = [
  { id: 'releases', label: 'Releases', kinds: ['published'] },
  { id: 'promotions', label: 'Promotions', kinds: ['promoted'] },
  { id: 'halts', label: 'Halts', kinds: ['halted'] },
  { id: 'revocations', label: 'Revocations', kinds: ['revoked'] },
  { id: 'policy', label: 'Keys and policy', kinds: ['registered', 'scheduled', 'applied', 'vetoed'] },
] as const satisfies readonly { id: string; label: string; kinds: readonly EventKind[] }[];
export type KindGroup = (typeof kindGroups)[number]['id'];

export const groupOf = ({ kind }: HistoryEvent): KindGroup =>
  kindGroups.find(({ kinds }) => (kinds as readonly EventKind[]).includes(kind))?.id ?? 'policy';

const nobodyOr = (address: string) => (address === zeroAddress ? 'nobody' : address);

const fieldWords: Readonly<Record<ConfigurationField, (values: ConfigurationChange['values']) => string>> = {
  publisher: ({ publisher }) => `publisher ${publisher}`,
  guardian: ({ guardian }) => `guardian ${nobodyOr(guardian)}`,
  delay: ({ delaySeconds }) => `delay ${describeDuration(delaySeconds)}`,
  'trust-root': ({ trustRoot }) => `trust root ${trustRoot.slice(0, 12)}…`,
};

/** What a step of a change is about, against what was in force before it. */
export function describeChange({ changes, values }: ConfigurationChange): string {
  return changes.map((field) => fieldWords[field](values)).join(', ') || 'nothing but the epoch';
}

/** An event in one line; everything in it comes from the entry itself. */
export function describeEvent(event: HistoryEvent): string {
  switch (event.kind) {
    case 'registered':
      return `${event.name} was registered by ${event.publisher}`;
    case 'published': {
      const wait = event.installableFrom - event.time;
      return wait > 0 ? `${event.version}, installable after ${describeDuration(wait)}` : event.version;
    }
    case 'promoted':
      return `${event.version} to ${event.channel}, ${rollout(event)}`;
    case 'revoked':
      return `${event.version} was taken back`;
    case 'halted':
      return `${event.channel} was stopped`;
    case 'scheduled':
      return `new keys or policy, in force from ${describeTime(event.pendingFrom)} at the earliest`;
    case 'applied':
      return `publisher ${event.publisher}, epoch ${event.epoch}`;
    case 'vetoed':
      return `the guardian ${event.guardian} stopped a change`;
  }
}

type Rollout = Pick<Extract<HistoryEvent, { kind: 'promoted' }>, 'start' | 'durationSeconds' | 'firstShareBasisPoints'>;

export function rollout({ durationSeconds, firstShareBasisPoints }: Rollout): string {
  return durationSeconds === 0 || firstShareBasisPoints >= 10_000
    ? 'all devices at once'
    : `${describeShare(firstShareBasisPoints)} of the devices first, all after ${describeDuration(durationSeconds)}`;
}

export type Detail = { readonly label: string; readonly value: string; readonly exact?: boolean };

/** Everything that an entry says, for those who look closer. */
export function detailsOf(event: HistoryEvent): readonly Detail[] {
  return [
    ...kindDetails(event),
    { label: 'Entry', value: String(event.sequence) },
    { label: 'Block', value: `${event.block.number}, ${event.block.hash}`, exact: true },
    { label: 'Transaction', value: event.transaction, exact: true },
  ];
}

function kindDetails(event: HistoryEvent): readonly Detail[] {
  const exact = (label: string, value: string): Detail => ({ label, value, exact: true });
  switch (event.kind) {
    case 'published':
      return [
        exact('Image sha-256', event.image),
        exact('Attestation sha-256', event.attestation),
        { label: 'Rollback index', value: String(event.rollbackIndex) },
        { label: 'Installable from', value: describeTime(event.installableFrom) },
      ];
    case 'promoted':
      return [
        { label: 'Starts', value: describeTime(event.start) },
        { label: 'Promotion number', value: String(event.counter) },
      ];
    case 'revoked':
      return [exact('By', event.approver)];
    case 'halted':
      return [exact('By', event.approver), { label: 'Halt number', value: String(event.halts) }];
    case 'registered':
    case 'scheduled':
    case 'applied':
      return [
        exact('Publisher', event.publisher),
        exact('Guardian', nobodyOr(event.guardian)),
        { label: 'Delay before installable', value: describeDuration(event.delaySeconds) },
        exact('Trust root sha-256', event.trustRoot),
      ];
    case 'vetoed':
      return [exact('Change', event.pending)];
  }
}

/** What the search looks through: all that an entry names. */
export function searchTextOf(event: HistoryEvent): string {
  const values = kindDetails(event).map(({ value }) => value);
  return [kindWords[event.kind], describeEvent(event), ...values, event.transaction].join(' ').toLowerCase();
}
