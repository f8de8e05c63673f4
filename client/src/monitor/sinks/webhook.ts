import { signWebhook } from '@firmproof/protocol';
import type { Alert } from '../alert.ts';
import type { WebhookSinkConfig } from '../config.ts';
import type { Message } from '../outbox.ts';
import type { Sink } from './sink.ts';
import { explainTrouble, SinkRefusal } from './trouble.ts';

/** What receivers parse (docs/monitor.md): one alert, or a summary of several. */
function webhookBody({ alerts }: Message): string {
  const [first] = alerts;
  const timestamp = new Date(Math.max(...alerts.map(({ at }) => at)) * 1000).toISOString();
  return alerts.length === 1 && first !== undefined
    ? JSON.stringify({ type: 'firmproof.monitor.alert', timestamp, data: first })
    : JSON.stringify({ type: 'firmproof.monitor.summary', timestamp, data: summaryOf(alerts) });
}

const summaryOf = (alerts: readonly Alert[]) => ({ count: alerts.length, alerts });

/** POST, signed as Standard Webhooks has it. Taken is what is answered with 2xx; redirects are not followed. */
export function createWebhookSink({ name, url, secrets }: WebhookSinkConfig): Sink {
  return {
    name,
    async deliver(message, signal) {
      const body = webhookBody(message);
      const timestamp = Math.floor(Date.now() / 1000);
      const response = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'firmproof-monitor',
          ...signWebhook({ id: message.id, timestamp, body }, ...secrets),
        },
        body,
        redirect: 'manual',
        signal,
      });
      await response.body?.cancel();
      if (!response.ok) throw new SinkRefusal(`it answers ${response.status}`);
    },
    explain: explainTrouble,
  };
}
