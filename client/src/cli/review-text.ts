import { type Proposal, shortSigner } from '@firmproof/protocol';
import { type Check, describeTime, progressOf, type Review, type Row } from '@firmproof/protocol/review';
import { fields, printable, table } from './output.ts';

const marks: Readonly<Record<Check['outcome'], string>> = { passed: '✓', failed: '✗', unchecked: '?' };

const textOf = ({ value, before, saidByServer, signers }: Row): string => {
  const signs = { stays: ' ', comes: '+', goes: '−' } as const;
  const list = signers?.map(({ signer, change }) => `${signs[change]} ${shortSigner(signer)}`).join('  ');
  const now = before === undefined ? '' : `   (now: ${before})`;
  return `${list ?? value}${now}${saidByServer ? '   (said by the server)' : ''}`;
};

/** What a person has to see before approving. */
export function reviewText(review: Review, proposal: Proposal): string {
  const { title, rows, checks, differences, deadline } = review;
  const parts = [`${title}\n`, fields(rows.map((row) => [row.label, textOf(row)] as const))];
  if (differences) {
    const changed = differences.list.filter(({ same }) => !same);
    parts.push(
      `\nCompared with ${differences.version}`,
      table(
        ['', 'before', 'now'],
        changed.map(({ label, before, now }) => [label, before, now]),
      ),
    );
  }
  parts.push(
    '\nChecked here',
    ...checks.map(({ outcome, name, text }) => `  ${marks[outcome]} ${name}: ${printable(text)}`),
  );
  for (const { role, approved, threshold, approvers } of progressOf(proposal)) {
    parts.push(`\n${approved} of ${threshold} needed ${role} signers have approved`);
    for (const { signer, state, reason } of approvers)
      parts.push(`  ${shortSigner(signer)}  ${state}${reason ? `: ${reason}` : ''}`);
  }
  parts.push(`\nApprovals are good until ${deadline === null ? 'it is in force' : describeTime(deadline)}`);
  return parts.join('\n');
}
