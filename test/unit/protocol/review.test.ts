import {
  type AccountResource,
  type Address,
  type Bytes32,
  type ProductResource,
  type Proposal,
  type ProposalKind,
  parseAddress,
  productIdOf,
  type Signer,
  zeroAddress,
} from '@firmproof/protocol';
import { idOfProposed, proposedTypedData } from '@firmproof/protocol/approval';
import {
  askedPasskeys,
  describeBytes,
  describeDistance,
  describeDuration,
  describeTime,
  type Place,
  placeOf,
  progressOf,
  type Review,
  reviewProposal,
  type Said,
} from '@firmproof/protocol/review';
import { describe, expect, test } from 'vitest';
import { reviewText } from '../../../client/src/cli/review-text.ts';
import { expectCode } from '../../support/expect-code.ts';
import { mixedTeam, walletSigner } from '../../support/team.ts';

const [wallet, hardware, passkey] = mixedTeam().map(({ signer }) => signer) as [Signer, Signer, Signer];
const address = (digit: string) => parseAddress(`0x${digit.repeat(40)}`);
const word = (digit: string) => `0x${digit.repeat(64)}` as Bytes32;
const [account, registry, guardian] = [address('a'), address('b'), address('c')];
const place: Place = placeOf({ chainId: 31_337, registry }, { chainId: 31_337, registry }, null);
const product = productIdOf(31_337, registry, account, 'prime-hub' as never);
const deadline = 2_000_000_000;

const team: AccountResource = {
  account,
  epoch: 4,
  threshold: 2,
  passkeysAlone: false,
  signers: [wallet, hardware, passkey],
  recovery: { epoch: 1, threshold: 0, signers: [] },
};
const productSaid = {
  product,
  name: 'prime-hub',
  publisher: account,
  guardian,
  delaySeconds: 86_400,
  trustRoot: '1'.repeat(64),
  channels: [{ channel: 'stable', counter: 2, version: '1.0.0', halted: false }],
} as unknown as ProductResource;

function proposalOf(kind: ProposalKind, message: object, change: Partial<Proposal> = {}): Proposal {
  const { epoch, threshold, passkeysAlone, signers } = team;
  const quorums = [{ role: 'current' as const, threshold, passkeysAlone, signers }];
  const proposal = { kind, message, approver: account, requirements: { account, epoch, quorums } };
  const id = idOfProposed(proposal as Proposal, place, account) ?? word('0');
  return {
    id,
    ...proposal,
    approvals: [],
    rejections: [],
    held: false,
    state: 'approving',
    createdAt: 1,
    updatedAt: 1,
    ...change,
  } as Proposal;
}

const said = (proposal: Proposal, change: Partial<Said> = {}): Said => ({
  proposal,
  product: productSaid,
  account: team,
  attestation: null,
  devices: null,
  documents: [],
  previous: null,
  ...change,
});
const review = (kind: ProposalKind, message: object, change: Partial<Said> = {}) => {
  const proposal = proposalOf(kind, message);
  return reviewProposal(proposal.id, said(proposal, change), place);
};
const rowOf = ({ rows }: Review, label: string) => rows.find((row) => row.label === label);
const outcomes = ({ checks }: Review) => Object.fromEntries(checks.map(({ name, outcome }) => [name, outcome]));

describe('what is approved, in words', () => {
  test('a promotion', () => {
    const message = {
      product,
      channel: 'stable',
      version: '1.1.0',
      counter: 3,
      start: 0,
      duration: 259_200,
      firstShare: 100,
      epoch: 0,
      deadline,
    };
    const shown = review('promote', message);
    expect(shown.title).toBe('Offer prime-hub 1.1.0 on stable');
    expect(rowOf(shown, 'Version')).toMatchObject({ value: '1.1.0', before: '1.0.0 is there now' });
    expect(rowOf(shown, 'Reaches')?.value).toBe('1 % of the devices first, all after 3 days');
    expect(rowOf(shown, 'Starts')?.value).toBe('as soon as it is on chain');
    expect(outcomes(shown)).toEqual({
      'Chain and registry': 'passed',
      'The link': 'passed',
      'The product name': 'passed',
    });
    expect(shown.isAccountProved).toBe(true);
    const everybody = review('promote', { ...message, duration: 0, firstShare: 10_000 });
    expect(rowOf(everybody, 'Reaches')?.value).toBe('all devices at once');
    // Collected in advance, and relayed only when somebody asks: that is the server's word, and marked so.
    const held = { ...proposalOf('promote', { ...message, counter: 5 }), held: true };
    const back = reviewProposal(held.id, said(held), place);
    expect(back.title).toBe('Prepare the way back to prime-hub 1.1.0 on stable');
    expect(rowOf(back, 'Starts')).toMatchObject({ value: expect.stringContaining('fall-back'), saidByServer: true });
    expect(rowOf(back, 'Fits')?.value).toContain('after 2 more steps of the channel');
    expect(rowOf(back, 'Reaches')).toBeUndefined();
  });

  test('a change of configuration, with what it is now', () => {
    const trustRoot = word('2');
    const message = { product, publisher: account, guardian: zeroAddress, delay: 3600, trustRoot, epoch: 1, deadline };
    const shown = review('configure', message);
    expect(rowOf(shown, 'Publisher')?.before).toBeUndefined();
    expect(rowOf(shown, 'Guardian')).toMatchObject({ value: 'nobody', before: guardian });
    expect(rowOf(shown, 'Delay before installable')).toMatchObject({ value: '1 hour', before: '1 day' });
    expect(rowOf(shown, 'Trust root sha-256')).toMatchObject({ value: '2'.repeat(64), before: '1'.repeat(64) });
  });

  test('devices that are vouched for, with the root of their list and some of them', () => {
    const message = { registry, product, root: word('5'), count: 1200, epoch: 1, deadline };
    const devices = { root: word('5'), count: 1200, sample: ['one', 'two', 'three'] };
    const shown = review('anchor-devices', message, { devices });
    expect(shown.title).toBe('Vouch for 1,200 devices of prime-hub');
    expect(rowOf(shown, 'Devices')?.value).toBe('1,200');
    expect(rowOf(shown, 'Among them')).toMatchObject({
      value: 'one, two, three and 1,197 more',
      saidByServer: true,
    });
    expect(rowOf(shown, 'Merkle root')).toMatchObject({ value: word('5'), exact: true });
    expect(outcomes(shown)).toMatchObject({ 'The registry': 'passed', 'The devices': 'passed' });
    expect(shown.isAccountProved).toBe(true);
    expect(shown.typedData).not.toBeNull();

    expect(rowOf(review('anchor-devices', message), 'Among them')).toBeUndefined();
    const anchored = { ...proposalOf('anchor-devices', message), state: 'confirmed' } as Proposal;
    const afterwards = review('anchor-devices', message, { proposal: anchored });
    expect(outcomes(afterwards)['The devices']).toBe('unchecked');
    // A list that is withheld, another one, or one that nobody can read, is a lie.
    const lies: Said['devices'][] = [
      null,
      { ...devices, root: word('6') },
      { ...devices, count: 1199 },
      { root: null, why: 'nothing' },
    ];
    for (const lie of lies) {
      const lied = review('anchor-devices', message, { devices: lie });
      expect(outcomes(lied)['The devices']).toBe('failed');
      expect(lied.typedData).toBeNull();
    }
  });

  test('a device that is revoked, in the registry that the message names', () => {
    const message = { registry, product, leaf: word('7'), deadline };
    const shown = review('revoke-device', message);
    expect(shown.title).toBe('Revoke a device of prime-hub');
    expect(rowOf(shown, 'Device to revoke, by its leaf')).toMatchObject({ value: word('7'), exact: true });
    const elsewhere = review('revoke-device', { ...message, registry: address('d') });
    expect(outcomes(elsewhere)['The registry']).toBe('failed');
    expect(elsewhere.typedData).toBeNull();
  });

  test('new signers: who comes, who goes, who stays', () => {
    const { signer: newcomer } = walletSigner();
    const message = { signers: [wallet, passkey, newcomer], threshold: 3, passkeysAlone: true, epoch: 5, deadline };
    const shown = review('set-signers', message);
    expect(rowOf(shown, 'Signers')?.signers).toEqual([
      { signer: wallet, change: 'stays' },
      { signer: passkey, change: 'stays' },
      { signer: newcomer, change: 'comes' },
      { signer: hardware, change: 'goes' },
    ]);
    expect(rowOf(shown, 'Approvals needed')).toMatchObject({ value: '3 of 3', before: '2 of 3' });
    expect(rowOf(shown, 'Passkeys alone')?.before).toContain('are not enough');
    expect(shown.isAccountProved).toBe(true);
    expect(shown.typedData?.primaryType).toBe('SetSigners');
  });

  test.each([
    ['schedule-recovery', 'Announce a recovery of the account'],
    ['recover', 'Recover the account with new signers'],
  ] as const)('%s', (kind, title) => {
    expect(review(kind, { signers: [wallet], threshold: 1, passkeysAlone: false, epoch: 5, deadline }).title).toBe(
      title,
    );
  });

  test('an announcement has to be approved in time, what puts it in force does not', () => {
    const message = { signers: [wallet], threshold: 1, passkeysAlone: false, epoch: 5, deadline };
    const announced = review('schedule-recovery', message);
    expect(announced.deadline).toBe(deadline);
    const proposal = proposalOf('recover', message);
    const shown = reviewProposal(proposal.id, said(proposal), place);
    expect(shown.deadline).toBeNull();
    expect(reviewText(shown, proposal)).toContain('Approvals are good until it is in force');
    expect(reviewText(announced, proposal)).toContain(`Approvals are good until ${describeTime(deadline)}`);
  });

  test.each([
    ['set-recovery', { signers: [wallet], threshold: 1, epoch: 2, deadline }, 'Change who can recover the account'],
    ['cancel-recovery', { pending: word('3'), deadline }, 'Cancel a recovery of the account'],
    ['revoke', { product, version: '1.0.0', deadline }, 'Take back prime-hub 1.0.0'],
    ['halt', { product, channel: 'stable', halts: 1, deadline }, 'Stop stable of prime-hub'],
    ['veto', { product, pending: word('3'), deadline }, 'Stop a scheduled change of prime-hub'],
    [
      'register',
      {
        publisher: account,
        name: 'new-hub',
        guardian,
        delay: 60,
        trustRoot: word('2'),
        predecessor: word('0'),
        deadline,
      },
      'Register the product new-hub',
    ],
  ] as const)('%s', (kind, message, title) => {
    const shown = review(kind, message);
    expect(shown.title).toBe(title);
    expect(outcomes(shown)['The link']).toBe('passed');
    expect(shown.typedData).toEqual(proposedTypedData({ kind, message }, place, { account, epoch: team.epoch }));
  });

  test('that a new publisher accepts is not all that the id is made of, and said so', () => {
    const shown = review('apply', { product, publisher: address('d'), epoch: 1, deadline });
    expect(shown.title).toBe('Take over prime-hub');
    expect(outcomes(shown)['The link']).toBe('unchecked');
    expect(shown.typedData?.message).toMatchObject({ contents: { publisher: address('d') } });
  });

  test('that takes effect without anybody is nothing to sign', () => {
    const message = { product, publisher: account, guardian, delay: 0, trustRoot: word('2'), epoch: 1, deadline };
    const shown = review('apply', message);
    expect(shown.title).toBe('Put a scheduled change of prime-hub into force');
    expect(outcomes(shown)['The link']).toBe('passed');
    expect(shown.typedData).toBeNull();
  });
});

describe('nothing is signed', () => {
  const halt = { product, channel: 'stable', halts: 1, deadline };

  test('for another chain or registry than expected', () => {
    const proposal = proposalOf('halt', halt);
    const other = placeOf({ chainId: 1, registry }, null, { chainId: 31_337, registry });
    const shown = reviewProposal(proposal.id, said(proposal), other);
    expect(outcomes(shown)).toMatchObject({ 'Chain and registry': 'failed', 'The link': 'failed' });
    expect(shown.typedData).toBeNull();
  });

  test('under a link that names something else', () => {
    const proposal = proposalOf('halt', halt);
    const shown = reviewProposal(word('9'), said(proposal), place);
    expect(outcomes(shown)['The link']).toBe('failed');
    expect(shown.typedData).toBeNull();
  });

  test('for another account than the approver', () => {
    const proposal = proposalOf('halt', halt);
    const requirements = { ...proposal.requirements, account: address('d') } as Proposal['requirements'];
    expect(reviewProposal(proposal.id, said({ ...proposal, requirements }), place).typedData).toBeNull();
  });

  test('of a message that says more than its type', async () => {
    const proposal = proposalOf('halt', halt);
    await expectCode('approval-malformed', () =>
      reviewProposal(proposal.id, said({ ...proposal, message: { ...halt, note: 'harmless' } }), place),
    );
    await expectCode('approval-malformed', () =>
      reviewProposal(proposal.id, said({ ...proposal, kind: 'create-account', message: {} }), place),
    );
  });

  test('about a product that the server mixes up', () => {
    const mixed = { ...productSaid, product: word('8') } as ProductResource;
    expect(outcomes(review('halt', halt, { product: mixed }))['The product']).toBe('failed');
  });
});

describe('who approves', () => {
  const approved = (signer: Signer, epoch = team.epoch) => ({ signer, epoch, at: 5 });
  const proposal = (change: Partial<Proposal>) =>
    proposalOf('halt', { product, channel: 'stable', halts: 1, deadline }, change);

  test('approvals of an older epoch of the account count nothing', () => {
    const [progress] = progressOf(proposal({ approvals: [approved(wallet, 3), approved(passkey)] }));
    expect(progress).toMatchObject({ approved: 1, complete: false, needsOutside: true });
    expect(progress?.approvers.map(({ state }) => state)).toEqual(['missing', 'missing', 'approved']);
  });

  test('a passkey and a wallet are enough, and a rejection shows its reason', () => {
    const rejections = [{ signer: hardware, reason: 'no', at: 6 }];
    const [progress] = progressOf(proposal({ approvals: [approved(wallet), approved(passkey)], rejections }));
    expect(progress).toMatchObject({ approved: 2, complete: true, needsOutside: false });
    expect(progress?.approvers[1]).toMatchObject({ state: 'rejected', reason: 'no' });
    expect(askedPasskeys(proposal({}))).toEqual([passkey]);
  });
});

test('chain and registry: what is pinned comes first, what is remembered second', () => {
  const here = { chainId: 1, registry };
  const there = { chainId: 1, registry: address('d') as Address };
  expect(placeOf(here, null, null).familiarity).toBe('new');
  expect(placeOf(here, null, here).familiarity).toBe('remembered');
  expect(placeOf(here, here, there).familiarity).toBe('pinned');
  expect(placeOf(there, here, there)).toMatchObject({ familiarity: 'other', expected: here });
});

test('numbers are put in words', () => {
  expect(describeDuration(0)).toBe('0 seconds');
  expect(describeDuration(90_061)).toBe('1 day 1 hour');
  expect(describeBytes(1)).toBe('1 byte');
  expect(describeBytes(1023)).toBe('1,023 bytes');
  expect(describeBytes(5 * 2 ** 30)).toBe('5,368,709,120 bytes (5 GiB)');
  expect(describeDistance(1000, 4700)).toBe('1 hour ago');
  expect(describeDistance(90_000, 0)).toBe('in 1 day');
});
