import { parseAddress } from '@firmproof/protocol';
import { expect, test } from 'vitest';
import { greetingOf } from '../../../server/src/greeting.ts';

const registry = parseAddress(`0x${'ab'.repeat(20)}`);
const info = {
  chainId: 31_337,
  registry,
  accountFactory: registry,
  registryBlock: 0,
  witnesses: [],
  maximumImageBytes: 1,
  development: true,
};
const running = {
  url: 'http://127.0.0.1:8440',
  publicUrl: undefined,
  hasPages: true,
  info,
  rpcUrl: '',
  ready: Promise.resolve(),
  stop: () => Promise.resolve(),
};

test('a development server says where it is, where the pages are, and what to type next', () => {
  const text = greetingOf(running);
  for (const part of [
    'http://127.0.0.1:8440',
    'http://localhost:8440\n',
    'http://localhost:8440/audit/\n',
    '31337',
    registry,
  ])
    expect(text).toContain(part);
  expect(text).toMatch(/npx firmproof setup --solo --product NAME$/);
});

test('elsewhere the command is told the address, and wants a team', () => {
  const publicUrl = 'https://updates.vendor.example';
  const text = greetingOf({ ...running, hasPages: false, publicUrl, info: { ...info, development: false } });
  expect(text).toMatch(/approval pages +off\n +audit pages +off/);
  expect(text).toMatch(/setup --team 2-of-3 --product NAME --server https:\/\/updates\.vendor\.example$/);
  expect(greetingOf({ ...running, url: 'http://127.0.0.1:9000' })).toMatch(/--server http:\/\/127\.0\.0\.1:9000$/);
});
