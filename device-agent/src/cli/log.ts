import type { InstallResult } from '../machine/result.ts';

/** syslog's: what systemd reads, and people filter by. */
const priorities = { error: 3, warning: 4, notice: 5, info: 6 } as const;
export type Priority = keyof typeof priorities;

export type LogEvent = { readonly event: string; readonly message: string; readonly [name: string]: unknown };

/** Credentials in an address, wherever it stands in a text. */
const credentials = /(\b[a-z][a-z0-9+.-]*:\/\/)[^/?#\s"'@]*@/gi;

export const withoutCredentials = (text: string): string => text.replace(credentials, '$1');

/**
 * One event as one line of JSON. Under systemd the line begins with `<N>`, which it takes for the priority. No secret is in
 * it: addresses lose their credentials (A40).
 */
export function logLine(priority: Priority, event: LogEvent, toJournal: boolean): string {
  const line = withoutCredentials(JSON.stringify({ priority: priorities[priority], ...event }));
  return `${toJournal ? `<${priorities[priority]}>` : ''}${line}\n`;
}

const byOutcome: Readonly<Record<InstallResult['outcome'], Priority>> = {
  current: 'info',
  waiting: 'info',
  unproven: 'notice',
  installed: 'notice',
  'on-trial': 'notice',
  'reboot-needed': 'notice',
  refused: 'warning',
  'rolled-back': 'error',
};

export const priorityOf = ({ outcome }: InstallResult): Priority => byOutcome[outcome];

/** Whether this output leads to the journal, as systemd says (systemd.exec(5), JOURNAL_STREAM). */
export const leadsToJournal = (environment: NodeJS.ProcessEnv): boolean => environment['JOURNAL_STREAM'] !== undefined;
