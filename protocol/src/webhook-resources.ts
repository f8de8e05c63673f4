import * as z from 'zod';
import { addressSchema } from './bytes.ts';
import { productIdSchema } from './names.ts';
import { webhookSecretSchema } from './webhook.ts';

/** What a vendor can be told by webhook, in the order in which docs/webhooks.md explains them. */
export const webhookEventTypes = [
  'product.registered',
  'release.published',
  'release.revoked',
  'channel.promoted',
  'channel.halted',
  'configuration.scheduled',
  'configuration.applied',
  'configuration.vetoed',
  'proposal.waiting',
  'proposal.confirmed',
  'proposal.rejected',
  'proposal.expired',
  'device.flagged',
  'chain.reorganised',
] as const;
export type WebhookEventType = (typeof webhookEventTypes)[number];

/** Sent by `webhook test`, to that webhook alone. */
export const webhookTestType = 'webhook.test';

export const maximumWebhooks = 10;
const maximumUrlCharacters = 1000;
/** How much of an answer is kept. */
export const maximumExcerptCharacters = 500;

const seconds = z.int().min(0).meta({ description: 'Seconds since 1970.' });
const idSchema = z.uuid();

/** Which addresses are allowed besides, the server decides. */
const urlSchema = z
  .url({ protocol: /^https?$/ })
  .max(maximumUrlCharacters)
  .refine((text) => !URL.canParse(text) || (new URL(text).username === '' && new URL(text).password === ''), {
    message: 'names a user or a password: receivers check the signature instead',
  })
  .refine((text) => !text.includes('#'), { message: 'has a fragment' });

const eventsSchema = z
  .array(z.enum(webhookEventTypes))
  .min(1)
  .max(webhookEventTypes.length)
  .refine((events) => new Set(events).size === events.length, 'names an event twice');

export const createWebhookRequestSchema = z
  .object({ url: urlSchema, events: eventsSchema })
  .meta({ id: 'CreateWebhookRequest' });
export type CreateWebhookRequest = z.infer<typeof createWebhookRequestSchema>;

export const webhookSchema = z
  .object({
    id: idSchema,
    publisher: addressSchema,
    url: urlSchema,
    events: eventsSchema,
    state: z.enum(['active', 'disabled']),
    disabledReason: z.string().optional().meta({ description: 'Why nothing is sent any more.' }),
    createdAt: seconds,
    failingSince: seconds.optional().meta({ description: 'When deliveries began to fail, while none succeeds.' }),
    pendingDeliveries: z.int().min(0),
    previousSecretUntil: seconds.optional().meta({ description: 'So long the secret before the last one signs too.' }),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof webhookSchema>;

export const webhookWithSecretSchema = webhookSchema
  .extend({ secret: webhookSecretSchema.meta({ description: 'Shown this once.' }) })
  .meta({ id: 'WebhookWithSecret' });
export type WebhookWithSecret = z.infer<typeof webhookWithSecretSchema>;

export const deliveryStates = ['pending', 'delivered', 'failed'] as const;

const attemptSchema = z.object({
  at: seconds,
  milliseconds: z.int().min(0),
  status: z.int().optional().meta({ description: 'The HTTP status of the answer, where there was one.' }),
  problem: z.string().optional().meta({ description: 'Why there was none.' }),
  excerpt: z
    .string()
    .max(maximumExcerptCharacters)
    .optional()
    .meta({ description: 'How the answer begins, in printable characters.' }),
});
export type WebhookAttempt = z.infer<typeof attemptSchema>;

export const webhookDeliverySchema = z
  .object({
    id: idSchema,
    webhook: idSchema,
    message: z.string().meta({ description: 'The webhook-id: the same for every attempt and every webhook.' }),
    type: z.enum([...webhookEventTypes, webhookTestType]),
    product: productIdSchema.optional(),
    state: z.enum(deliveryStates),
    createdAt: seconds,
    nextAttemptAt: seconds.optional(),
    attemptCount: z.int().min(0),
    attempts: z.array(attemptSchema).meta({ description: 'The newest ones, oldest first.' }),
  })
  .meta({ id: 'WebhookDelivery' });
export type WebhookDelivery = z.infer<typeof webhookDeliverySchema>;

/** The body of every webhook. Standard Webhooks names type, timestamp and data. */
export const webhookBodySchema = z
  .object({
    type: z.enum([...webhookEventTypes, webhookTestType]),
    timestamp: z.iso.datetime().meta({ description: 'When it happened; for events of the chain, by its clock.' }),
    sequence: z.int().meta({ description: 'Rises with every event that this server tells this publisher of.' }),
    publisher: addressSchema,
    data: z.record(z.string(), z.unknown()),
  })
  .meta({ id: 'WebhookBody' });
export type WebhookBody = z.infer<typeof webhookBodySchema>;
