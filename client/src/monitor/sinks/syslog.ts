import { createSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { connect as connectTls } from 'node:tls';
import type { Alert } from '../alert.ts';
import type { SyslogSinkConfig } from '../config.ts';
import type { Sink } from './sink.ts';
import { explainTrouble } from './trouble.ts';

/** What every receiver of UDP should take (RFC 5426); the text is cut there. */
const maximumDatagramBytes = 2048;
/** Of RFC 5612, for examples: there is no number of ours. */
const dataId = 'firmproof@32473';

/** The severities of RFC 5424. */
const severityOf = ({ state, severity }: Alert): number =>
  state === 'resolved' ? 5 : { bad: 2, warn: 4, info: 5 }[severity];

const escaped = (value: string) => value.replace(/["\\\]]/g, '\\$&');
const word = (text: string, maximum: number) => text.replace(/[^\x21-\x7e]/g, '').slice(0, maximum) || '-';

/** One alert as a line of RFC 5424. */
export function syslogLine(alert: Alert, facility: number, host: string): string {
  const header = [
    `<${facility * 8 + severityOf(alert)}>1`,
    new Date(alert.at * 1000).toISOString(),
    word(host, 255),
    'firmproof-monitor',
    process.pid,
    word(alert.code, 32),
  ].join(' ');
  const fields = {
    id: alert.id,
    state: alert.state,
    code: alert.code,
    product: alert.product ?? undefined,
    sequence: alert.sequence,
    version: alert.version,
    channel: alert.channel,
    raisedBy: alert.raisedBy,
  };
  const data = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
  return `${header} [${dataId}${data}] \uFEFF${alert.label}: ${alert.message}`;
}

/** The longest beginning of a text that has no more than so many bytes of UTF-8. */
export function cutUtf8(text: string, maximumBytes: number): Buffer {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, maximumBytes);
  // Never in the middle of a character.
  while (end > 0 && end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.subarray(0, end);
}

/**
 * Syslog: one line for each alert. Over UDP nobody says whether it has arrived. Over TCP and TLS lines are counted (RFC 6587,
 * RFC 5425), and taken is what was handed over without an error until the connection ended.
 */
export function createSyslogSink(config: SyslogSinkConfig): Sink {
  const { name, protocol, facility } = config;
  const host = hostname();
  return {
    name,
    async deliver({ alerts }, signal) {
      const lines = alerts.map((alert) => syslogLine(alert, facility, host));
      if (protocol === 'udp') return sendDatagrams(config, lines, signal);
      const frames = lines.map((line) => `${Buffer.byteLength(line)} ${line}`);
      return sendStream(config, frames.join(''), signal);
    },
    explain: explainTrouble,
  };
}

async function sendDatagrams(
  { host, port }: SyslogSinkConfig,
  lines: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', signal });
  try {
    for (const line of lines) {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.send(cutUtf8(line, maximumDatagramBytes), port, host, (error) => (error ? reject(error) : resolve()));
      });
    }
  } finally {
    if (!signal.aborted) socket.close();
  }
}

/** How long the end of the other side is waited for, once everything was handed over: an error may come instead. */
const farewellMilliseconds = 2000;

function sendStream(config: SyslogSinkConfig, frames: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = open(config, () => socket.end(frames));
    const giveUp = () => socket.destroy(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
    const stopWaiting = () => socket.destroy();
    signal.addEventListener('abort', giveUp, { once: true });
    // Whatever the receiver says is read away, so that its end of the connection is seen.
    socket.resume();
    socket.once('finish', () => socket.setTimeout(farewellMilliseconds, stopWaiting));
    socket.once('error', reject);
    socket.once('close', (failed) => {
      signal.removeEventListener('abort', giveUp);
      if (!failed) resolve();
    });
  });
}

function open({ host, port, protocol, certificateAuthority }: SyslogSinkConfig, onReady: () => void): Socket {
  if (protocol === 'tcp') return connect({ host, port }, onReady);
  return connectTls({ host, port, ...(certificateAuthority !== null && { ca: certificateAuthority }) }, onReady);
}
