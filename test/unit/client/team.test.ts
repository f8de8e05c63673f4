import { formatSigner, type Signer, shortSigner } from '@firmproof/protocol';
import { describe, expect, test } from 'vitest';
import { splitWords } from '../../../client/src/cli/words.ts';
import { describeDanger, findSigner, parseTeamRule, reserveOf, withSigners } from '../../../client/src/team.ts';
import { expectCode } from '../../support/expect-code.ts';
import { mixedTeam, p256Signer, passkeySigner, walletSigner } from '../../support/team.ts';

const signersOf = (team: readonly { readonly signer: Signer }[]) => team.map(({ signer }) => signer);

describe('the rule of a team', () => {
  test('is k-of-n', () => {
    expect(parseTeamRule('2-of-3')).toEqual({ threshold: 2, count: 3 });
    expect(parseTeamRule('1-of-1')).toEqual({ threshold: 1, count: 1 });
    expect(parseTeamRule('16-of-32')).toEqual({ threshold: 16, count: 32 });
  });

  test.each(['', '2', '2of3', '0-of-3', '4-of-3', '2-of-33', '-1-of-3', '2-of-3 ', '02-of-3', '2-OF-3'])(
    'is not "%s"',
    (text) => expectCode('usage-invalid', () => parseTeamRule(text)),
  );
});

test.each([
  ['6-of-5', 'more are needed (6) than there are (5)'],
  ['2-of-33', 'more than 32 signers'],
  ['most', 'not so many of so many'],
])('the rule %s is refused with its mistake', (text, why) => {
  expect(() => parseTeamRule(text)).toThrow(why);
});

describe('the reserve of a team', () => {
  test('is how many keys may get lost', () => {
    const signers = signersOf([walletSigner(), p256Signer(), p256Signer(), passkeySigner(), passkeySigner()]);
    const rest = { passkeysAlone: false };
    expect(reserveOf({ signers, threshold: 2, ...rest })).toBe(2);
    expect(reserveOf({ signers, threshold: 5, ...rest })).toBe(0);
    expect(describeDanger({ signers, threshold: 2, ...rest })).toBeNull();
    expect(describeDanger({ signers, threshold: 5, ...rest })).toContain('all 5 keys');
  });

  test('counts that one approval has to come from outside a browser', () => {
    const signers = signersOf([walletSigner(), passkeySigner(), passkeySigner()]);
    expect(reserveOf({ signers, threshold: 2, passkeysAlone: false })).toBe(0);
    expect(reserveOf({ signers, threshold: 2, passkeysAlone: true })).toBe(1);
    expect(describeDanger({ signers, threshold: 2, passkeysAlone: false })).toContain('outside a browser');
  });
});

describe('a signer', () => {
  const team = signersOf(mixedTeam());

  test('is named by its whole text, its short text, or its first digits', () => {
    for (const signer of team) {
      const text = formatSigner(signer);
      const digits = text.slice(text.indexOf(':') + 1);
      for (const name of [
        text,
        ` ${text.toUpperCase().replace(/^\w+/, (kind) => kind.toLowerCase())} `,
        shortSigner(signer),
      ])
        expect(findSigner(name, team)).toBe(signer);
      expect(findSigner(shortSigner(signer).replace('…', '...'), team)).toBe(signer);
      expect(findSigner(digits.slice(0, 10), team)).toBe(signer);
    }
  });

  test('that nobody knows is named by its whole text only', async () => {
    const stranger = walletSigner().signer;
    expect(findSigner(formatSigner(stranger), team)).toBe(stranger);
    for (const name of [shortSigner(stranger), '', 'wallet:', '…', formatSigner(stranger).slice(0, -1)])
      await expectCode('signer-invalid', () => findSigner(name, team));
  });

  test('is never guessed', async () => {
    const twins = ['aa', 'ab'].map((end) => `0x${'12'.repeat(19)}${end}` as Signer);
    await expectCode('signer-invalid', () => findSigner('wallet:0x121212', twins));
    expect(findSigner('0x121212…12aa', twins)).toBe(twins[0]);
    // Two digits could be anybody's.
    await expectCode('signer-invalid', () => findSigner('0x12', twins.slice(1)));
  });

  test('joins once', async () => {
    const [first, ...others] = team as [Signer, ...Signer[]];
    expect(withSigners([first], others.map(formatSigner))).toEqual(team);
    await expectCode('signers-invalid', () => withSigners(team, [formatSigner(first)]));
    expect(() => withSigners(team, [formatSigner(first)])).toThrow(`${shortSigner(first)} is given twice`);
    expect(() => withSigners(team, [formatSigner(first)])).toThrow(
      expect.objectContaining({ hint: expect.not.stringContaining('passkey') }),
    );
    // One key through two verifiers (A45).
    const key = formatSigner(others[0] as Signer).replace(/^\w+:/, '');
    await expectCode('signers-invalid', () => withSigners([], [`p256:${key}`, `passkey:${key}`]));
  });
});

describe('the words of a command', () => {
  test.each<[string, string[]]>([
    ['openssl pkeyutl -sign', ['openssl', 'pkeyutl', '-sign']],
    ['  sign  --pin "12 34" ', ['sign', '--pin', '12 34']],
    [`sign 'a "b" c' ""`, ['sign', 'a "b" c', '']],
    ['sign --key="a b"/c', ['sign', '--key=a b/c']],
    ['sign $HOME `id` ; x', ['sign', '$HOME', '`id`', ';', 'x']],
  ])('of %s', (text, words) => expect(splitWords(text)).toEqual(words));

  test.each(['', '  ', 'sign "open', "sign 'open", `sign "a' b`])('are none in %s', (text) =>
    expectCode('usage-invalid', () => splitWords(text)),
  );
});
