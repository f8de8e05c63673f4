// What docs/monitor.md says: its configuration is read, its defaults, codes, commands and unit are those of the monitor.
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signTrustRoot } from '@firmproof/client';
import {
  parseAddress,
  parseProductId,
  parseProductName,
  parseWebhookSecret,
  trustRootType,
  webhookSecretOf,
} from '@firmproof/protocol';
import { findingCodes } from '@firmproof/protocol/audit';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { alertSchema } from '../../client/src/monitor/alert.ts';
import { type MonitorConfig, readMonitorConfig } from '../../client/src/monitor/config.ts';
import { readPage, sectionsOf, shellBlocks } from '../support/page.ts';

const page = readPage('docs/monitor.md');
const unit = readPage('examples/firmproof-monitor.service');
const sectionOf = (heading: string) => sectionsOf(page).find((section) => section.heading === heading)?.text ?? '';
const jsonOf = (heading: string) => /^```json\n([\s\S]*?)^```$/m.exec(sectionOf(heading))?.[1] ?? '';

let directory: string;
let config: MonitorConfig;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'firmproof-page-'));
  const rootKey = generateKeyPairSync('ed25519').privateKey;
  const key = publicKeyOf(rootKey);
  const root = signTrustRoot(
    {
      type: trustRootType,
      version: 1,
      product: parseProductId(`0x${'1'.repeat(64)}`),
      name: parseProductName('prime-hub'),
      chainId: 1,
      registry: parseAddress(`0x${'2'.repeat(40)}`),
      maxAgeSeconds: 604_800,
      witnesses: { quorum: 1, members: [{ operator: 'alpha', publicKey: key }] },
      buildKeys: [key],
      rootKeys: { threshold: 1, keys: [key] },
    },
    [rootKey],
  );
  const files = {
    'trust-root.json': JSON.stringify(root.envelope),
    'announced-prime-hub.txt': '',
    webhook: webhookSecretOf(randomBytes(32)),
    rpc: 'https://rpc.example/key',
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(directory, name), content);
  const file = join(directory, 'monitor.json');
  writeFileSync(file, jsonOf('Configuration').replaceAll('/run/credentials/firmproof-monitor.service', directory));
  config = readMonitorConfig(file, { SMTP_PASSWORD: 'secret' });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the configuration of the page holds, with the defaults that it names', () => {
  expect(config.products).toMatchObject([{ label: 'prime-hub', quorum: 2, sources: { length: 2 } }]);
  expect(config.sinks.map(({ name }) => name)).toEqual(['security-desk', 'email', 'syslog']);
  const defaultOf = (setting: string) =>
    page
      .split('\n')
      .find((line) => line.startsWith(`| ${setting}`))
      ?.split('|')[2]
      ?.trim();
  const { patience, content, rateLimit, intervalSeconds } = config;
  expect(defaultOf('`intervalSeconds`')).toBe(`${intervalSeconds}`);
  expect(defaultOf('`rateLimit`')).toBe(`${rateLimit.messages} messages in ${rateLimit.perSeconds} s`);
  for (const [name, seconds] of Object.entries(patience)) expect(defaultOf(`\`patience.${name}\``)).toBe(`${seconds}`);
  expect(defaultOf('`content.everySeconds`, `.blocks`')).toBe(`${content.everySeconds}, ${content.blocks}`);
  expect(defaultOf('`email.port`, `.security`')).toBe('587, `starttls`');
});

test('every code that is told is explained, and no other', () => {
  const rows = sectionOf('What is told')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  const told = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([a-z-]+)`/g)].map(([, code]) => code));
  const own = ['server-unreachable', 'announcements-unreadable', 'delivery-failing'];
  // Where a product went only an audit tells.
  const expected = [...findingCodes.filter((code) => code !== 'product-moved'), ...own];
  expect(told.toSorted()).toEqual(expected.toSorted());
});

test('the alert and the secret of the page are such', () => {
  const arrival = sectionOf('How it arrives');
  expect(alertSchema.parse(JSON.parse(jsonOf('How it arrives')))).toMatchObject({ code: 'release-unannounced' });
  const [command = ''] = shellBlocks(arrival);
  const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  expect(parseWebhookSecret(stdout)).toBe(stdout.trim());
});

test('the unit hands over the secrets that the configuration names', () => {
  const named = [...page.matchAll(/\/run\/credentials\/firmproof-monitor\.service\/(\w+)/g)].map(([, name]) => name);
  const handed = [...unit.matchAll(/^LoadCredential=(\w+):/gm)].map(([, name]) => name);
  expect(handed.toSorted()).toEqual(named.toSorted());
  expect(unit).toContain(`StateDirectory=${config.stateDirectory.replace('/var/lib/', '')}\n`);
  if (spawnSync('systemd-analyze', ['--version']).status === 0) {
    const file = new URL('../../examples/firmproof-monitor.service', import.meta.url).pathname;
    const security = spawnSync('systemd-analyze', ['security', '--offline=true', '--threshold=25', file]);
    expect(security.status).toBe(0);
  }
});
