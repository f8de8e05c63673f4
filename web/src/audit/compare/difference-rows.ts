import type { Statement } from '@firmproof/protocol';
import { formatSigner } from '@firmproof/protocol';
import type { ReleaseHistory } from '@firmproof/protocol/audit';
import { type Difference, describeDuration, describeTime, differencesOf } from '@firmproof/protocol/review';
import type { ProductAudit } from '../data/audit.ts';
import type { Side } from './load-comparison.ts';

const row = (label: string, before: string, now: string): Difference => ({ label, before, now, same: before === now });

/** What both statements say, without their parts: those have a list of their own. */
export const statementDifferences = (before: Statement, now: Statement): readonly Difference[] =>
  differencesOf(before, now).filter(({ label }) => !label.startsWith('Component '));

/** Who has signed the attestation, and who has approved. */
export function signerDifferences(before: Side, now: Side): readonly Difference[] {
  const approvers = ({ audited: { approval, release } }: Side) =>
    approval && approval.signers.length > 0
      ? approval.signers
          .map(({ signer, valid }) => `${formatSigner(signer)}${valid ? '' : ' (not valid)'}`)
          .sort()
          .join('\n')
      : `${approval?.approver ?? release.publisher}, not seen from the transaction`;
  return [
    row('Signed by', before.signedBy ?? 'not known', now.signedBy ?? 'not known'),
    row('Approved by', approvers(before), approvers(now)),
    row('Publisher', before.audited.release.publisher, now.audited.release.publisher),
  ];
}

/** When each was published, could be installed, and came to which channel first. */
export function timeDifferences(audit: ProductAudit, before: Side, now: Side): readonly Difference[] {
  const [old, current] = [before.audited.release, now.audited.release];
  const wait = ({ installableFrom, publishedAt }: ReleaseHistory) =>
    installableFrom === publishedAt ? 'at once' : `after ${describeDuration(installableFrom - publishedAt)}`;
  const channels = [...audit.history.channels.values()].flatMap(({ channel, moves }) => {
    const first = ({ version }: ReleaseHistory) => {
      const move = moves.find((one) => one.version === version);
      return move ? describeTime(move.at) : 'never';
    };
    const [was, is] = [first(old), first(current)];
    return was === 'never' && is === 'never' ? [] : [row(`On ${channel} since`, was, is)];
  });
  const revoked = ({ revoked: at }: ReleaseHistory) => (at ? describeTime(at.at) : 'no');
  return [
    row('Published', describeTime(old.publishedAt), describeTime(current.publishedAt)),
    row('Installable', wait(old), wait(current)),
    ...channels,
    ...(old.revoked || current.revoked ? [row('Revoked', revoked(old), revoked(current))] : []),
  ];
}
