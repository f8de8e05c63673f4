import type { Finding, PendingConfiguration } from '@firmproof/protocol/audit';
import { describeTime } from '@firmproof/protocol/review';

/** Times in messages are for programs, too; to the millisecond is what nobody reads. */
const isoTime = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

/**
 * What somebody should look at as things are now, in words for people: a change that was put in force or vetoed waits no more,
 * and has a finding of its own.
 */
export function shownFindings(findings: readonly Finding[], pending: PendingConfiguration | null): readonly Finding[] {
  return findings
    .filter(({ code, sequence }) => code !== 'configuration-pending' || sequence === pending?.sequence)
    .map((finding) => ({
      ...finding,
      message: finding.message.replace(isoTime, (time) => describeTime(Math.floor(Date.parse(time) / 1000))),
    }));
}
