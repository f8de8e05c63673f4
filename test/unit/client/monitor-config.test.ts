import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isFirmproofError, parseSha256Digest, parseVersion, webhookSecretOf } from '@firmproof/protocol';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { announce, announcementMistake, readAnnouncements } from '../../../client/src/monitor/announcements.ts';
import { readMonitorConfig } from '../../../client/src/monitor/config.ts';
import { expectCode } from '../../support/expect-code.ts';

let directory: string;
const secret = webhookSecretOf(randomBytes(32));
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'firmproof-config-'));
  writeFileSync(join(directory, 'webhook.secret'), `${secret}\n`);
  writeFileSync(join(directory, 'rpc.url'), 'https://rpc.example/v2/key-of-the-node\n');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const place = { product: `0x${'ab'.repeat(32)}`, chainId: 1, registry: `0x${'CD'.repeat(20)}` };
const good = {
  rpc: [{ file: 'rpc.url' }, 'https://other.example'],
  server: 'https://updates.example.com',
  products: [place],
  alerts: [
    { webhook: { url: { environment: 'WEBHOOK_URL' }, secret: { file: 'webhook.secret' } } },
    {
      email: {
        host: 'mail.example',
        user: 'monitor',
        password: { environment: 'MAIL_PASSWORD' },
        from: 'monitor@vendor.example',
        to: ['security@vendor.example'],
      },
    },
    { syslog: { host: 'log.example', protocol: 'tls' } },
  ],
};
const environment = { WEBHOOK_URL: 'https://chat.example/hooks/key-of-the-room', MAIL_PASSWORD: 'hunter2hunter2' };

function read(document: unknown) {
  const file = join(directory, 'monitor.json');
  writeFileSync(file, typeof document === 'string' ? document : JSON.stringify(document));
  return readMonitorConfig(file, environment);
}

/** The mistakes of a configuration that is refused. */
function mistakesOf(document: unknown): readonly string[] {
  try {
    read(document);
  } catch (error) {
    if (!isFirmproofError(error) || error.code !== 'config-invalid') throw error;
    const { mistakes } = error.details ?? {};
    return Array.isArray(mistakes) ? mistakes : [error.message];
  }
  throw new Error('it was not refused');
}

describe('the configuration', () => {
  test('is read with everything that it names; paths are relative to it', () => {
    const config = read(good);
    expect(config).toMatchObject({ stateDirectory: join(directory, 'monitor-state'), intervalSeconds: 60 });
    const [product] = config.products;
    expect(product).toMatchObject({
      registry: place.registry.toLowerCase(),
      quorum: 2,
      rpc: ['https://rpc.example/v2/key-of-the-node', 'https://other.example'],
      sources: ['https://updates.example.com'],
      announced: null,
      expectedSigners: null,
    });
    expect(config.sinks).toMatchObject([
      { kind: 'webhook', name: 'webhook', url: environment.WEBHOOK_URL, secrets: [secret] },
      { kind: 'email', name: 'email', port: 587, security: 'starttls', login: { password: 'hunter2hunter2' } },
      { kind: 'syslog', name: 'syslog', port: 6514, facility: 16 },
    ]);
  });

  test('names all mistakes at once, each with its place', () => {
    const [webhook, email] = good.alerts;
    const mistakes = mistakesOf({
      ...good,
      quorum: 3,
      products: [{ ...place, registry: undefined, announced: 'nowhere.txt', expectedSigners: ['p256:12'] }, place],
      alerts: [
        webhook,
        webhook,
        { email: { ...email?.email, security: 'none' } },
        { webhook: { ...webhook?.webhook, secret: { file: 'rpc.url' } } },
      ],
    });
    expect(mistakes.map((mistake) => mistake.split(':')[0])).toEqual([
      'products.0.registry',
      'products.0.quorum',
      'products.0.announced',
      'products.0.expectedSigners.0',
      'products.1.quorum',
      'alerts.2.email.security',
      'alerts.3.webhook.secret',
      'alerts',
    ]);
    const shape = mistakesOf({ ...good, intervalSeconds: 0, products: [], alerts: [{}], extra: 1 });
    expect(shape.map((mistake) => mistake.split(':')[0])).toEqual(['intervalSeconds', 'products', 'alerts.0', 'extra']);
  });

  test('looks at what the sound parts of it name, whatever is wrong with the rest', () => {
    const [webhook] = good.alerts;
    const unsound = {
      ...good,
      rpc: 'https://rpc.example',
      products: [{ ...place, announced: 'nowhere.txt' }, { label: 7 }],
      alerts: [{ webhook: { ...webhook?.webhook, secret: { file: 'nowhere' } } }, { email: { host: 'mail.example' } }],
      extra: 1,
    };
    expect(mistakesOf(unsound)).toEqual([
      'rpc: has to be of type array, not string',
      'products.1.label: has to be of type string, not number',
      'alerts.1.email.from: is missing',
      'alerts.1.email.to: is missing',
      'extra: is not known here',
      expect.stringMatching(/^products\.0\.announced: .*nowhere\.txt cannot be read$/),
      expect.stringMatching(/^alerts\.0\.webhook\.secret: .*nowhere cannot be read$/),
    ]);
    expect(mistakesOf('[]')).toEqual([expect.stringMatching(/^\(document\): /)]);
  });

  test('shows nothing of a secret, wherever somebody has put it (A40)', () => {
    const [webhook] = good.alerts;
    const documents: unknown[] = [
      { ...good, alerts: [{ webhook: { ...webhook?.webhook, secret } }] },
      { ...good, alerts: [{ webhook: { url: `ftp://${secret}`, secret: { file: 'webhook.secret' } } }] },
      { ...good, rpc: [{ file: 'webhook.secret' }] },
      { ...good, rpc: [secret] },
      { ...good, alerts: [{ webhook: { ...webhook?.webhook, url: { file: 'webhook.secret' } } }] },
      `{"alerts": "${secret}`,
    ];
    for (const document of documents) expect(mistakesOf(document).join('\n')).not.toContain(secret.slice(6, 20));
  });

  test('whatever is written there is read or refused, and never anything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.anything().map((value) => JSON.stringify({ ...good, alerts: value }) ?? ''),
        ),
        (text) => {
          try {
            read(text);
          } catch (error) {
            if (!isFirmproofError(error)) throw error;
            expect(error.code).toBe('config-invalid');
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe('announcements', () => {
  const [image, other] = ['a', 'b'].map((digit) => parseSha256Digest(digit.repeat(64)));
  const [one, two] = ['1.0.0', '2.0.0'].map(parseVersion);
  if (!(image && other && one && two)) throw new Error('no examples');

  test('a version alone stands for any image, with a digest for that one; the end that CI is writing does not count', () => {
    const file = join(directory, 'announced.txt');
    writeFileSync(file, `# our releases\n\n1.0.0 # any\n  2.0.0\t${image}\r\n3.0.0`);
    const announced = readAnnouncements(file);
    expect([...announced.keys()]).toEqual([one, two]);
    expect(announcementMistake(announced, { version: one, image: other })).toBe(null);
    expect(announcementMistake(announced, { version: two, image })).toBe(null);
    expect(announcementMistake(announced, { version: two, image: other })).toMatch(
      /^2\.0\.0 was published with image b/,
    );
    expect(announcementMistake(announced, { version: parseVersion('3.0.0'), image })).toMatch(/never announced/);
  });

  test('each is one appended line', () => {
    const file = join(directory, 'appended.txt');
    announce(file, one, null);
    announce(file, two, image);
    announce(file, two, other);
    expect(readFileSync(file, 'utf8')).toBe(`1.0.0\n2.0.0 ${image}\n2.0.0 ${other}\n`);
    expect(announcementMistake(readAnnouncements(file), { version: two, image: other })).toBe(null);
  });

  test('lines that are none are named; a file that is not there is no empty one', async () => {
    const file = join(directory, 'bad.txt');
    writeFileSync(file, `1.0.0\nv2\n2.0.0 ${image} more\n3.0.0 12\n`);
    await expectCode('announcements-unreadable', () => readAnnouncements(file));
    expect(() => readAnnouncements(file)).toThrow(/line 2, line 3, line 4/);
    await expectCode('announcements-unreadable', () => readAnnouncements(join(directory, 'nowhere.txt')));
  });
});
