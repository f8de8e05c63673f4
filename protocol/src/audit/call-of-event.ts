import type { RegistryAddress } from '../approval/approval.ts';
import { hashStruct } from '../approval/typed-data.ts';
import { zeroBytes32 } from '../bytes.ts';
import { type ActionName, typedDataTypes } from '../eip712.ts';
import { FirmproofError } from '../errors.ts';
import { productIdOf } from '../names.ts';
import type { HistoryEvent } from './event.ts';
import type { CallValues, RegistryCall, RegistryFunction } from './registry-call.ts';

/** What an approver has signed. */
export type SignedAction = { readonly action: ActionName; readonly message: CallValues };

const functionOfKind = {
  registered: 'register',
  published: 'publish',
  promoted: 'promote',
  revoked: 'revoke',
  halted: 'halt',
  scheduled: 'configure',
  applied: 'applyConfiguration',
  vetoed: 'veto',
} as const satisfies Record<HistoryEvent['kind'], RegistryFunction>;

/**
 * What was signed for an event, as its transaction's call says it, once the two agree. null where nothing was signed.
 * @throws FirmproofError `transaction-mismatch` with the parameter that differs
 */
export function requireSameAction(event: HistoryEvent, call: RegistryCall, at: RegistryAddress): SignedAction | null {
  const differing = differenceOf(event, call, at);
  if (differing !== null) {
    const message = `the transaction given for entry ${event.sequence} says something else: ${differing}`;
    throw new FirmproofError('transaction-mismatch', message);
  }
  if (event.kind !== 'applied') return { action: call.action, message: call.values };
  // Only a new publisher signs: that it accepts, at the epoch before the one that begins with the event.
  const deadline = call.values['acceptDeadline'] ?? 0n;
  const { product, publisher } = event;
  return { action: 'Accept', message: { product, publisher, epoch: BigInt(event.epoch - 1), deadline } };
}

function differenceOf(event: HistoryEvent, call: RegistryCall, at: RegistryAddress): string | null {
  if (call.name !== functionOfKind[event.kind]) return `it calls ${call.name}`;
  const { values } = call;
  if (event.kind === 'promoted' && Number(values['start']) > event.start) return 'start';
  const expected = expectedValues(event, call, at);
  return Object.keys(expected).find((name) => String(expected[name]) !== String(values[name])) ?? null;
}

/** What the call has to hold for the event to follow from it. */
function expectedValues(
  event: HistoryEvent,
  { values }: RegistryCall,
  { chainId, registry }: RegistryAddress,
): Readonly<Record<string, string | number>> {
  const { product } = event;
  switch (event.kind) {
    case 'registered': {
      const { name, publisher, guardian, delaySeconds, trustRoot } = event;
      const id = productIdOf(chainId, registry, publisher, name);
      // The id is made of chain, registry, publisher and name; a call has no other.
      if (id !== product) return { product };
      const predecessor = event.predecessor ?? zeroBytes32;
      return { name, publisher, guardian, delay: delaySeconds, trustRoot: `0x${trustRoot}`, predecessor };
    }
    case 'published': {
      const { version, image, attestation, rollbackIndex } = event;
      return { product, version, image: `0x${image}`, attestation: `0x${attestation}`, rollbackIndex };
    }
    case 'promoted': {
      const { channel, version, counter, durationSeconds, firstShareBasisPoints } = event;
      return { product, channel, version, counter, duration: durationSeconds, firstShare: firstShareBasisPoints };
    }
    case 'revoked':
      return { product, version: event.version, approver: event.approver };
    case 'halted':
      return { product, channel: event.channel, halts: event.halts, approver: event.approver };
    case 'scheduled':
    case 'applied':
      // The hash that the event names is over every field of the signed Configure.
      return hashStruct({ Configure: typedDataTypes.Configure }, 'Configure', values) === event.pending
        ? { product }
        : { pending: event.pending };
    case 'vetoed':
      return { product, pending: event.pending };
  }
}
