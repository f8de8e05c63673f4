import { createHash, randomBytes } from 'node:crypto';
import { type ClaimToken, type ClaimTokenRequest, FirmproofError, type ProductId } from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';

const maximumTokens = 100;

export type ClaimTokens = ReturnType<typeof createClaimTokens>;

/** Tokens by which devices enrol themselves: so many devices, so long. Only their hashes are kept (S2.4). */
export function createClaimTokens({
  database,
  nowSeconds,
}: {
  readonly database: Database;
  readonly nowSeconds: () => number;
}) {
  return {
    /** @throws FirmproofError `quota-exceeded` while too many of the product are alive */
    async mint(product: ProductId, { devices, lifetimeSeconds }: ClaimTokenRequest): Promise<ClaimToken> {
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
      await database
        .insertInto('claim_tokens')
        .values({ hash, id, product, remaining: devices, expires_at: expiresAt })
        .execute();
      return { id, token, product, devices, expiresAt };
    },

    /** @throws FirmproofError `claim-token-invalid` where there is none with this id */
    async revoke(product: ProductId, id: string): Promise<void> {
      const gone = await database
        .deleteFrom('claim_tokens')
        .where('product', '=', product)
        .where('id', '=', id)
        .returning('id')
        .execute();
      if (gone.length === 0) throw new FirmproofError('claim-token-invalid', 'the product has no such claim token');
    },

    /** Takes one device off a token. @throws FirmproofError `claim-token-invalid` */
    async spend(transaction: Transaction<Tables>, product: ProductId, token: string): Promise<void> {
      const spent = await transaction
        .updateTable('claim_tokens')
        .set(({ eb }) => ({ remaining: eb('remaining', '-', 1) }))
        .where('hash', '=', hashOf(token))
        .where('product', '=', product)
        .where('remaining', '>', 0)
        .where('expires_at', '>', nowSeconds())
        .returning('id')
        .execute();
      if (spent.length === 0)
        throw new FirmproofError('claim-token-invalid', 'the claim token is unknown, used up, expired or revoked');
    },
  };
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
