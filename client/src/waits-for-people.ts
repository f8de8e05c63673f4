import type { Proposal } from '@firmproof/protocol';
import { describeMissing } from '@firmproof/protocol/approval';

const waitingForPeople: readonly string[] = [
  'approvals-missing',
  'browser-alone',
  'held-back',
  'recovery-pending',
  // A promotion whose release is still to be approved.
  'release-not-found',
];

/** Whether nothing will happen before somebody approves it, asks for it or a notice is over. */
export const waitsForPeople = (proposal: Proposal): boolean => {
  const { state, reason } = proposal;
  if (state !== 'approving' || reason === undefined || !waitingForPeople.includes(reason.code)) return false;
  // What is written down may be older than what has come since: the server looks at it in a moment.
  if (reason.code === 'held-back') return proposal.held;
  return !['approvals-missing', 'browser-alone'].includes(reason.code) || !isApproved(proposal);
};

function isApproved({ requirements, approvals }: Proposal): boolean {
  if (!requirements) return false;
  const current = approvals.filter(({ epoch }) => epoch === requirements.epoch);
  return describeMissing(requirements, current) === null;
}
