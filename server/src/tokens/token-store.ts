import { createHash, randomBytes } from 'node:crypto';
import {
  type Address,
  addressSchema,
  type CreateTokenRequest,
  FirmproofError,
  type ProductId,
  productIdSchema,
  type ServerLogActor,
  type ServerLogDetails,
  type TokenResource,
  type TokenScope,
  tokenResourceSchema,
  tokenScopesSchema,
} from '@firmproof/protocol';
import type { Transaction } from 'kysely';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { LogEvent, ServerLog } from '../log/server-log.ts';

/** Made by other tokens, alive at once. */
const maximumMadeTokens = 100;
/** One run of CI; each logs in anew. */
const identityTokenSeconds = 900;
const maximumIdentityTokens = 100;
/** When a token was last used is known to the hour: it is not written down at every request. */
const useSeconds = 3600;

/** A token as the request that carries it is judged by. */
export type Bearer = {
  readonly id: string;
  readonly publisher: Address;
  readonly scopes: readonly TokenScope[];
  readonly product: ProductId | null;
  readonly origin: TokenResource['origin'];
};

type NewToken = Pick<CreateTokenRequest, 'scopes' | 'product' | 'label' | 'lifetimeSeconds'> & {
  readonly publisher: Address;
  readonly origin: TokenResource['origin'];
};

export type TokenStore = ReturnType<typeof createTokenStore>;

/** API tokens. Only their hashes are kept; what is made and revoked is written down in the same transaction. */
export function createTokenStore({
  database,
  serverLog,
  nowSeconds,
}: {
  readonly database: Database;
  readonly serverLog: ServerLog;
  readonly nowSeconds: () => number;
}) {
  async function keep(
    transaction: Transaction<Tables>,
    made: NewToken,
    action: Extract<LogEvent['action'], 'login' | 'token-made'>,
    actor: ServerLogActor,
    details: ServerLogDetails = {},
  ) {
    const now = nowSeconds();
    const { publisher, scopes, product, label, origin } = made;
    await transaction.deleteFrom('tokens').where('expires_at', '<', now).execute();
    const token = `fp_${randomBytes(32).toString('base64url')}`;
    const hash = hashOf(token);
    const id = hash.slice(0, idCharacters);
    const expiresAt = now + made.lifetimeSeconds;
    await transaction
      .insertInto('tokens')
      .values({
        hash,
        id,
        publisher,
        scopes: scopes.join(),
        product: product ?? null,
        label: label ?? null,
        origin,
        created_at: now,
        expires_at: expiresAt,
        last_used_at: null,
      })
      .execute();
    await serverLog.append(transaction, [publisher], {
      actor,
      action,
      subject: id,
      details: { scopes: scopes.join(), expiresAt, ...(product && { product }), ...(label && { label }), ...details },
    });
    return { id, token, publisher, scopes: [...scopes], ...(product && { product }), expiresAt };
  }

  async function countAlive(
    transaction: Transaction<Tables>,
    column: 'publisher' | 'product',
    value: string,
    origin: string,
  ) {
    const { alive } = await transaction
      .selectFrom('tokens')
      .select(({ fn }) => fn.countAll().as('alive'))
      .where(column, '=', value)
      .where('origin', '=', origin)
      .where('expires_at', '>', nowSeconds())
      .executeTakeFirstOrThrow();
    return Number(alive);
  }

  return {
    /** In the transaction that uses up the login. */
    login: (transaction: Transaction<Tables>, made: Omit<NewToken, 'origin'>, actor: ServerLogActor) =>
      keep(transaction, { ...made, origin: 'login' }, 'login', actor),

    /**
     * A token for one run of CI: to propose releases and promotions of one product, and for nothing else.
     * @param identity As it is written down: printable characters.
     * @throws FirmproofError `quota-exceeded` while too many of them are alive
     */
    forIdentity: (publisher: Address, product: ProductId, lifetimeSeconds: number, identity: string) =>
      database.transaction().execute(async (transaction) => {
        if ((await countAlive(transaction, 'product', product, 'identity')) >= maximumIdentityTokens)
          throw new FirmproofError('quota-exceeded', `${maximumIdentityTokens} tokens of this product are alive`);
        const seconds = Math.min(identityTokenSeconds, lifetimeSeconds);
        const made = { publisher, product, scopes: ['propose' as const], lifetimeSeconds: seconds };
        return keep(transaction, { ...made, origin: 'identity' }, 'login', 'anybody', { identity });
      }),

    /**
     * A token that another one asks for. Those that were made so make none that are for admin: who has found one is shut out
     * by revoking it.
     * @throws FirmproofError `token-scope`, `quota-exceeded`
     */
    make: (by: Bearer, request: CreateTokenRequest) =>
      database.transaction().execute(async (transaction) => {
        if (request.scopes.includes('admin') && by.origin !== 'login')
          throw new FirmproofError('token-scope', 'a token for admin is made by somebody who has logged in');
        if ((await countAlive(transaction, 'publisher', by.publisher, 'token')) >= maximumMadeTokens)
          throw new FirmproofError('quota-exceeded', `${maximumMadeTokens} tokens that were made are alive`);
        const made = { ...request, publisher: by.publisher, origin: 'token' as const };
        return keep(transaction, made, 'token-made', `token:${by.id}`);
      }),

    /** @throws FirmproofError `token-not-found` */
    revoke: (by: Bearer, id: string): Promise<void> =>
      database.transaction().execute(async (transaction) => {
        const gone = await transaction
          .deleteFrom('tokens')
          .where('publisher', '=', by.publisher)
          .where('id', '=', id)
          .where('expires_at', '>', nowSeconds())
          .returning('id')
          .execute();
        if (gone.length === 0)
          throw new FirmproofError('token-not-found', 'the publisher has no living token with this id');
        await serverLog.append(transaction, [by.publisher], {
          actor: `token:${by.id}`,
          action: 'token-revoked',
          subject: id,
        });
      }),

    /** Those that are alive, the newest first. */
    async list(publisher: Address): Promise<TokenResource[]> {
      const rows = await database
        .selectFrom('tokens')
        .selectAll()
        .where('publisher', '=', publisher)
        .where('expires_at', '>', nowSeconds())
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .execute();
      return rows.map((row) =>
        tokenResourceSchema.parse({
          id: row.id,
          publisher: row.publisher,
          scopes: row.scopes.split(','),
          ...(row.product !== null && { product: row.product }),
          ...(row.label !== null && { label: row.label }),
          origin: row.origin,
          createdAt: Number(row.created_at),
          expiresAt: Number(row.expires_at),
          // Kept to the hour, which may have begun before the token was made.
          ...(row.last_used_at !== null && { lastUsedAt: Math.max(Number(row.last_used_at), Number(row.created_at)) }),
        }),
      );
    },

    /** Whose token it is. @throws FirmproofError `token-invalid` */
    async bearerOf(authorization: string): Promise<Bearer> {
      const token = /^Bearer (fp_[A-Za-z0-9_-]{43})$/.exec(authorization)?.[1];
      const row =
        token &&
        (await database
          .selectFrom('tokens')
          .selectAll()
          .where('hash', '=', hashOf(token))
          .where('expires_at', '>', nowSeconds())
          .executeTakeFirst());
      if (!row) throw new FirmproofError('token-invalid', 'the API token is unknown, has expired or was revoked');
      const hour = Math.floor(nowSeconds() / useSeconds) * useSeconds;
      if (Number(row.last_used_at ?? 0) < hour)
        await database.updateTable('tokens').set({ last_used_at: hour }).where('hash', '=', row.hash).execute();
      return {
        id: row.id,
        publisher: addressSchema.parse(row.publisher),
        scopes: tokenScopesSchema.parse(row.scopes.split(',')),
        product: row.product === null ? null : productIdSchema.parse(row.product),
        origin: row.origin as Bearer['origin'],
      };
    },
  };
}

const idCharacters = 16;

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
