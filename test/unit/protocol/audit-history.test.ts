import { registryInterface } from '@firmproof/contracts';
import { type Bytes32, fromHex, keccak256, parseVersion, zeroBytes32 } from '@firmproof/protocol';
import {
  compareHistories,
  decodeEntry,
  type Entry,
  entryOfLog,
  entrySchema,
  eventTopics,
  type Finding,
  ProductHistory,
  Replay,
  settledFindings,
} from '@firmproof/protocol/audit';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';
import { addressOf, guardian, HistoryBuilder, historyPlace, publisher, wordOf } from '../../support/history.ts';

const fold = (builder: HistoryBuilder) => {
  const history = new ProductHistory();
  const findings = builder.entries.flatMap((entry) => history.apply(decodeEntry(entry)));
  return { history, findings, codes: findings.map(({ code, severity }) => `${severity} ${code}`) };
};
const started = () => new HistoryBuilder().register();

/** The rule of the specification, written down once more. */
const historyOf = (entries: readonly Entry[]): Bytes32 =>
  entries.reduce<Bytes32>(
    (history, { topics, data }) => keccak256(fromHex(history), ...topics.map(fromHex), fromHex(data)),
    zeroBytes32,
  );

describe('events', () => {
  test('the first topics are those of the contract', () => {
    const names = Object.keys(eventTopics).map((kind) => kind.charAt(0).toUpperCase() + kind.slice(1));
    expect(Object.values(eventTopics)).toEqual(names.map((name) => registryInterface.getEvent(name)?.topicHash));
    // EIP712DomainChanged, of OpenZeppelin, is never logged: nothing changes the domain.
    const declared = registryInterface.fragments.filter((fragment) => fragment.type === 'event');
    expect(names).toHaveLength(declared.length - 1);
  });

  test('every value of every event is read as ethers reads it', () => {
    const builder = started().publish('1.0.0').promote('1.0.0').revoke('1.0.0').halt().schedule({ delay: 7200 });
    const { logs, entries } = builder
      .applied({ delay: 7200 })
      .schedule({ guardian: addressOf(9) }, 3)
      .veto();
    const wrong = entries.filter((entry, index) => {
      const log = logs[index];
      const parsed = log && registryInterface.parseLog({ topics: [...log.topics], data: log.data });
      const theirs = (parsed?.args.toArray() ?? []).map((value) => String(value).toLowerCase().replace(/^0x/, ''));
      const { block: _, transaction: __, kind, ...event } = decodeEntry(entry);
      const ours = Object.values(event).map((value) => textOf(value));
      return kind !== parsed?.name.toLowerCase() || theirs.some((value) => !ours.includes(value));
    });
    expect(wrong).toEqual([]);
  });
});

/** As ethers would print the word that the value is from. */
function textOf(value: unknown): string {
  if (value === null) return '0'.repeat(64);
  const text = String(value);
  if (/^[a-z0-9.-]{1,31}$/.test(text) && !/^\d+$/.test(text) && typeof value === 'string')
    return Buffer.from(text).toString('hex').padEnd(64, '0');
  return text.replace(/^0x/, '');
}

test('a log of somebody else is no entry', () => {
  const [log] = started().logs;
  if (log === undefined) throw new Error('no log');
  expect(entryOfLog(log, historyPlace)).not.toBeNull();
  expect(
    entryOfLog({ ...log, removed: false, address: log.address.toUpperCase().replace('X', 'x') }, historyPlace),
  ).not.toBeNull();
  const lies = [
    { address: addressOf(1) },
    { removed: true },
    { blockNumber: null },
    { blockHash: null },
    { topics: log.topics.slice(0, 3) },
    { topics: [wordOf(1), ...log.topics.slice(1)] },
    { topics: [log.topics[0] as string, wordOf(1), ...log.topics.slice(2)] },
    { data: `${log.data}00` },
  ];
  expect(lies.filter((lie) => entryOfLog({ ...log, ...lie }, historyPlace) !== null)).toEqual([]);
});

test.each([
  ['a number that does not fit its type', (data: string) => `${data.slice(0, -64)}01${data.slice(-62)}`],
  [
    'an address with more than 20 bytes',
    (data: string) => data.replace(/^0x.{64}00/, (start) => `${start.slice(0, -2)}01`),
  ],
  ['text with something behind its end', (data: string) => data.replace(/^(0x.{62})../, '$101')],
  ['a word too many', (data: string) => `${data}${'0'.repeat(64)}`],
  ['a word too few', (data: string) => data.slice(0, -64)],
])('%s was never logged', (_, change) => {
  const [entry] = started().entries as [Entry];
  return expectCode('entry-malformed', () => decodeEntry({ ...entry, data: change(entry.data) }));
});

test('decoding throws nothing but entry-malformed, whatever it is given', () => {
  const word = fc.stringMatching(/^0x[0-9a-f]{64}$/);
  const topic = fc.constantFrom(...Object.values(eventTopics), wordOf(1));
  const data = fc.array(fc.stringMatching(/^[0-9a-f]{64}$/), { minLength: 3, maxLength: 10 });
  fc.assert(
    fc.property(topic, word, fc.nat(100), word, data, (id, product, sequence, key, words) => {
      const entry = entrySchema.parse({
        sequence: sequence + 1,
        block: { number: 1, hash: wordOf(1) },
        transaction: wordOf(2),
        topics: [id, product, `0x${(sequence + 1).toString(16).padStart(64, '0')}`, key],
        data: `0x${words.join('')}`,
      });
      expect(() => decodeEntry(entry)).toThrow(expect.objectContaining({ code: 'entry-malformed' }));
    }),
    { numRuns: 200 },
  );
});

describe('Replay', () => {
  test('arrives at the hash of the specification, and goes on from a checkpoint', () => {
    const { entries } = started().publish('1.0.0').promote('1.0.0').halt();
    const replay = new Replay(undefined, [2]);
    for (const entry of entries) replay.take(entry);
    expect(replay.history).toBe(historyOf(entries));
    expect(replay.at(2)).toBe(historyOf(entries.slice(0, 2)));
    expect(replay.at(3)).toBeNull();
    const half = new Replay();
    for (const entry of entries.slice(0, 2)) half.take(entry);
    const rest = new Replay(JSON.parse(JSON.stringify(half.checkpoint())));
    for (const entry of entries.slice(2)) rest.take(entry);
    expect(rest.checkpoint()).toEqual(replay.checkpoint());
  });

  test('no altered entry leads to the same history', () => {
    const { entries } = started().publish('1.0.0').promote('1.0.0');
    const honest = historyOf(entries);
    fc.assert(
      fc.property(fc.nat(2), fc.nat(4 * 64 + 6 * 64), fc.integer({ min: 1, max: 15 }), (which, at, by) => {
        const altered = structuredClone(entries) as Entry[];
        const entry = altered[which];
        if (entry === undefined) return;
        const flip = (hex: string, place: number) => {
          const digit = (Number.parseInt(hex.charAt(place), 16) ^ by).toString(16);
          return hex.slice(0, place) + digit + hex.slice(place + 1);
        };
        if (at < 4 * 64) {
          const topic = Math.floor(at / 64) as 0 | 1 | 2 | 3;
          entry.topics[topic] = flip(entry.topics[topic], 2 + (at % 64)) as Bytes32;
        } else entry.data = flip(entry.data, 2 + ((at - 4 * 64) % (entry.data.length - 2)));
        const replay = new Replay();
        try {
          for (const each of altered) replay.take(each);
        } catch {
          return;
        }
        expect(replay.history).not.toBe(honest);
      }),
      { numRuns: 300 },
    );
  });

  test('an entry that is left out, or comes twice, is named', () => {
    const { entries } = started().publish('1.0.0').publish('1.1.0').promote('1.0.0');
    const take = (order: readonly number[]) => () => {
      const replay = new Replay();
      for (const index of order) replay.take(entries[index] as Entry);
    };
    expect(take([0, 2])).toThrow('entry 2 is missing');
    expect(take([0, 3])).toThrow('entries 2 to 3 are missing');
    expect(take([0, 1, 1])).toThrow('entry 2 comes twice');
    return expectCode('history-incomplete', take([1]));
  });

  test('an entry of another product does not go on', () => {
    const [first, second] = started().publish('1.0.0').entries as [Entry, Entry];
    const replay = new Replay();
    replay.take(first);
    const topics = second.topics.with(1, wordOf(0xcd)) as Entry['topics'];
    expect(() => replay.take({ ...second, topics })).toThrow('entry 2 is of another product');
  });

  test('an entry has to be where the next one says that it was', () => {
    const { entries } = started().publish('1.0.0');
    const replay = new Replay();
    replay.take({ ...(entries[0] as Entry), block: { number: 101, hash: wordOf(1) } });
    return expectCode('entry-malformed', () => replay.take(entries[1] as Entry));
  });
});

describe('compareHistories', () => {
  const { entries } = started().publish('1.0.0').promote('1.0.0');
  const replayed = (given: readonly Entry[], remember: readonly number[] = []) => {
    const replay = new Replay(undefined, remember);
    for (const entry of given) replay.take(entry);
    return replay;
  };
  const proven = { sequence: 3, history: historyOf(entries) };

  test('says complete, or what differs first', () => {
    expect(compareHistories(replayed(entries), proven)).toEqual({ complete: true });
    expect(compareHistories(replayed(entries.slice(0, 1)), proven)).toEqual({
      complete: false,
      sequence: 2,
      firstDifference: 'entries 2 to 3 are missing',
    });
    expect(compareHistories(replayed(entries.slice(0, 2)), proven)).toMatchObject({ sequence: 3 });
    const other = started().publish('1.0.1').promote('1.0.1').entries;
    expect(compareHistories(replayed(other), proven)).toMatchObject({
      sequence: 3,
      firstDifference: expect.stringMatching(
        /^some entry from 1 to 3 was changed: they replay to 0x\w{8}…, storage holds 0x\w{8}…$/,
      ),
    });
  });

  test('a proof of an older block holds where its history was remembered', () => {
    const older = { sequence: 2, history: historyOf(entries.slice(0, 2)) };
    expect(compareHistories(replayed(entries, [2]), older)).toEqual({ complete: true });
    expect(compareHistories(replayed(entries), older)).toMatchObject({ complete: false });
  });
});

describe('ProductHistory', () => {
  test('tells releases, channels and configuration as the events left them', () => {
    const { history } = fold(started().publish('1.0.0').promote('1.0.0').publish('1.1.0', 1).promote('1.1.0').halt());
    expect(history).toMatchObject({ name: 'lamp', publisher, guardian, delaySeconds: 3600, topIndex: 1, epoch: 1 });
    expect([...history.releases.keys()]).toEqual(['1.0.0', '1.1.0']);
    expect(history.releases.get('1.1.0' as never)).toMatchObject({
      sequence: 4,
      publisher,
      promotions: [5],
      revoked: null,
    });
    const stable = history.channels.get('stable' as never);
    expect(stable).toMatchObject({ version: '1.1.0', halted: true });
    expect(stable?.moves.map(({ version, backwards }) => [version, backwards])).toEqual([
      ['1.0.0', false],
      ['1.1.0', false],
    ]);
    expect(stable?.halts).toMatchObject([{ sequence: 6, approver: publisher }]);
  });

  test('finds nothing in what goes forward', () => {
    expect(fold(started().publish('1.0.0').promote('1.0.0').publish('2.0.0', 1).promote('2.0.0')).codes).toEqual([]);
  });

  test('finds a head that moved backwards, worse below the rollback index', () => {
    const two = () => started().publish('2.0.0').publish('1.0.0').promote('1.0.0');
    // Order comes from the chain: a version is a label for people (A04).
    expect(fold(two().promote('2.0.0')).codes).toEqual(['warn head-moved-backwards']);
    const floors = started().publish('1.0.0', 1).publish('1.0.1', 0).promote('1.0.0').promote('1.0.1');
    expect(fold(floors).codes).toEqual(['bad head-moved-backwards']);
  });

  test('finds revocations and halts, and whose they were', () => {
    expect(fold(started().publish('1.0.0').revoke('1.0.0')).codes).toEqual(['warn release-revoked']);
    expect(fold(started().publish('1.0.0').promote('1.0.0').revoke('1.0.0', guardian)).codes).toEqual([
      'warn release-revoked',
      'bad head-revoked',
      'info approved-by-guardian',
    ]);
    expect(fold(started().publish('1.0.0').promote('1.0.0').halt('stable', guardian)).codes).toEqual([
      'warn channel-halted',
      'info approved-by-guardian',
    ]);
  });

  test('finds what is scheduled, applied and vetoed', () => {
    const change = { publisher: addressOf(0x33), guardian: addressOf(0x44), delay: 60, trustRoot: wordOf(0x55) };
    const { history, codes } = fold(started().schedule(change).applied(change));
    expect(codes).toEqual([
      'warn configuration-pending',
      'warn publisher-changed',
      'warn guardian-changed',
      'warn delay-changed',
      'warn trust-root-changed',
    ]);
    expect(history).toMatchObject({ publisher: addressOf(0x33), epoch: 3, pending: null });
    expect(history.changes.map(({ kind }) => kind)).toEqual(['scheduled', 'applied']);
    expect(fold(started().schedule({ delay: 7200 }).applied({ delay: 7200 })).codes).toContain('info delay-changed');
    const vetoed = fold(started().schedule({ delay: 1 }).veto());
    expect(vetoed.codes).toEqual(['warn configuration-pending', 'warn configuration-vetoed']);
    expect(vetoed.history).toMatchObject({ pending: null, epoch: 2, delaySeconds: 3600 });
  });

  test('tells what has passed as what was', () => {
    const settled = (history: HistoryBuilder) => {
      const { history: model, findings } = fold(history);
      return settledFindings(findings, model).map(({ severity, code, message }) => `${severity} ${code}: ${message}`);
    };
    const change = { delay: 60 };
    expect(settled(started().schedule(change))[0]).toMatch(/^warn configuration-pending: a change is scheduled/);
    const was = /^info configuration-pending: a change was scheduled, .*delay from 3600 s to 60 s; it was/;
    expect(settled(started().schedule(change).applied(change))[0]).toMatch(/; it was applied in entry 3$/);
    expect(settled(started().schedule(change).veto())[0]).toMatch(/; it was vetoed in entry 3$/);
    const [first, second] = settled(started().schedule(change).schedule({ delay: 90 }));
    expect(first).toMatch(was);
    expect(first).toContain('replaced by another in entry 3');
    expect(second).toMatch(/^warn configuration-pending: a change is/);
    const halted = () => started().publish('1.0.0').promote('1.0.0').halt();
    expect(settled(halted())).toEqual([expect.stringMatching(/^warn channel-halted/)]);
    expect(settled(halted().promote('1.0.0'))).toEqual([
      'info channel-halted: stable was halted at 1.0.0, and promoted again since',
    ]);
    expect(settled(halted().promote('1.0.0').halt()).map((text) => text.slice(0, 4))).toEqual(['info', 'warn']);
    const revoked = () => started().publish('1.0.0').publish('1.1.0').promote('1.0.0').revoke('1.0.0');
    expect(settled(revoked())[1]).toMatch(/^bad head-revoked/);
    expect(settled(revoked().promote('1.1.0'))[1]).toMatch(/^info head-revoked.*; it has another head since$/);
  });

  test('misses nothing of a release that was revoked inside its veto window', () => {
    const { history } = fold(started().publish('1.0.0').revoke('1.0.0').publish('1.1.0'));
    const missing = (version: string): Finding => ({
      code: 'content-missing',
      severity: 'bad',
      version: parseVersion(version),
      message: 'none of 2 sources has its image',
    });
    const settled = settledFindings([missing('1.0.0'), missing('1.1.0')], history);
    expect(settled.map(({ severity }) => severity)).toEqual(['info', 'bad']);
    expect(settled[0]?.message).toBe('none of 2 sources has its image; it was revoked before it became installable');
  });

  test('refuses what contradicts itself', async () => {
    for (const impossible of [
      () => started().publish('1.0.0').publish('1.0.0'),
      () => started().promote('1.0.0'),
      () => started().revoke('1.0.0'),
      () => started().publish('1.0.0').revoke('1.0.0').promote('1.0.0'),
      () => started().publish('1.0.0').promote('1.0.0').halt().halt(),
      () => started().halt(),
      () => started().veto(),
      () => started().applied({}),
      () => started().register(),
    ]) {
      await expectCode('entry-malformed', () => fold(impossible()));
    }
    await expectCode('history-incomplete', () => new ProductHistory().name);
  });
});
