import { type AccountParameters, formatSigner, type Signer, shortSigner } from '@firmproof/protocol';
import { describe, expect, test } from 'vitest';
import {
  differencesFrom,
  readTeamOptions,
  requireTeam,
  type TeamFlags,
} from '../../../client/src/cli/commands/setup-plan.ts';
import { expectCode } from '../../support/expect-code.ts';
import { p256Signer, walletSigner } from '../../support/team.ts';

const [own, bruno, carla, dora, emil, frida, ...sticks] = Array.from(
  { length: 9 },
  (_, index) => (index % 2 ? p256Signer() : walletSigner()).signer,
) as [Signer, Signer, Signer, Signer, Signer, Signer, ...Signer[]];
const [first, second, third] = sticks as [Signer, Signer, Signer];

const options = (change: Partial<TeamFlags> = {}, rule = '3-of-5') =>
  readTeamOptions(rule, { signer: [], recoverySigner: [], ...change });
const texts = (...signers: Signer[]) => signers.map(formatSigner);
const plan: AccountParameters = {
  signers: [own, bruno, carla, dora, emil],
  threshold: 3,
  passkeysAlone: false,
  recoverySigners: [first, second],
  recoveryThreshold: 2,
};
const differences = (change: Partial<TeamFlags>, rule?: string, isInteractive = false, before = plan) =>
  differencesFrom(options(change, rule), before, own, isInteractive);

describe('options of a second setup', () => {
  test('that are left out are as before', () => {
    expect(differences({})).toEqual([]);
    expect(differences({ signer: texts(emil, dora, carla, bruno) })).toEqual([]);
    expect(differences({ signer: texts(own, bruno, carla, dora, emil), recovery: '2-of-2' })).toEqual([]);
    expect(differences({ recoverySigner: texts(second, first) })).toEqual([]);
    // Who sets up without an own key need not say so again.
    const others = { ...plan, signers: [bruno, carla, dora, emil, frida] };
    const given = { signer: texts(...others.signers) };
    expect(differences(given, '3-of-5', false, others)).toEqual([]);
    expect(differences({ ...given, withoutOwnKey: true }, '3-of-5', false, others)).toEqual([]);
  });

  test.each<[string, Partial<TeamFlags>, string[], string?]>([
    ['another threshold', {}, ['the rule is 3-of-5, not 2-of-5'], '2-of-5'],
    ['another number', {}, ['the rule is 3-of-5, not 3-of-6'], '3-of-6'],
    [
      'the own key instead of another',
      { signer: texts(bruno, carla, dora, own) },
      [`${shortSigner(emil)} is a signer and is not given`],
    ],
    [
      'a stranger instead of another',
      { signer: texts(bruno, carla, dora, frida) },
      [`${shortSigner(frida)} is no signer`, `${shortSigner(emil)} is a signer and is not given`],
    ],
    ['not the own key', { withoutOwnKey: true }, ['your own key is a signer']],
    ['no recovery', { recovery: false }, ['recovery is 2-of-2, not none']],
    ['another recovery', { recovery: '1-of-2' }, ['recovery is 2-of-2, not 1-of-2']],
    [
      'other recovery signers',
      { recovery: '2-of-2', recoverySigner: texts(first, third) },
      [`${shortSigner(third)} is no recovery signer`, `${shortSigner(second)} is a recovery signer and is not given`],
    ],
    ['passkeys alone', { passkeysAlone: true }, ['passkeys do not approve alone (--passkeys-alone)']],
  ])('for %s differ', (_, change, expected, rule) => {
    expect(differences(change, rule)).toEqual(expected);
    expect(differences(change, rule, true)).toEqual(expected);
  });

  test('may name some, where the others were asked for', () => {
    const some = { signer: texts(bruno, carla), recoverySigner: texts(first) };
    expect(differences(some, '3-of-5', true)).toEqual([]);
    expect(differences(some)).toHaveLength(3);
  });

  test('say recovery where there is none', () => {
    const none = { ...plan, recoverySigners: [], recoveryThreshold: 0 };
    const given = { recovery: '2-of-2', recoverySigner: texts(first, second) };
    expect(differences(given, '3-of-5', true, none)).toEqual([
      'recovery is none, not 2-of-2',
      `${shortSigner(first)} is no recovery signer`,
      `${shortSigner(second)} is no recovery signer`,
    ]);
    expect(differences({ recovery: false }, '3-of-5', false, none)).toEqual([]);
  });
});

describe('options of a first setup', () => {
  const complete = { signer: texts(bruno, carla, dora, emil), recovery: false } as const;

  test('are enough, with or without a key of ones own', () => {
    for (const key of [own, null]) requireTeam(options(complete), key, false);
    requireTeam(options({ signer: texts(bruno) }), null, true);
    const without = { signer: texts(bruno, carla, dora, emil, frida), withoutOwnKey: true };
    requireTeam(options({ ...without, recovery: '1-of-1', recoverySigner: texts(own) }), own, false);
  });

  test.each<[string, Partial<TeamFlags>]>([
    ['too few signers', { ...complete, signer: texts(bruno) }],
    ['too many', { ...complete, signer: texts(bruno, carla, dora, emil, frida) }],
    ['nothing of recovery', { signer: complete.signer }],
    ['recovery signers without a rule', { signer: complete.signer, recoverySigner: texts(first) }],
    ['too few recovery signers', { ...complete, recovery: '2-of-2', recoverySigner: texts(first) }],
    ['recovery signers for no recovery', { ...complete, recoverySigner: texts(first) }],
    ['nobody with the own key', { ...complete, signer: texts(bruno, carla, dora, emil, frida), withoutOwnKey: true }],
  ])('are refused for %s', (_, change) => expectCode('usage-invalid', () => requireTeam(options(change), own, false)));
});
