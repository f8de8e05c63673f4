import { randomBytes } from 'node:crypto';
import { accountInterface, registryInterface } from '@firmproof/contracts';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  digestOfBytes32,
  parseAddress,
  parseChannel,
  parseProductName,
  parseVersion,
  productIdOf,
  toHex,
  typedDataTypes,
  zeroBytes32,
} from '@firmproof/protocol';
import { actionTypedData, hashStruct, typedDataHash } from '@firmproof/protocol/approval';
import {
  type AccountEvent,
  type ApprovalPlace,
  accountEventOfLog,
  accountEventTopics,
  approvalOf,
  type EventDetails,
  type HistoryEvent,
  type RpcLog,
  type SignerSet,
  type Transaction,
  transactionSchema,
} from '@firmproof/protocol/audit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';
import { addressOf, wordOf } from '../../support/history.ts';
import { approveAction, mixedTeam, type TeamSigner, walletSigner } from '../../support/team.ts';

const at = { chainId: 31_337, registry: addressOf(0x5e) };
const account = addressOf(0xac);
const name = parseProductName('hub');
const team = mixedTeam();
const alone = walletSigner();
const aloneAddress = parseAddress(alone.wallet.address);
const place: ApprovalPlace = { ...at, approver: account };
const digest = digestOfBytes32;
const inTime = { epoch: 1, deadline: 2_000_000_000 };
const product = productIdOf(at.chainId, at.registry, account, name);
const hash = wordOf(0xaa);

const around = {
  product,
  sequence: 7,
  block: { number: 9, hash: wordOf(9) },
  transaction: hash,
  time: 1,
  previousBlock: 8,
};
const event = (details: EventDetails): HistoryEvent => ({ ...around, ...details });

const values = { publisher: addressOf(3), guardian: addressOf(4), delay: 5, trustRoot: wordOf(6) };
const configured = {
  publisher: values.publisher,
  guardian: values.guardian,
  delaySeconds: 5,
  trustRoot: digest(values.trustRoot),
};
const configure = { product, ...values, ...inTime };
const pending = hashStruct({ Configure: typedDataTypes.Configure }, 'Configure', configure);
const [version, channel] = [parseVersion('1.2.3'), parseChannel('stable')];

/** Each kind of event with the action behind it, and what its function takes after the fields of the action. */
type Case = {
  readonly name: string;
  readonly action: ActionName;
  readonly message: Readonly<Record<string, unknown>>;
  readonly more: readonly unknown[];
  readonly event: HistoryEvent;
};
const cases: readonly Case[] = [
  {
    name: 'register',
    action: 'Register',
    message: { ...values, publisher: account, name, predecessor: zeroBytes32, deadline: inTime.deadline },
    more: [],
    event: event({ kind: 'registered', ...configured, publisher: account, name, predecessor: null }),
  },
  {
    name: 'publish',
    action: 'Publish',
    message: { product, version, image: wordOf(1), attestation: wordOf(2), rollbackIndex: 3, ...inTime },
    more: [],
    event: event({
      kind: 'published',
      version,
      image: digest(wordOf(1)),
      attestation: digest(wordOf(2)),
      rollbackIndex: 3,
      installableFrom: 99,
    }),
  },
  {
    name: 'promote',
    action: 'Promote',
    message: { product, channel, version, counter: 2, start: 50, duration: 60, firstShare: 100, ...inTime },
    more: [],
    event: event({
      kind: 'promoted',
      channel,
      version,
      counter: 2,
      start: 99,
      durationSeconds: 60,
      firstShareBasisPoints: 100,
    }),
  },
  {
    name: 'revoke',
    action: 'Revoke',
    message: { product, version, deadline: inTime.deadline },
    more: [account],
    event: event({ kind: 'revoked', version, approver: account }),
  },
  {
    name: 'halt',
    action: 'Halt',
    message: { product, channel, halts: 1, deadline: inTime.deadline },
    more: [account],
    event: event({ kind: 'halted', channel, approver: account, halts: 1, counter: 3 }),
  },
  {
    name: 'configure',
    action: 'Configure',
    message: configure,
    more: [],
    event: event({
      kind: 'scheduled',
      pending,
      ...configured,
      signedEpoch: 1,
      deadline: inTime.deadline,
      pendingFrom: 5,
      vetoable: true,
    }),
  },
  {
    name: 'veto',
    action: 'Veto',
    message: { product, pending, deadline: inTime.deadline },
    more: [],
    event: event({ kind: 'vetoed', pending, guardian: account }),
  },
];
const published = cases[1] as Case;

const argumentsOf = ({ action, message, more }: Case) => [
  ...typedDataTypes[action].map((field) => message[field.name]),
  ...more,
];
const calling = (of: Case, approval: string): Transaction =>
  transactionSchema.parse({
    hash,
    to: at.registry,
    input: registryInterface.encodeFunctionData(of.name, [...argumentsOf(of), approval]),
  });
const byTeam = (of: Case, signers: readonly TeamSigner[] = team, epoch = 1) =>
  approveAction(at, { account, epoch }, signers, of.action, of.message as ActionMessage<ActionName>);
const byKey = (of: Case) =>
  alone.sign(typedDataHash(actionTypedData(at, of.action, of.message as ActionMessage<ActionName>)));
const setOf = (signers: readonly TeamSigner[], threshold: number, epoch = 1): SignerSet => ({
  epoch,
  signers: signers.map(({ signer }) => signer),
  threshold,
  passkeysAlone: false,
});

describe('approvalOf', () => {
  test.each(cases)('$name: every signer of the account is proven by its own signature', async (of) => {
    const approval = await approvalOf(of.event, calling(of, byTeam(of)), place);
    expect(approval).toMatchObject({ form: 'vendor-account', approver: account, epoch: 1, quorum: 'unknown' });
    expect(new Set(approval.signers)).toEqual(new Set(team.map(({ signer }) => ({ signer, valid: true }))));
  });

  test('a single key is proven by recovery', async () => {
    const transaction = calling(published, byKey(published));
    const key = { ...at, approver: aloneAddress };
    expect(await approvalOf(published.event, transaction, key)).toMatchObject({ form: 'key', quorum: 'reached' });
    // The same signature does not speak for anybody else.
    expect(await approvalOf(published.event, transaction, place)).toMatchObject({ form: 'contract', signers: [] });
  });

  test('the signer epoch is found, and judged by its set', async () => {
    const transaction = calling(published, byTeam(published, team.slice(0, 2), 5));
    const judged = async (...signerSets: SignerSet[]) => {
      const { epoch, quorum } = await approvalOf(published.event, transaction, { ...place, signerSets });
      return { epoch, quorum };
    };
    const before = setOf([alone], 1, 1);
    expect(await judged(before, setOf(team, 2, 5))).toEqual({ epoch: 5, quorum: 'reached' });
    expect(await judged(before, setOf(team, 3, 5))).toEqual({ epoch: 5, quorum: 'missed' });
    expect(await judged(before, setOf([alone, team[2]], 1, 5))).toEqual({ epoch: 5, quorum: 'missed' });
    expect(await judged(before)).toEqual({ epoch: null, quorum: 'missed' });
  });

  test('the signer epoch is found however many came after it', async () => {
    const transaction = calling(published, byTeam(published, team.slice(0, 2), 5));
    const block = published.event.block.number;
    const others = Array.from({ length: 40 }, (_, index) => setOf([alone], 1, 6 + index));
    const judged = async (signerSets: Parameters<typeof approvalOf>[2]['signerSets']) =>
      (await approvalOf(published.event, transaction, { ...place, signerSets })).quorum;
    const later = others.map((set) => ({ ...set, from: block + 1 }));
    expect(await judged([{ ...setOf(team, 2, 5), until: block }, ...later])).toBe('reached');
    // Where nobody knows which set was in force, not all are tried: that says nothing against who approved.
    expect(await judged([setOf(team, 2, 5), ...others])).toBe('unknown');
  });

  test('one key that stands twice is one voice', async () => {
    const [alice, bob] = team;
    const transaction = calling(published, byTeam(published, [alice, alice]));
    const signerSets = [setOf([alice, bob], 2)];
    expect(await approvalOf(published.event, transaction, { ...place, signerSets })).toMatchObject({
      quorum: 'missed',
    });
  });

  test('applying asks nobody, or the new publisher', async () => {
    const applied = event({ kind: 'applied', pending, ...configured, epoch: 3 });
    const accept = { product, publisher: values.publisher, epoch: 2, deadline: 77 };
    const signed = approveAction(at, { account: values.publisher, epoch: 1 }, team, 'Accept', accept);
    const args = typedDataTypes.Configure.map((field) => configure[field.name as keyof typeof configure]);
    const input = registryInterface.encodeFunctionData('applyConfiguration', [...args, 77, signed]);
    const transaction = { hash, to: at.registry, input };
    expect(await approvalOf(applied, transaction, { ...at, approver: null })).toMatchObject({ form: 'none' });
    const accepted = await approvalOf(applied, transaction, { ...at, approver: values.publisher });
    expect(accepted).toMatchObject({ form: 'vendor-account', epoch: 1 });
    expect(accepted.signers.every(({ valid }) => valid)).toBe(true);
  });

  test('what cannot be seen is said to be unknown', async () => {
    const safe = calling(published, toHex(randomBytes(130)));
    expect(await approvalOf(published.event, safe, place)).toMatchObject({ form: 'contract', quorum: 'unknown' });
    const multicall = { ...calling(published, byTeam(published)), to: addressOf(0x77) };
    expect(await approvalOf(published.event, multicall, place)).toMatchObject({ form: 'unknown', signers: [] });
    expect(await approvalOf(published.event, { ...multicall, to: null }, place)).toMatchObject({ form: 'unknown' });
  });

  test.each(cases)('$name: a transaction that says something else is refused', async (of) => {
    const whole = calling(of, byTeam(of));
    await expectCode('transaction-mismatch', () => approvalOf(of.event, { ...whole, hash: wordOf(0xbb) }, place));
    await expectCode('transaction-mismatch', () => approvalOf(of.event, { ...whole, input: '0x12345678' }, place));
    await expectCode('transaction-mismatch', () =>
      approvalOf(of.event, { ...whole, input: whole.input.slice(0, 90) }, place),
    );
    const other = cases.find(({ name: another }) => another !== of.name) as Case;
    await expectCode('transaction-mismatch', () => approvalOf(of.event, calling(other, '0x'), place));
    // Whatever the event tells, the call has to say.
    const said = { ...around, product: wordOf(0x66) as never };
    await expectCode('transaction-mismatch', () => approvalOf({ ...of.event, ...said }, whole, place));
  });

  test('signatures over anything else do not hold', async () => {
    const other: Case = { ...published, message: { ...published.message, image: wordOf(0x99) } };
    const moved = calling(published, byTeam(other));
    expect(await approvalOf(published.event, moved, place)).toMatchObject({ form: 'contract', signers: [] });
    const elsewhere = approveAction(
      { ...at, chainId: 1 },
      { account, epoch: 1 },
      team,
      'Publish',
      published.message as never,
    );
    expect(await approvalOf(published.event, calling(published, elsewhere), place)).toMatchObject({ form: 'contract' });
  });

  test('no bytes in the place of an approval are taken for one, or break anything', async () => {
    const genuine = byTeam(published);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(genuine.length - 3),
        fc.integer({ min: 1, max: 15 }),
        fc.boolean(),
        async (place_, by, cut) => {
          const index = 2 + place_;
          const digit = (Number.parseInt(genuine.charAt(index), 16) ^ by).toString(16);
          const altered = cut
            ? genuine.slice(0, index - (index % 2))
            : genuine.slice(0, index) + digit + genuine.slice(index + 1);
          const { form, signers } = await approvalOf(published.event, calling(published, altered), place);
          expect(['vendor-account', 'contract']).toContain(form);
          // Padding may differ; a signer or a signature may not.
          const valid = signers.filter((one) => one.valid).map(({ signer }) => signer);
          expect(team.map(({ signer }) => signer)).toEqual(expect.arrayContaining(valid));
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe('account events', () => {
  const signers = team.map(({ signer }) => signer);
  const log = (fragment: string, args: readonly unknown[]): RpcLog => ({
    ...accountInterface.encodeEventLog(fragment, args),
    address: account,
    blockNumber: '0x10',
    blockHash: wordOf(1),
    transactionHash: wordOf(2),
  });
  const where = { block: { number: 16, hash: wordOf(1) }, transaction: wordOf(2) };

  test.each<[string, readonly unknown[], Record<string, unknown>]>([
    [
      'SignersSet',
      [3, signers, 2, true],
      { kind: 'signers-set', epoch: 3, signers, threshold: 2, passkeysAlone: true },
    ],
    ['RecoverySet', [1, [], 0], { kind: 'recovery-set', epoch: 1, signers: [], threshold: 0 }],
    [
      'RecoveryScheduled',
      [wordOf(7), 1000, signers, 2, false, 4, 99],
      {
        kind: 'recovery-scheduled',
        pending: wordOf(7),
        pendingFrom: 1000,
        signers,
        threshold: 2,
        passkeysAlone: false,
        epoch: 4,
        deadline: 99,
      },
    ],
    ['RecoveryCancelled', [wordOf(7)], { kind: 'recovery-cancelled', pending: wordOf(7) }],
  ])('%s is read as the contract logs it', (fragment, args, expected) => {
    expect(accountEventOfLog(log(fragment, args), account)).toEqual({ ...where, ...expected } as AccountEvent);
    expect(Object.values(accountEventTopics)).toContain(accountInterface.getEvent(fragment)?.topicHash);
  });

  test('a log of somebody else, or a damaged one, is none', () => {
    const genuine = log('SignersSet', [3, signers, 2, true]);
    const lies: Partial<RpcLog>[] = [
      { address: addressOf(1) },
      { removed: true },
      { blockNumber: null },
      { topics: [wordOf(1), ...genuine.topics.slice(1)] },
      { topics: genuine.topics.slice(0, 1) },
      { data: genuine.data.slice(0, -64) },
      { data: '0x' },
      { data: `0x${'ff'.repeat(96)}` },
      // Numbers that an export could not hold, or that compare with nothing.
      { blockNumber: '0xzz' },
      { blockNumber: `0x${'f'.repeat(30)}` },
      { topics: [genuine.topics[0] ?? '', `0x${'f'.repeat(64)}`] },
      { data: genuine.data.replace(`${'0'.repeat(63)}2`, 'f'.repeat(64)) },
    ];
    expect(lies.filter((lie) => accountEventOfLog({ ...genuine, ...lie }, account as Address) !== null)).toEqual([]);
  });
});
