// V5.3: one node is one voice, however often and in however many ways it is named.
import { distinctNodes, repeatedNode } from '@firmproof/protocol/audit';
import { expect, test } from 'vitest';

const same = [
  'https://node.example/v3/key',
  'http://node.example/v3/key',
  'https://NODE.example./v3/key/',
  'https://user:password@node.example/v3/key?again#again',
];
const others = ['https://node.example/v3/other', 'https://node.example:8545/v3/key', 'https://other.example/v3/key'];

test.each(same.slice(1))('%s is no other node', (url) => {
  expect(repeatedNode([same[0] ?? '', ...others, url])).toBe(url);
  expect(repeatedNode([same[0] ?? '', ...others])).toBeNull();
  expect(distinctNodes([same[0] ?? '', ...others, url])).toEqual([same[0], ...others]);
});
