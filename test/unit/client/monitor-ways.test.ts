// The ways on which alerts go: each against a real receiver.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseProductId, parseVersion, webhookSecretOf } from '@firmproof/protocol';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Alert, alertOfCondition, alertOfResolution, plainLine } from '../../../client/src/monitor/alert.ts';
import type { EmailSinkConfig, SyslogSinkConfig } from '../../../client/src/monitor/config.ts';
import { Courier, retryPause } from '../../../client/src/monitor/courier.ts';
import { groupsOf, Outbox } from '../../../client/src/monitor/outbox.ts';
import { createSink, type Sink } from '../../../client/src/monitor/sinks/sink.ts';
import { createStdoutSink } from '../../../client/src/monitor/sinks/stdout.ts';
import { cutUtf8, syslogLine } from '../../../client/src/monitor/sinks/syslog.ts';
import { MonitorState } from '../../../client/src/monitor/state.ts';
import { startMailServer, startSyslog, WebhookReceiver } from '../../support/alert-receivers.ts';
import { expectCode } from '../../support/expect-code.ts';
import { selfSigned } from '../../support/tls.ts';

const product = parseProductId(`0x${'ab'.repeat(32)}`);
const of = { product, label: 'prime-hub' };
const alertOf = (subject: string, message = `about ${subject}`): Alert =>
  alertOfCondition(
    of,
    { code: 'release-unannounced', severity: 'bad', message, sequence: 7, version: parseVersion('1.2.3') },
    subject,
    0,
    1_800_000_000,
  );
const soon = () => AbortSignal.timeout(10_000);
const messageOf = (...alerts: readonly Alert[]) => ({ id: alerts[0]?.id ?? '', alerts, attempts: 0 });

let directory: string;
let certificate: { key: string; cert: string };
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'firmproof-ways-'));
  certificate = await selfSigned('2026-01-01', '2036-01-01');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('webhook', () => {
  test('is signed with the secret, and with the one before while they change', async () => {
    const [old, next] = [webhookSecretOf(randomBytes(32)), webhookSecretOf(randomBytes(32))];
    const receiver = await WebhookReceiver.start([old]);
    try {
      const { url } = receiver;
      await createSink({ kind: 'webhook', name: 'w', url, secrets: [next, old] }).deliver(
        messageOf(alertOf('a')),
        soon(),
      );
      const stranger = createSink({ kind: 'webhook', name: 'w', url, secrets: [next] });
      const refusal = await stranger.deliver(messageOf(alertOf('b')), soon()).then(() => null, stranger.explain);
      expect(refusal).toBe('it answers 401');
      expect(receiver.received).toHaveLength(1);
      expect(receiver.received[0]).toMatchObject({
        id: alertOf('a').id,
        body: { type: 'firmproof.monitor.alert', data: alertOf('a') },
      });
    } finally {
      await receiver.stop();
    }
  });

  test('does not follow a redirect, and names no address when nobody is there', async () => {
    const secret = webhookSecretOf(randomBytes(32));
    const receiver = await WebhookReceiver.start([secret]);
    const { url } = receiver;
    const sink = createSink({ kind: 'webhook', name: 'w', url, secrets: [secret] });
    receiver.onMessage = (_, response) => {
      response.writeHead(307, { location: `${url}/elsewhere` }).end();
      return true;
    };
    expect(await sink.deliver(messageOf(alertOf('a')), soon()).then(() => null, sink.explain)).toBe('it answers 307');
    expect(receiver.received).toHaveLength(1);
    await receiver.stop();
    expect(await sink.deliver(messageOf(alertOf('a')), soon()).then(() => null, sink.explain)).toBe('ECONNREFUSED');
  });
});

describe('e-mail', () => {
  const login = { user: 'monitor', password: 'a password of the mail server' };
  const config = (port: number, change: Partial<EmailSinkConfig> = {}): EmailSinkConfig => ({
    kind: 'email',
    name: 'm',
    host: 'localhost',
    port,
    security: 'starttls',
    login,
    from: 'monitor@vendor.example',
    to: ['security@vendor.example', 'boss@vendor.example'],
    certificateAuthority: certificate.cert,
    ...change,
  });

  test('goes out as plain text, encrypted and logged in, with an id that stays the same', async () => {
    for (const secure of [false, true]) {
      const server = await startMailServer({ certificate, secure, login });
      const sink = createSink(config(server.port, { security: secure ? 'tls' : 'starttls' }));
      await sink.deliver(messageOf(alertOf('a', 'Führung: 1.2.3 ✓')), soon());
      await sink.deliver(messageOf(alertOf('a', 'Führung: 1.2.3 ✓')), soon());
      await server.stop();
      const [mail, again] = server.mails;
      expect(mail).toMatchObject({ to: config(0).to, user: 'monitor' });
      expect(mail?.content).toMatch(/^Subject: \[Firmproof\] ALERT: prime-hub: release-unannounced\r$/m);
      expect(mail?.content).toMatch(/^Content-Type: text\/plain; charset=utf-8\r$/m);
      const id = /^Message-ID: (<msg_[0-9a-f]{32}@firmproof-monitor>)\r$/m;
      expect(id.exec(again?.content ?? '')?.[1]).toBe(id.exec(mail?.content ?? '')?.[1]);
    }
  });

  test('a wrong password, a certificate that nobody vouches for, a server without encryption: not sent, nothing shown', async () => {
    const server = await startMailServer({ certificate, login });
    const attempt = async (change: Partial<EmailSinkConfig>, port = server.port) => {
      const sink = createSink(config(port, change));
      return sink.deliver(messageOf(alertOf('a')), soon()).then(() => null, sink.explain);
    };
    expect(await attempt({ login: { ...login, password: 'wrong' } })).toBe('EAUTH');
    expect(await attempt({ certificateAuthority: null })).toBe('ESOCKET');
    expect(await attempt({ security: 'none', login: null })).toBe('EENVELOPE');
    await server.stop();
    expect(await attempt({})).toBe('ESOCKET');
    expect(server.mails).toEqual([]);
  });
});

describe('syslog', () => {
  const config = (protocol: SyslogSinkConfig['protocol'], port: number): SyslogSinkConfig => ({
    kind: 'syslog',
    name: 's',
    host: 'localhost',
    port,
    protocol,
    facility: 16,
    certificateAuthority: certificate.cert,
  });

  test.each(['udp', 'tcp', 'tls'] as const)('over %s: a line for each alert', async (protocol) => {
    const server = await startSyslog(protocol, certificate);
    const host = protocol === 'udp' ? '127.0.0.1' : 'localhost';
    const [one, two] = [alertOf('a', 'Ä is two bytes'), alertOfResolution(alertOf('b'), 1_800_000_060)];
    await createSink({ ...config(protocol, server.port), host }).deliver(messageOf(one, two), soon());
    const [first = '', second = ''] = await server.next(2);
    await server.stop();
    expect(first).toMatch(
      /^<130>1 2027-01-15T08:00:00\.000Z \S+ firmproof-monitor \d+ release-unannounced \[firmproof@32473 id="msg_/,
    );
    expect(first).toContain('version="1.2.3"] \uFEFFprime-hub: Ä is two bytes');
    expect(second).toMatch(/^<133>1 .*state="resolved".* raisedBy="msg_/);
  });

  test('text that was meant to break out of its line stays in it; a datagram is never cut inside a character', () => {
    const line = syslogLine(alertOf('a', 'x"]\n<0>1 - forged \u2028 next'), 16, 'host name');
    expect(line).not.toMatch(/[\n\u2028]/);
    expect(line).toContain(' hostname firmproof-monitor ');
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(40), (text, maximum) => {
        const cut = cutUtf8(text, maximum);
        expect(cut.length).toBeLessThanOrEqual(maximum);
        expect(text.startsWith(cut.toString())).toBe(true);
      }),
    );
  });
});

test('an alert is one line without credentials, whoever wrote its words', () => {
  expect(plainLine('a\r\nb\u0007\u202Ec')).toBe('a b c');
  expect(plainLine('see https://user:key@rpc.example/v2/x?key=1 now')).toBe('see https://rpc.example/v2/x now');
  expect(plainLine('x'.repeat(5000)).length).toBe(1001);
});

describe('the outbox', () => {
  const open = (name: string, ...sinks: readonly string[]) => {
    const state = MonitorState.open(join(directory, name));
    return { state, outbox: new Outbox(state, sinks) };
  };
  const raise = ({ state, outbox }: ReturnType<typeof open>, ...alerts: readonly Alert[]) =>
    state.transaction(() => alerts.map((alert) => outbox.raise(alert)));

  test('takes an alert once, for every way, and gives it until it is delivered: over restarts', () => {
    const before = open('restart', 'one', 'two');
    expect(raise(before, alertOf('a'), alertOf('a'))).toEqual([true, false]);
    before.outbox.form('one', null, 1);
    const first = before.outbox.next('one');
    if (first === null) throw new Error('nothing waits');
    before.outbox.failed('one', first, 'ECONNREFUSED');
    before.state.close();

    const after = open('restart', 'one', 'two');
    expect(raise(after, alertOf('a'))).toEqual([false]);
    expect(after.outbox.next('one')).toEqual({ ...first, attempts: 1 });
    after.outbox.delivered('one', first, 2);
    expect([after.outbox.next('one'), after.outbox.waiting('one'), after.outbox.waiting('two')]).toEqual([null, 0, 1]);
    after.state.close();
  });

  test('folds a burst into one summary, loses none, and goes on when the window has moved', () => {
    const box = open('burst', 'one');
    const alerts = Array.from({ length: 8 }, (_, index) => alertOf(`burst ${index}`));
    raise(box, ...alerts);
    const rate = { messages: 3, perSeconds: 60 };
    const takeAll = (now: number) => {
      box.outbox.form('one', rate, now);
      const taken: Alert[][] = [];
      for (let next = box.outbox.next('one'); next !== null; next = box.outbox.next('one')) {
        taken.push([...next.alerts]);
        box.outbox.delivered('one', next, now);
      }
      return taken;
    };
    expect(takeAll(1000).map((group) => group.length)).toEqual([1, 1, 6]);
    raise(box, alertOf('later'), alertOf('latest'));
    expect(takeAll(1059)).toEqual([]);
    expect(
      takeAll(1061)
        .flat()
        .map(({ message }) => message),
    ).toEqual(['about later', 'about latest']);
    box.state.close();
  });

  test('groups keep order and lose nothing, whatever room there is', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 90 }), fc.nat(20), (items, room) => {
        const groups = groupsOf(items, room);
        expect(groups.length).toBeLessThanOrEqual(room);
        expect(groups.flat()).toEqual(room === 0 ? [] : items);
      }),
    );
  });

  test('what waits for a way that nobody configures any more is forgotten, and said', () => {
    const before = open('gone', 'one', 'two');
    raise(before, alertOf('a'), alertOf('b'));
    before.state.close();
    const after = open('gone', 'two');
    expect(after.outbox.tidy(1_800_000_001)).toEqual({ dropped: 2 });
    expect(after.outbox.tidy(1_800_000_001)).toEqual({ dropped: 0 });
    expect(after.outbox.waiting('two')).toBe(2);
    after.state.close();
  });

  test('two monitors never share a state', async () => {
    const { state } = open('twice', 'one');
    await expectCode('monitor-running', () => MonitorState.open(join(directory, 'twice')));
    state.close();
    MonitorState.open(join(directory, 'twice')).close();
  });

  test('a dead way holds up no other, and gets everything once it is back', async () => {
    const { state, outbox } = open('dead', 'dead', 'alive');
    const got = { dead: [] as string[], alive: [] as string[] };
    let isDead = true;
    const sink = (name: 'dead' | 'alive'): Sink => ({
      name,
      deliver: async ({ id }) => {
        if (name === 'dead' && isDead) throw new Error('dead');
        got[name].push(id);
        if (name === 'alive' && got.alive.length === 3) isDead = false;
        if (got.dead.length + got.alive.length === 6) stop.abort();
      },
      explain: () => 'dead',
    });
    const stop = new AbortController();
    const troubles: (string | null)[] = [];
    const courier = (name: 'dead' | 'alive') =>
      new Courier(outbox, sink(name), {
        rate: null,
        now: () => 1_800_000_000,
        onTrouble: (trouble) => void (name === 'dead' && troubles.push(trouble)),
        pauseAfter: () => 1,
      });
    const ids = ['a', 'b', 'c'].map((subject) => alertOf(subject).id);
    state.transaction(() => ['a', 'b', 'c'].map((subject) => outbox.raise(alertOf(subject))));
    await Promise.all([courier('dead').run(stop.signal), courier('alive').run(stop.signal)]);
    expect(got.alive).toEqual(ids);
    expect(got.dead.toSorted()).toEqual(ids.toSorted());
    expect(troubles[0]).toBe('dead');
    expect(troubles.at(-1)).toBe(null);
    state.close();
  });

  test('pauses double up to ten minutes, spread by half', () => {
    expect([1, 2, 3, 20].map((failures) => retryPause(failures, 0.5))).toEqual([1000, 2000, 4000, 600_000]);
    expect([retryPause(1, 0), retryPause(1, 0.999)]).toEqual([500, 1499]);
  });
});

test('a printed alert is one line, for people or machines', async () => {
  const written: string[] = [];
  const stream = {
    write(text: string, done: () => void) {
      written.push(text);
      done();
    },
  };
  for (const json of [false, true])
    await createStdoutSink(json, stream as never).deliver(messageOf(alertOf('a')), soon());
  expect(written[0]).toBe('ALERT: prime-hub: about a [release-unannounced]\n');
  expect(JSON.parse(written[1] ?? '')).toEqual(alertOf('a'));
});
