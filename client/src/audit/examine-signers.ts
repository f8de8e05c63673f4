import { shortSigner } from '@firmproof/protocol';
import type { Finding, SignerHistory, SignersChange } from '@firmproof/protocol/audit';

/**
 * What somebody should know of an account's keys (V11): that they have changed since the product is there, and who has signed for it; that a
 * recovery is announced; and what of it is not proven.
 */
export function signerFindings(history: SignerHistory | null, since: number): readonly Finding[] {
  if (history === null) return [];
  const { account, sets, changes, pending, shownBy } = history;
  const changed = changes.filter(({ from }) => from === null || from >= since);
  const findings = changed.map((change): Finding => {
    const message = `${whatChanged(change)} of account ${account}: signer epoch ${change.epoch}${where(change)}; ${byWhom(change)}`;
    return { code: 'signers-changed', severity: 'warn', message: message.slice(0, 500) };
  });
  const shown = sets.filter(({ basis }) => basis === 'shown').map(({ epoch }) => epoch);
  if (shown.length > 0) {
    const word = `${shownBy} ${shownBy === 1 ? 'node' : 'nodes'}`;
    const message = `whose keys account ${account} had at signer epoch ${shown.slice(0, 8).join(', ')} is shown by ${word}, not proven`;
    findings.push({ code: 'approval-unproven', severity: 'warn', message });
  }
  if (pending) {
    const from = new Date(pending.from * 1000).toISOString();
    const by = pending.approvers.length === 0 ? '' : ` by ${pending.approvers.map(shortSigner).join(', ')}`;
    const message = `a recovery of account ${account} was announced${by} and can be completed from ${from}; current signers can cancel it`;
    findings.push({ code: 'recovery-pending', severity: 'bad', message: message.slice(0, 500) });
  }
  return findings;
}

const where = ({ from }: SignersChange) => (from === null ? '' : ` since block ${from}`);

function whatChanged({ kind, threshold, signers }: SignersChange): string {
  const now = `now ${threshold} of ${signers.length}`;
  switch (kind) {
    case 'signers':
    case 'unseen':
      return `the signers were changed (${now})`;
    case 'recovered':
      return `the signers were changed by recovery (${now})`;
    case 'recovery-set':
      return 'the recovery set was changed';
  }
}

function byWhom({ approvers, basis }: SignersChange): string {
  if (approvers.length > 0) return `approved by ${approvers.map(shortSigner).join(', ')}`;
  return basis === 'storage' ? 'proven by storage; who approved it is not' : 'who approved it is not proven';
}
