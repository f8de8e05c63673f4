import { channelSchema, type ProductId, productIdSchema, redactUrl, sha256, versionSchema } from '@firmproof/protocol';
import type { Finding, FindingCode } from '@firmproof/protocol/audit';
import { z } from 'zod';

/** What only a monitor can find: about its own means, beside the findings that it shares with audit and pages. */
type MonitorCode = FindingCode | 'server-unreachable' | 'announcements-unreadable' | 'delivery-failing';

const severities = ['bad', 'warn', 'info'] as const;

/** One alert, as receivers get it. */
export const alertSchema = z.object({
  /** The same for ever, and on every way: whoever has seen it drops it. */
  id: z.string(),
  product: productIdSchema.nullable(),
  /** How people call the product. */
  label: z.string(),
  code: z.string(),
  severity: z.enum(severities),
  /** raised: this has happened, or goes on from now. resolved: what was raised with `raisedBy` is over. */
  state: z.enum(['raised', 'resolved']),
  /** Of a resolved one: the id of the alert that it ends. */
  raisedBy: z.string().optional(),
  message: z.string(),
  sequence: z.int().optional(),
  version: versionSchema.optional(),
  channel: channelSchema.optional(),
  /** Seconds since 1970, when the monitor saw it. */
  at: z.int(),
});
export type Alert = Readonly<z.output<typeof alertSchema>>;

/** What is to be told, before it has a name. */
export type Notice = Pick<Finding, 'severity' | 'message' | 'sequence' | 'version' | 'channel'> & {
  readonly code: MonitorCode;
};

export type Followed = { readonly product: ProductId | null; readonly label: string };

const idCharacters = 32;

/** The id follows from what the alert is about, so that a monitor that has lost its state says the same once more. */
const idOf = (...parts: readonly (string | number)[]): string =>
  `msg_${sha256(new TextEncoder().encode(parts.join('\n'))).slice(0, idCharacters)}`;

const maximumMessageCharacters = 1000;

/** One line without control characters, and no credentials: parts of it may be the words of a server. */
export function plainLine(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').replace(/https?:\/\/\S+/g, redactUrl);
  return line.length > maximumMessageCharacters ? `${line.slice(0, maximumMessageCharacters)}…` : line;
}

function alertOf(id: string, state: Alert['state'], of: Followed, notice: Notice, at: number): Alert {
  const { code, severity, message, sequence, version, channel } = notice;
  return {
    id,
    product: of.product,
    label: of.label,
    code,
    severity,
    state,
    message: plainLine(message),
    ...(sequence !== undefined && { sequence }),
    ...(version !== undefined && { version }),
    ...(channel !== undefined && { channel }),
    at,
  };
}

/** Of something that has happened once: an event of the history. */
export function alertOfEvent(of: Followed, notice: Notice, at: number): Alert {
  const about = [notice.sequence ?? 0, notice.version ?? '', notice.channel ?? ''];
  return alertOf(idOf('event', of.product ?? '', notice.code, ...about), 'raised', of, notice, at);
}

/** Of something that lasts. `since` tells one time from the next; `subject` what it is about. */
export function alertOfCondition(of: Followed, notice: Notice, subject: string, since: number, at: number): Alert {
  return alertOf(idOf('condition', of.product ?? '', notice.code, subject, since), 'raised', of, notice, at);
}

/** Good news: what an alert has told is over. */
export function alertOfResolution(raised: Alert, at: number): Alert {
  const { severity: _, state: __, id, message, ...rest } = raised;
  return {
    ...rest,
    id: idOf('resolved', id),
    raisedBy: id,
    severity: 'info',
    state: 'resolved',
    message: plainLine(`over: ${message}`),
    at,
  };
}

/** One line for people. */
export function alertLine({ severity, state, label, code, message }: Alert): string {
  const word = state === 'resolved' ? 'resolved' : { bad: 'ALERT', warn: 'warning', info: 'note' }[severity];
  return `${word}: ${label}: ${message} [${code}]`;
}
