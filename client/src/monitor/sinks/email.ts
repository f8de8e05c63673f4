import { createTransport } from 'nodemailer';
import { type Alert, alertLine } from '../alert.ts';
import type { EmailSinkConfig } from '../config.ts';
import type { Message } from '../outbox.ts';
import type { Sink } from './sink.ts';
import { explainTrouble, SinkRefusal } from './trouble.ts';

const stepTimeoutMilliseconds = 15_000;

/**
 * A mail to everybody at once, as plain text. Its Message-ID is that of every attempt, by which mailboxes drop what came twice.
 */
export function createEmailSink(config: EmailSinkConfig): Sink {
  const { name, host, port, security, login, from, to, certificateAuthority } = config;
  return {
    name,
    async deliver(message, signal) {
      const transport = createTransport({
        host,
        port,
        secure: security === 'tls',
        requireTLS: security === 'starttls',
        ignoreTLS: security === 'none',
        ...(login && { auth: { user: login.user, pass: login.password } }),
        tls: { ...(certificateAuthority !== null && { ca: certificateAuthority }), minVersion: 'TLSv1.2' },
        connectionTimeout: stepTimeoutMilliseconds,
        greetingTimeout: stepTimeoutMilliseconds,
        socketTimeout: stepTimeoutMilliseconds,
        // Nothing in an alert makes this process read files or addresses.
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        const sent = transport.sendMail({
          from: { name: 'Firmproof monitor', address: from },
          to: [...to],
          subject: subjectOf(message),
          text: textOf(message),
          messageId: `<${message.id}@firmproof-monitor>`,
          headers: { 'auto-submitted': 'auto-generated', 'x-firmproof-alert': message.id },
        });
        const { rejected } = await Promise.race([sent, refusalAt(signal)]);
        // Sent once more it would reach those again that have taken it; that somebody has not is said, not hidden.
        if (rejected.length === to.length) throw new SinkRefusal('no recipient is accepted');
      } finally {
        transport.close();
      }
    },
    explain: explainTrouble,
  };
}

const refusalAt = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new SinkRefusal('no answer in time')), { once: true });
  });

function subjectOf({ alerts }: Message): string {
  const [first] = alerts;
  if (alerts.length === 1 && first) return `[Firmproof] ${wordOf(first)}: ${first.label}: ${first.code}`;
  const bad = alerts.filter(({ severity }) => severity === 'bad').length;
  return `[Firmproof] ${alerts.length} alerts${bad > 0 ? `, ${bad} of them bad` : ''}`;
}

const wordOf = ({ state, severity }: Alert) =>
  state === 'resolved' ? 'resolved' : { bad: 'ALERT', warn: 'warning', info: 'note' }[severity];

function textOf({ alerts }: Message): string {
  const block = (alert: Alert) =>
    [
      alertLine(alert),
      ...(alert.product === null ? [] : [`product   ${alert.product}`]),
      ...(alert.sequence === undefined ? [] : [`event     ${alert.sequence}`]),
      `seen      ${new Date(alert.at * 1000).toISOString()}`,
      `id        ${alert.id}`,
    ].join('\n');
  return `${alerts.map(block).join('\n\n')}\n`;
}
