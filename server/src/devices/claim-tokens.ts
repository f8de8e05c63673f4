import { createHash, randomBytes } from 'node:crypto';
import { type ClaimToken, type ClaimTokenRequest, FirmproofError, type ProductId } from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { By, ServerLog } from '../log/server-log.ts';

const maximumTokens = 100;

export type ClaimTokens = ReturnType<typeof createClaimTokens>;

/** Tokens by which devices enrol themselves: so many devices, so long. Only their hashes are kept (S2.4). */
export function createClaimTokens({
  database,
  serverLog,
  nowSeconds,
}: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly nowSeconds: () => number;
}) {
  return {
    /** @throws FirmproofError `quota-exceeded` while too many of the product are alive */
    async mint(product: ProductId, { devices, lifetimeSeconds }: ClaimTokenRequest, by: By): Promise<ClaimToken> {
      const now = nowSeconds();
      await database.deleteFrom('claim_tokens').where('expires_at', '<=', now).execute();
      const { alive } = await database
        .selectFrom('claim_tokens')
        .select(({ fn }) => fn.countAll().as('alive'))
        .where('product', '=', product)
        .executeTakeFirstOrThrow();
      if (Number(alive) >= maximumTokens)
        throw new FirmproofError('quota-exceeded', `${maximumTokens} claim tokens of this product are alive`);
      const token = `fpc_${randomBytes(32).toString('base64url')}`;
      const hash = hashOf(token);
      const id = hash.slice(0, 16);
      const expiresAt = now + lifetimeSeconds;
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('claim_tokens')
          .values({ hash, id, product, remaining: devices, expires_at: expiresAt })
          .execute();
        const event = { action: 'claim-token-made', subject: id, details: { product, devices, expiresAt } } as const;
        await serverLog.appendForProduct(transaction, product, by, event);
      });
      return { id, token, product, devices, expiresAt };
    },

    /** @throws FirmproofError `claim-token-invalid` where there is none with this id */
    async revoke(product: ProductId, id: string, by: By): Promise<void> {
      await database.transaction().execute(async (transaction) => {
        const gone = await transaction
          .deleteFrom('claim_tokens')
          .where('product', '=', product)
          .where('id', '=', id)
          .returning('id')
          .execute();
        if (gone.length === 0) throw new FirmproofError('claim-token-invalid', 'the product has no such claim token');
        const event = { action: 'claim-token-revoked', subject: id, details: { product } } as const;
        await serverLog.appendForProduct(transaction, product, by, event);
      });
    },

    /** Takes one device off a token. @throws FirmproofError `claim-token-invalid` */
    async spend(transaction: Transaction<Tables>, product: ProductId, claimToken: string): Promise<void> {
      const spent = await transaction
        .updateTable('claim_tokens')
        .set(({ eb }) => ({ remaining: eb('remaining', '-', 1) }))
        .where('hash', '=', hashOf(claimToken))
        .where('product', '=', product)
        .where('remaining', '>', 0)
        .where('expires_at', '>', nowSeconds())
        .returning(['id', 'remaining'])
        .execute();
      const [token] = spent;
      if (token === undefined)
        throw new FirmproofError('claim-token-invalid', 'the claim token is unknown, used up, expired or revoked');
      if (Number(token.remaining) > 0) return;
      const event = { action: 'claim-token-used-up', subject: token.id, details: { product } } as const;
      await serverLog.appendForProduct(transaction, product, { actor: 'anybody', account: null }, event);
    },
  };
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
