import { expect, test } from 'vitest';
import { BoundedCache } from '../../../server/src/audit/bounded-cache.ts';

test('keeps what fits, and lets go of what has been there longest', () => {
  const cache = new BoundedCache(10);
  cache.set('a', '1234');
  cache.set('b', '1234');
  cache.set('a', '12');
  cache.set('c', '12345');
  expect(['a', 'b', 'c'].map((key) => cache.get(key, 0))).toEqual(['12', undefined, '12345']);
  cache.set('d', 'longer than everything');
  expect(['a', 'c', 'd'].map((key) => cache.get(key, 0))).toEqual([undefined, undefined, undefined]);
  cache.set('e', '1234567890');
  expect(cache.get('e', 0)).toBe('1234567890');
});

test('keeps nothing beyond its time', () => {
  const cache = new BoundedCache(10);
  cache.set('a', '1', 5);
  expect([cache.get('a', 4), cache.get('a', 5)]).toEqual(['1', undefined]);
});
