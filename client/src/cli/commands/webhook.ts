import { setTimeout as pause } from 'node:timers/promises';
import {
  FirmproofError,
  type Webhook,
  type WebhookAttempt,
  type WebhookDelivery,
  type WebhookEventType,
  type WebhookWithSecret,
  webhookEventTypes,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import type { Administration } from '../../administration.ts';
import { parseWholeNumber } from '../../units.ts';
import { administration, type PublisherFlag, withPublisher, words } from '../administration.ts';
import { fields, humanTime, table } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type AddFlags = PublisherFlag & { readonly events: string };
type DeliveriesFlags = PublisherFlag & { readonly lines: string };

/** A test has an answer, or none in ten seconds. */
const testAttempts = 60;
const testPauseMilliseconds = 250;

/** @throws FirmproofError `usage-invalid` */
function parseEvents(text: string): WebhookEventType[] {
  if (text === 'all') return [...webhookEventTypes];
  return words(text).map((word) => {
    const type = webhookEventTypes.find((known) => known === word);
    if (type) return type;
    throw new FirmproofError('usage-invalid', `"${word}" is no event`, {
      hint: `Events: all, or some of ${webhookEventTypes.join(', ')}.`,
    });
  });
}

/** By its id or the beginning of it; the only one where nothing is said. @throws FirmproofError `webhook-not-found` */
async function webhookOf(admin: Administration, reference: string | undefined): Promise<Webhook> {
  const all = await admin.webhooks();
  const [first, ...others] = all.filter(({ id }) => id.startsWith(reference ?? ''));
  if (first && others.length === 0) return first;
  const which =
    reference === undefined ? 'say which webhook' : `${first ? 'several webhooks' : 'no webhook'} ${reference}`;
  throw new FirmproofError('webhook-not-found', all.length === 0 ? 'there is no webhook' : which);
}

function describeWebhook(webhook: Webhook): (readonly [string, string])[] {
  const { id, url, events, state, disabledReason, failingSince, pendingDeliveries, previousSecretUntil } = webhook;
  return [
    ['webhook', id],
    ['address', url],
    ['events', events.length === webhookEventTypes.length ? 'all' : events.join(', ')],
    ['state', disabledReason === undefined ? state : `${state}: ${disabledReason}`],
    ...(failingSince === undefined ? [] : ([['failing since', humanTime(failingSince)]] as const)),
    ['waiting', String(pendingDeliveries)],
    ...(previousSecretUntil === undefined
      ? []
      : ([['both secrets sign until', humanTime(previousSecretUntil)]] as const)),
  ];
}

function tellSecret(session: Session, webhook: WebhookWithSecret): void {
  session.output.note('The secret is shown once. Give it to the receiver, which checks every message with it.');
  session.output.result(webhook, fields([...describeWebhook(webhook), ['secret', webhook.secret]]));
}

function outcomeOf({ status, problem }: WebhookAttempt): string {
  return status === undefined ? (problem ?? '–') : `HTTP ${status}`;
}

function describeDelivery({
  id,
  message,
  type,
  state,
  attempts,
  attemptCount,
  nextAttemptAt,
}: WebhookDelivery): string {
  const last = attempts.at(-1);
  return fields([
    ['delivery', id],
    ['message', message],
    ['event', type],
    ['state', state],
    ['attempts', String(attemptCount)],
    ...(last
      ? ([
          ['last attempt', `${humanTime(last.at)}, ${last.milliseconds} ms: ${outcomeOf(last)}`],
          ...(last.excerpt ? ([['answer', last.excerpt.replaceAll('\n', ' ')]] as const) : []),
        ] as const)
      : []),
    ...(nextAttemptAt === undefined ? [] : ([['next attempt', humanTime(nextAttemptAt)]] as const)),
  ]);
}

async function test(session: Session, reference: string | undefined, flags: PublisherFlag): Promise<void> {
  const admin = await administration(session, flags);
  const { id } = await webhookOf(admin, reference);
  let delivery = await admin.testWebhook(id);
  for (let attempt = 0; attempt < testAttempts && delivery.attemptCount === 0; attempt += 1) {
    await pause(testPauseMilliseconds);
    delivery = await admin.delivery(id, delivery.id);
  }
  session.output.result(delivery, describeDelivery(delivery));
}

async function deliveries(session: Session, reference: string | undefined, flags: DeliveriesFlags): Promise<void> {
  const lines = parseWholeNumber(flags.lines, '--lines', 100, 1);
  const admin = await administration(session, flags);
  const { id } = await webhookOf(admin, reference);
  const items = await admin.deliveries(id, lines);
  const rows = items.map((delivery) => {
    const last = delivery.attempts.at(-1);
    return [
      delivery.id,
      delivery.type,
      humanTime(delivery.createdAt),
      delivery.state,
      String(delivery.attemptCount),
      last ? outcomeOf(last) : '–',
      delivery.nextAttemptAt === undefined ? '–' : humanTime(delivery.nextAttemptAt),
    ];
  });
  const header = ['delivery', 'event', 'since', 'state', 'attempts', 'last answer', 'next attempt'];
  session.output.result(
    { webhook: id, deliveries: items },
    rows.length > 0 ? table(header, rows) : 'nothing was sent yet',
  );
}

async function list(session: Session, flags: PublisherFlag): Promise<void> {
  const webhooks = await (await administration(session, flags)).webhooks();
  const text = webhooks.map((webhook) => fields(describeWebhook(webhook))).join('\n\n');
  session.output.result({ webhooks }, text || 'no webhooks yet: firmproof webhook add URL --events all');
}

/** What is done to one webhook, and told in one line. */
const one =
  (work: (admin: Administration, webhook: Webhook) => Promise<{ result: object; text: string }>) =>
  async (session: Session, reference: string | undefined, flags: PublisherFlag): Promise<void> => {
    const admin = await administration(session, flags);
    const { result, text } = await work(admin, await webhookOf(admin, reference));
    session.output.result(result, text);
  };

const remove = one(async (admin, { id, url }) => {
  await admin.removeWebhook(id);
  return { result: { id, removed: true }, text: `nothing is sent to ${url} any more` };
});
const enable = one(async (admin, { id }) => {
  const result = await admin.enableWebhook(id);
  return { result, text: fields(describeWebhook(result)) };
});

/** Where the vendor is told of what happens. */
export function addWebhook(program: Command, run: Run): void {
  const webhook = program.command('webhook').description('be told of what happens, by signed HTTP messages');
  withPublisher(webhook.command('add').argument('<url>', 'where the messages go'))
    .description('tell this address; shows the secret that signs the messages once')
    .requiredOption('--events <list>', 'all, or some with commas between')
    .addHelpText('after', `\nEvents\n  ${webhookEventTypes.join('\n  ')}\n`)
    .action(
      run(async (session, url: string, flags: AddFlags) => {
        const events = parseEvents(flags.events);
        tellSecret(session, await (await administration(session, flags)).addWebhook({ url, events }));
      }),
    );
  withPublisher(webhook.command('list'))
    .description('webhooks, and how they fare')
    .action(run((session, flags: PublisherFlag) => list(session, flags)));
  const about = (name: string, description: string) =>
    withPublisher(webhook.command(name).argument('[id]', 'or its beginning (default: the only one)')).description(
      description,
    );
  about('test', 'send a message that says nothing, and show what came of it').action(run(test));
  about('deliveries', 'what became of the messages, newest first')
    .option('--lines <number>', 'how many', '20')
    .action(run(deliveries));
  about('rotate', 'change the secret; the one before signs too for a day').action(
    run(async (session, id: string | undefined, flags: PublisherFlag) => {
      const admin = await administration(session, flags);
      tellSecret(session, await admin.changeWebhookSecret((await webhookOf(admin, id)).id));
    }),
  );
  about('enable', 'send again after it was disabled, and what was not delivered too').action(run(enable));
  about('remove', 'send nothing more').action(run(remove));
  withPublisher(
    webhook.command('redeliver').argument('<delivery>', 'of the deliveries').argument('[id]', 'of the webhook'),
  )
    .description('send the same message once more')
    .action(
      run(async (session, delivery: string, id: string | undefined, flags: PublisherFlag) => {
        const admin = await administration(session, flags);
        const queued = await admin.redeliver((await webhookOf(admin, id)).id, delivery);
        session.output.result(queued, describeDelivery(queued));
      }),
    );
}
