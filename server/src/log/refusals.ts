import { type Address, FirmproofError, isFirmproofError, productIdSchema } from '@firmproof/protocol';
import type { ErrorRequestHandler, Request } from 'express';
import type { Logger } from 'pino';
import type { Database } from '../database/database.ts';
import type { LogEvent, ServerLog } from './server-log.ts';

export type Refusals = ReturnType<typeof createRefusals>;

/**
 * Writes down what is refused to owners or in their name: logins, and whatever meets a limit (L7). That it cannot be written
 * down changes nothing about the answer.
 */
export function createRefusals(options: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly ownerOf: (request: Request) => Promise<Address | null>;
  readonly log: Logger;
}) {
  const { database, serverLog, log } = options;

  async function tell(owner: Address, event: Parameters<ServerLog['refused']>[1]): Promise<void> {
    await serverLog
      .refused(owner, event)
      .catch((error: unknown) => log.error({ err: error }, 'a refusal could not be written down'));
  }

  /** The publisher of the product, if there is one. */
  async function publisherOf(product: string): Promise<Address | null> {
    if (!productIdSchema.safeParse(product).success) return null;
    const row = await database.selectFrom('products').select('publisher').where('id', '=', product).executeTakeFirst();
    return (row?.publisher as Address | undefined) ?? null;
  }

  async function concerned(request: Request): Promise<Address | null> {
    const product = /^\/v1\/products\/(0x[0-9a-f]{64})(?:\/|$)/i.exec(request.path)?.[1];
    return (await options.ownerOf(request)) ?? (product === undefined ? null : publisherOf(product.toLowerCase()));
  }

  return {
    /** What a login answers with; a refusal goes to the log of the owner whose name was used. */
    async login<Answer>(owner: Address | { readonly product: string }, work: () => Promise<Answer>): Promise<Answer> {
      try {
        return await work();
      } catch (error) {
        const to = typeof owner === 'string' ? owner : await publisherOf(owner.product);
        if (to !== null && isFirmproofError(error) && refusedLogins.includes(error.code)) {
          const event = { actor: 'anybody', action: 'login-refused', subject: to } as const;
          await tell(to, { ...event, details: { code: error.code } });
        }
        throw error;
      }
    },

    /** Stands before what answers errors. */
    limits: (async (error: unknown, request, _response, next) => {
      if (error instanceof FirmproofError && error.code === 'quota-exceeded') {
        const owner = await concerned(request).catch(() => null);
        if (owner !== null) await tell(owner, limitOf(request, error));
      }
      next(error);
    }) satisfies ErrorRequestHandler,
  };
}

const refusedLogins: readonly string[] = ['login-invalid', 'oidc-token-invalid', 'oidc-identity-unknown'];

function limitOf(request: Request, { message }: FirmproofError): LogEvent & { readonly action: 'limit-refused' } {
  return {
    actor: 'anybody',
    action: 'limit-refused',
    subject: `${request.method} ${request.path}`.replaceAll(/[^ -~]/g, '?').slice(0, 200),
    details: { limit: message.replaceAll(/[^ -~]/g, '?').slice(0, 256) },
  };
}
