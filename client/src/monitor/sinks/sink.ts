import type { SinkConfig } from '../config.ts';
import type { Message } from '../outbox.ts';
import { createEmailSink } from './email.ts';
import { createSyslogSink } from './syslog.ts';
import { createWebhookSink } from './webhook.ts';

/** A way on which alerts reach people. */
export type Sink = {
  readonly name: string;
  /** Returns when the other side has taken the message; throws when it has not, or when nobody can know. */
  deliver(message: Message, signal: AbortSignal): Promise<void>;
  /** What went wrong, in a few words, without addresses or anything else that could be secret. */
  explain(error: unknown): string;
};

export function createSink(config: SinkConfig): Sink {
  switch (config.kind) {
    case 'webhook':
      return createWebhookSink(config);
    case 'email':
      return createEmailSink(config);
    case 'syslog':
      return createSyslogSink(config);
  }
}
