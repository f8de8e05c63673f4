import type { Finding } from './findings.ts';
import type { ProductHistory } from './history.ts';
import type { ConfigurationChange } from './history-model.ts';

/**
 * Findings as they stand at the end of a history (V9.5): what has passed since is told as what was, and asks nobody to look.
 * @param history what the findings are about, folded to its end
 */
export function settledFindings(findings: readonly Finding[], history: ProductHistory): readonly Finding[] {
  const { changes } = history;
  const followers = new Map(changes.map(({ sequence }, index) => [sequence, changes[index + 1]]));
  return findings.map((finding) => passed(finding, history, followers) ?? finding);
}

/** By the entry of a step of a configuration, the step that came after it. */
type Followers = ReadonlyMap<number, ConfigurationChange | undefined>;

/** null for what still is as it was found. */
function passed(finding: Finding, history: ProductHistory, followers: Followers): Finding | null {
  switch (finding.code) {
    case 'configuration-pending':
      return passedChange(finding, followers);
    case 'channel-halted':
      return passedHalt(finding, history);
    case 'head-revoked':
      return isStillHead(finding, history) ? null : { ...withEnd(finding, otherHead), severity: 'info' };
    case 'head-moved-backwards':
      // That it went back stays worth a look; devices refuse it no more.
      return finding.severity !== 'bad' || isStillHead(finding, history)
        ? null
        : { ...withEnd(finding, otherHead), severity: 'warn' };
    case 'attestation-missing':
    case 'content-missing':
    case 'document-missing':
      return neverOffered(finding, history);
    default:
      return null;
  }
}

/** What was revoked before it became installable is given to nobody: that is as it should be. */
function neverOffered(finding: Finding, { releases }: ProductHistory): Finding | null {
  const release = finding.version && releases.get(finding.version);
  if (!release?.revoked || release.revoked.at >= release.installableFrom) return null;
  return { ...withEnd(finding, 'it was revoked before it became installable'), severity: 'info' };
}

function passedChange(finding: Finding, followers: Followers): Finding | null {
  const next = followers.get(finding.sequence ?? 0);
  if (next === undefined) return null;
  const how = next.kind === 'scheduled' ? 'replaced by another' : next.kind;
  const was = finding.message.replace(/^a change is scheduled/, 'a change was scheduled').slice(0, 450);
  return { ...finding, severity: 'info', message: `${was}; it was ${how} in entry ${next.sequence}` };
}

function passedHalt(finding: Finding, { channels }: ProductHistory): Finding | null {
  const channel = finding.channel && channels.get(finding.channel);
  if (channel === undefined) return null;
  const isLast = channel.halts.at(-1)?.sequence === finding.sequence;
  if (channel.halted && isLast) return null;
  const message = `${channel.channel} was halted at ${finding.version}, and promoted again since`;
  return { ...finding, severity: 'info', message };
}

const otherHead = 'it has another head since';
const isStillHead = ({ channel, version }: Finding, { channels }: ProductHistory) =>
  channel === undefined || channels.get(channel)?.version === version;
const withEnd = (finding: Finding, end: string): Finding => ({
  ...finding,
  message: `${finding.message}; ${end}`.slice(0, 500),
});
