import { type AccountResource, formatSigner, type Signer, shortSigner, signerKind } from '@firmproof/protocol';
import type { SignerSet } from '../../team.ts';
import { fields, humanTime } from '../output.ts';

/** `2 of 3 have to approve`, and what of it may come from a browser. */
export function describeRule({ signers, threshold, passkeysAlone }: SignerSet): string {
  const rule = `${threshold} of ${signers.length} have to approve`;
  if (!signers.some((signer) => signerKind(signer) === 'passkey')) return rule;
  return `${rule}, ${passkeysAlone ? 'passkeys alone suffice' : 'one of them with a wallet or P-256 key, not in a browser'}`;
}

const you = (signer: Signer, me: Signer | null) => (signer === me ? '  (you)' : '');

/** Who a team is and how it decides, for people. Signers are shown whole: they are to be compared. */
export function describeAccount(team: AccountResource, me: Signer | null): string {
  const { account, epoch, recovery, pendingRecovery } = team;
  const lost = team.signers.length - team.threshold + 1;
  const list = (signers: readonly Signer[]) =>
    signers.map((signer) => `  ${shortSigner(signer)}${you(signer, me)}\n    ${formatSigner(signer)}`).join('\n');
  const rows: [string, string][] = [
    ['account', account],
    ['rule', describeRule(team)],
    ['epoch', `${epoch}; approvals of another epoch count nothing`],
    [
      'recovery',
      recovery.threshold === 0
        ? `none: with ${lost} of the keys lost, nobody can approve any more`
        : `${recovery.threshold} of ${recovery.signers.length} can name new signers, with 30 days’ notice`,
    ],
  ];
  if (pendingRecovery) {
    const { recoverableFrom } = pendingRecovery;
    rows.push(['announced', `new signers, in force from ${humanTime(recoverableFrom)} at the earliest`]);
    rows.push(['', 'a surprise? stop it: firmproof team recover --cancel']);
  }
  return [
    fields(rows),
    `\nsigners\n${list(team.signers)}`,
    ...(recovery.signers.length > 0 ? [`\nrecovery signers\n${list(recovery.signers)}`] : []),
  ].join('\n');
}
