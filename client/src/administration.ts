import {
  type Address,
  type CreateTokenRequest,
  type ServerLogPage,
  serverLogPageSchema,
  type TokenResource,
  tokenResourceSchema,
  tokenSchema,
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
}
