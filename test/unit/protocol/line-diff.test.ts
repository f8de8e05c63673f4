import { lineDiff } from '@firmproof/protocol';
import fc from 'fast-check';
import { expect, test } from 'vitest';

const signs = { same: ' ', gone: '-', new: '+' } as const;
const shown = (before: string, now: string) => lineDiff(before, now).map(({ kind, text }) => `${signs[kind]}${text}`);

test('lines that stay, go and come', () => {
  expect(shown('a\nb\nc\n', 'a\nx\nc')).toEqual([' a', '-b', '+x', ' c']);
  expect(shown('', 'a')).toEqual(['+a']);
  expect(shown('a\r\nb', 'a\nb')).toEqual([' a', ' b']);
});

test('both texts can be read from it, whatever they are', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 30 }).map((lines) => lines.join('\n'));
  const lines = (value: string) => (value === '' ? [] : value.replace(/\n$/, '').split('\n'));
  fc.assert(
    fc.property(text, text, (before, now) => {
      const diff = lineDiff(before, now);
      const without = (kind: string) => diff.filter((one) => one.kind !== kind).map((one) => one.text);
      expect(without('new')).toEqual(lines(before));
      expect(without('gone')).toEqual(lines(now));
    }),
  );
});

test('texts without end are not lined up', () => {
  const long = Array.from({ length: 3000 }, (_, index) => `line ${index}`).join('\n');
  expect(lineDiff(long, long)).toHaveLength(6000);
});
