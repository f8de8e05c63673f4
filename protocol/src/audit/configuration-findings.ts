import { type Address, zeroAddress } from '../bytes.ts';
import type { ConfigurationValues, EventOf } from './event.ts';
import type { Finding, FindingCode, FindingSeverity } from './findings.ts';
import type { ConfigurationField } from './history-model.ts';

const account = (address: Address) => (address === zeroAddress ? 'nobody' : address);
const digest = (text: string) => `${text.slice(0, 12)}…`;

const texts: Readonly<Record<ConfigurationField, (values: ConfigurationValues) => string>> = {
  publisher: ({ publisher }) => account(publisher),
  guardian: ({ guardian }) => account(guardian),
  delay: ({ delaySeconds }) => `${delaySeconds} s`,
  'trust-root': ({ trustRoot }) => digest(trustRoot),
};
const names: Readonly<Record<ConfigurationField, string>> = {
  publisher: 'publisher',
  guardian: 'guardian',
  delay: 'delay',
  'trust-root': 'trust root',
};
const values: Readonly<Record<ConfigurationField, keyof ConfigurationValues>> = {
  publisher: 'publisher',
  guardian: 'guardian',
  delay: 'delaySeconds',
  'trust-root': 'trustRoot',
};
const fields = ['publisher', 'guardian', 'delay', 'trust-root'] as const satisfies readonly ConfigurationField[];

/** What a configuration changes of the one in force. */
export const changedFields = (next: ConfigurationValues, before: ConfigurationValues): readonly ConfigurationField[] =>
  fields.filter((field) => next[values[field]] !== before[values[field]]);

const step = (field: ConfigurationField, before: ConfigurationValues, next: ConfigurationValues) =>
  `${names[field]} from ${texts[field](before)} to ${texts[field](next)}`;

/** What is going to change, and from when. */
export function describeScheduled(event: EventOf<'scheduled'>, before: ConfigurationValues): Finding {
  const steps = changedFields(event, before).map((field) => step(field, before, event));
  const what = steps.length === 0 ? 'nothing but the epoch' : steps.join(', ');
  const from = new Date(event.pendingFrom * 1000).toISOString();
  const message = `a change is scheduled, in force from ${from} at the earliest: ${what}`;
  return { code: 'configuration-pending', severity: 'warn', sequence: event.sequence, message };
}

/** One finding for each thing that has changed. A delay that grows takes nothing away from anybody. */
export function describeApplied(event: EventOf<'applied'>, before: ConfigurationValues): Finding[] {
  return changedFields(event, before).map((field) => {
    const harmless = field === 'delay' && event.delaySeconds > before.delaySeconds;
    const severity: FindingSeverity = harmless ? 'info' : 'warn';
    const code: FindingCode = `${field}-changed`;
    return { code, severity, sequence: event.sequence, message: `the ${step(field, before, event)} has changed` };
  });
}
