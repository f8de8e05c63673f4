import { type Proposal, proposalSchema, type Signer } from '@firmproof/protocol';
import { expect, test } from 'vitest';
import { waitsForPeople } from '../../../client/src/waits-for-people.ts';
import { mixedTeam } from '../../support/team.ts';

const [wallet, p256, passkey] = mixedTeam().map(({ signer }) => signer) as [Signer, Signer, Signer];

function proposal(
  code: string,
  approvals: readonly { signer: Signer; epoch: number }[],
  change: object = {},
): Proposal {
  const quorum = { role: 'current', threshold: 2, passkeysAlone: false, signers: [wallet, p256, passkey] };
  return proposalSchema.parse({
    id: `0x${'1'.repeat(64)}`,
    kind: 'register',
    requirements: { account: `0x${'2'.repeat(40)}`, epoch: 2, quorums: [quorum] },
    approvals: approvals.map((approval) => ({ ...approval, at: 1 })),
    rejections: [],
    held: false,
    state: 'approving',
    reason: { code, message: 'as the server has written it down' },
    createdAt: 1,
    updatedAt: 1,
    ...change,
  });
}

const now = (...signers: Signer[]) => signers.map((signer) => ({ signer, epoch: 2 }));

test('a proposal waits for people while approvals are missing', () => {
  expect(waitsForPeople(proposal('approvals-missing', now(wallet)))).toBe(true);
  expect(waitsForPeople(proposal('browser-alone', now(passkey)))).toBe(true);
  expect(waitsForPeople(proposal('held-back', now(wallet, p256), { held: true }))).toBe(true);
  expect(waitsForPeople(proposal('recovery-pending', now(wallet, p256)))).toBe(true);
  expect(waitsForPeople(proposal('release-not-found', now(wallet, p256)))).toBe(true);
  expect(waitsForPeople(proposal('approvals-missing', now(wallet), { requirements: undefined }))).toBe(true);
});

test('it waits for the server once they are all here, whatever was written down before', () => {
  expect(waitsForPeople(proposal('approvals-missing', now(wallet, passkey)))).toBe(false);
  expect(waitsForPeople(proposal('browser-alone', now(p256, passkey)))).toBe(false);
  expect(waitsForPeople(proposal('held-back', now(wallet, p256), { held: false }))).toBe(false);
});

test('approvals for other signers than those of now do not count', () => {
  const old = [{ signer: p256, epoch: 1 }];
  expect(waitsForPeople(proposal('approvals-missing', [...now(wallet), ...old]))).toBe(true);
});

test('whatever else it does, it does not wait for people', () => {
  expect(waitsForPeople(proposal('relayer-out-of-gas', now(wallet)))).toBe(false);
  expect(waitsForPeople(proposal('approvals-missing', now(wallet), { state: 'submitted' }))).toBe(false);
  expect(waitsForPeople(proposal('approvals-missing', now(wallet), { reason: undefined }))).toBe(false);
});
