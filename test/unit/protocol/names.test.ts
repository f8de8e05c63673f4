import {
  asciiOfWord,
  asciiWord,
  parseChannel,
  parseProductName,
  parseVersion,
  versionSchema,
} from '@firmproof/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectCode } from '../../support/expect-code.ts';

describe('versions', () => {
  test.each(['0.0.0', '7.27.0', '1.2.3-rc.1', '10.20.30-alpha-7'])('%s is one', (text) => {
    expect(parseVersion(text)).toBe(text);
  });

  test.each([
    '1.2',
    'v1.2.3',
    '=1.2.3',
    ' 1.2.3',
    '1.2.3 ',
    '01.2.3',
    '1.2.3-01',
    '1.2.3+build',
    '1.2.3-',
    '9007199254740992.0.0',
    '1.2.3-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    '',
    '１.2.3',
  ])('"%s" is none', async (text) => {
    await expectCode('version-invalid', () => parseVersion(text));
  });

  test('what is accepted fits a word and comes back the same', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        const parsed = versionSchema.safeParse(text);
        if (parsed.success) expect(asciiOfWord(asciiWord(parsed.data))).toBe(text);
      }),
    );
  });
});

describe('names', () => {
  test.each(['stable', 'beta-2', 'a.b', '9'])('%s is one', (text) => {
    expect(parseChannel(text)).toBe(text);
  });
  test.each(['Stable', '-a', 'a-', 'a--b', 'a..b', '../x', 'ѕtable', '', 'a'.repeat(32)])(
    '"%s" is none',
    async (text) => {
      await expectCode('name-invalid', () => parseChannel(text));
    },
  );

  test('the rule is said to whoever breaks it', () => {
    const rule = { hint: expect.stringContaining('a-z, 0-9, with single - or .') };
    for (const parse of [parseChannel, parseProductName])
      expect(() => parse('Lamp X')).toThrow(expect.objectContaining(rule));
  });
});
