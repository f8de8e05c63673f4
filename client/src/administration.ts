import {
  type Address,
  type CreateTokenRequest,
  type CreateWebhookRequest,
  pageOf,
  type ServerLogPage,
  serverLogPageSchema,
  type TokenResource,
  tokenResourceSchema,
  tokenSchema,
  type Webhook,
  type WebhookDelivery,
  type WebhookWithSecret,
  webhookDeliverySchema,
  webhookSchema,
  webhookWithSecretSchema,
} from '@firmproof/protocol';
import { z } from 'zod';
import type { FirmproofClient } from './api-client.ts';

const nothing = z.undefined();
const listOf = <Item extends z.ZodType>(item: Item) => z.object({ items: z.array(item) });

/** What a publisher administers on a server; the client carries a token for admin. Throws what `FirmproofClient` does. */
export class Administration {
  readonly publisher: Address;
  readonly #client: FirmproofClient;
  readonly #path: string;

  constructor(client: FirmproofClient, publisher: Address) {
    this.publisher = publisher;
    this.#client = client;
    this.#path = `/v1/publishers/${publisher}`;
  }

  /** Entries of the log of the server after an index; -1: from the beginning. Whoever reads them checks them. */
  log = (after: number, limit: number): Promise<ServerLogPage> =>
    this.#client.call('GET', `${this.#path}/log?after=${after}&limit=${limit}`, { answer: serverLogPageSchema });

  /** The tokens that are alive, without themselves. */
  async tokens(): Promise<readonly TokenResource[]> {
    return (await this.#client.call('GET', `${this.#path}/tokens`, { answer: listOf(tokenResourceSchema) })).items;
  }

  /** Answers with the token, this once. @throws FirmproofError `token-scope`, `quota-exceeded` */
  createToken = (request: CreateTokenRequest) =>
    this.#client.call('POST', `${this.#path}/tokens`, { body: request, answer: tokenSchema });

  /** @throws FirmproofError `token-not-found` */
  async revokeToken(id: string): Promise<void> {
    await this.#client.call('DELETE', `${this.#path}/tokens/${encodeURIComponent(id)}`, { answer: nothing });
  }

  async webhooks(): Promise<readonly Webhook[]> {
    return (await this.#client.call('GET', `${this.#path}/webhooks`, { answer: listOf(webhookSchema) })).items;
  }

  /** Answers with the secret, this once. @throws FirmproofError `webhook-address-forbidden`, `quota-exceeded` */
  addWebhook = (request: CreateWebhookRequest): Promise<WebhookWithSecret> =>
    this.#client.call('POST', `${this.#path}/webhooks`, { body: request, answer: webhookWithSecretSchema });

  /** @throws FirmproofError `webhook-not-found`, as all that follow do */
  async removeWebhook(id: string): Promise<void> {
    await this.#client.call('DELETE', this.#webhook(id), { answer: nothing });
  }

  /** Answers with the new secret, this once; the one before signs too for a day. */
  changeWebhookSecret = (id: string): Promise<WebhookWithSecret> =>
    this.#client.call('POST', `${this.#webhook(id)}/secret`, { answer: webhookWithSecretSchema });

  enableWebhook = (id: string): Promise<Webhook> =>
    this.#client.call('POST', `${this.#webhook(id)}/activation`, { answer: webhookSchema });

  testWebhook = (id: string): Promise<WebhookDelivery> =>
    this.#client.call('POST', `${this.#webhook(id)}/test`, { answer: webhookDeliverySchema });

  /** Newest first, as many as one page has. */
  async deliveries(id: string, limit: number): Promise<readonly WebhookDelivery[]> {
    const path = `${this.#webhook(id)}/deliveries?limit=${limit}`;
    return (await this.#client.call('GET', path, { answer: pageOf(webhookDeliverySchema) })).items;
  }

  delivery = (id: string, delivery: string): Promise<WebhookDelivery> =>
    this.#client.call('GET', `${this.#webhook(id)}/deliveries/${encodeURIComponent(delivery)}`, {
      answer: webhookDeliverySchema,
    });

  redeliver = (id: string, delivery: string): Promise<WebhookDelivery> =>
    this.#client.call('POST', `${this.#webhook(id)}/deliveries/${encodeURIComponent(delivery)}/redelivery`, {
      answer: webhookDeliverySchema,
    });

  #webhook = (id: string): string => `${this.#path}/webhooks/${encodeURIComponent(id)}`;
}
