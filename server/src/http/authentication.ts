import { createHash, randomBytes } from 'node:crypto';
import {
  type Address,
  addressSchema,
  FirmproofError,
  type Login,
  type loginRequestSchema,
  loginTypes,
  type ProductId,
  productIdSchema,
  type Signer,
  serverDomain,
} from '@firmproof/protocol';
import { isSignedBy, typedDataHash } from '@firmproof/protocol/approval';
import { verifyTypedData } from 'ethers';
import type { Request } from 'express';
import type { z } from 'zod';
import { type Accounts, addressOfAccount } from '../chain/accounts.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';

const maximumLoginSeconds = 600;
/** One run of CI; each logs in anew. */
const productTokenSeconds = 900;
const maximumProductTokens = 100;

export type Tokens = ReturnType<typeof createTokens>;
type Bearer = { readonly publisher: Address; readonly product: ProductId | null };
type LoginRequest = z.output<typeof loginRequestSchema>;

/** API tokens gate uploads against noise; they carry no authority over releases. Only their hashes are kept. */
export function createTokens(options: {
  readonly database: Database;
  readonly accounts: Accounts;
  readonly chainId: number;
  readonly lifetimeSeconds: number;
  readonly allowedPublishers: readonly Address[];
  readonly nowSeconds: () => number;
}) {
  const { database, nowSeconds } = options;

  const loginDigest = (message: Login) =>
    typedDataHash({ domain: serverDomain(options.chainId), types: loginTypes, primaryType: 'Login', message });

  async function isSignedByPublisher(message: Login, signature: string): Promise<boolean> {
    const domain = serverDomain(options.chainId);
    try {
      if (verifyTypedData(domain, loginTypes, message, signature).toLowerCase() === message.publisher) return true;
    } catch {
      // Not the 65 bytes of an EOA: an ERC-1271 account may still accept it.
    }
    return options.accounts.approves(message.publisher, loginDigest(message), signature);
  }

  /** Signers of a vendor account, recovery signers too, log in for it; the account itself may still have to be made. */
  async function isSignerOf({ message, parameters }: LoginRequest, signer: Signer): Promise<boolean> {
    const first = parameters ? [...parameters.signers, ...parameters.recoverySigners] : [];
    if (parameters && addressOfAccount(parameters) === message.publisher && first.includes(signer)) return true;
    const account = await options.accounts.find(message.publisher);
    return account !== null && [...account.signers, ...account.recovery.signers].includes(signer);
  }

  async function keep(row: Omit<Tables['tokens'], 'hash'>): Promise<string> {
    const token = `fp_${randomBytes(32).toString('base64url')}`;
    await database.deleteFrom('tokens').where('expires_at', '<', nowSeconds()).execute();
    await database
      .insertInto('tokens')
      .values({ ...row, hash: hashOf(token) })
      .execute();
    return token;
  }

  /** Whose token the request carries, and the product that it is limited to. @throws FirmproofError `token-invalid` */
  async function bearerOf(request: Request): Promise<Bearer | null> {
    const header = request.get('authorization');
    if (header === undefined) return null;
    const token = /^Bearer (fp_[A-Za-z0-9_-]{43})$/.exec(header)?.[1];
    const row =
      token &&
      (await database
        .selectFrom('tokens')
        .select(['publisher', 'product'])
        .where('hash', '=', hashOf(token))
        .where('expires_at', '>', nowSeconds())
        .executeTakeFirst());
    if (!row) throw new FirmproofError('token-invalid', 'the API token is unknown or has expired');
    return {
      publisher: addressSchema.parse(row.publisher),
      product: row.product === null ? null : productIdSchema.parse(row.product),
    };
  }

  return {
    /** @throws FirmproofError `login-invalid` */
    async login(login: LoginRequest, origin: string) {
      const { message, signature, signer } = login;
      const now = nowSeconds();
      const refuse = (why: string) => new FirmproofError('login-invalid', why);
      if (originOf(message.origin) !== originOf(origin))
        throw refuse(`the login is for ${new URL(message.origin).origin}, this is ${origin}`);
      if (message.deadline < now) throw refuse('the login has expired');
      if (message.deadline > now + maximumLoginSeconds) throw refuse(`a login lasts at most ${maximumLoginSeconds} s`);
      if (options.allowedPublishers.length > 0 && !options.allowedPublishers.includes(message.publisher)) {
        throw refuse('this publisher is not admitted to this server');
      }
      const isSigned = signer
        ? isSignedBy(signer, loginDigest(message), signature)
        : await isSignedByPublisher(message, signature);
      if (!isSigned)
        throw refuse(`the login is not signed by ${signer ? 'the signer that it names' : 'the publisher'}`);
      if (signer && !(await isSignerOf(login, signer)))
        throw new FirmproofError('login-invalid', `this key is no signer of the account ${message.publisher}`, {
          hint: 'See `firmproof team show`; a signer of the account can add the key with `firmproof team add`.',
        });
      await database.deleteFrom('login_nonces').where('deadline', '<', now).execute();
      const used = await database
        .insertInto('login_nonces')
        .values({ nonce: message.nonce, deadline: message.deadline })
        .onConflict((conflict) => conflict.column('nonce').doNothing())
        .returning('nonce')
        .execute();
      if (used.length === 0) throw refuse('this login was used already');
      const expiresAt = now + options.lifetimeSeconds;
      const token = await keep({
        publisher: message.publisher,
        scopes: 'publish',
        expires_at: expiresAt,
        product: null,
      });
      return { token, publisher: message.publisher, scopes: ['publish' as const], expiresAt };
    },

    /**
     * A token to propose releases and promotions of one product, and for nothing else.
     * @throws FirmproofError `quota-exceeded` while too many of them are alive
     */
    async issueForProduct(publisher: Address, product: ProductId) {
      const alive = await database
        .selectFrom('tokens')
        .select(({ fn }) => fn.countAll().as('count'))
        .where('product', '=', product)
        .where('expires_at', '>', nowSeconds())
        .executeTakeFirstOrThrow();
      if (Number(alive.count) >= maximumProductTokens)
        throw new FirmproofError('quota-exceeded', `${maximumProductTokens} tokens of this product are alive`);
      const expiresAt = nowSeconds() + Math.min(productTokenSeconds, options.lifetimeSeconds);
      const token = await keep({ publisher, scopes: 'propose', expires_at: expiresAt, product });
      return { token, publisher, scopes: ['propose' as const], product, expiresAt };
    },

    /**
     * The publisher whose token the request carries; null without one. A token for one product opens nothing that not
     * everybody may see.
     * @throws FirmproofError `token-invalid`
     */
    async publisherOf(request: Request): Promise<Address | null> {
      const bearer = await bearerOf(request);
      return bearer === null || bearer.product !== null ? null : bearer.publisher;
    },

    /** @throws FirmproofError `authentication-required`, `token-invalid`, `token-scope` */
    async require(request: Request, publisher?: Address): Promise<Address> {
      const bearer = await bearerOf(request);
      if (bearer === null) throw new FirmproofError('authentication-required', 'this needs an API token');
      if (bearer.product !== null)
        throw new FirmproofError('token-scope', 'the token is for proposing releases and promotions only');
      if (publisher !== undefined && bearer.publisher !== publisher)
        throw new FirmproofError('token-scope', 'the token is for another publisher');
      return bearer.publisher;
    },

    /** Who may propose releases and promotions of a product, as far as the token tells. @throws as `require` does */
    async requireForProduct(request: Request, product: ProductId): Promise<Address> {
      const bearer = await bearerOf(request);
      if (bearer === null) throw new FirmproofError('authentication-required', 'this needs an API token');
      if (bearer.product !== null && bearer.product !== product)
        throw new FirmproofError('token-scope', 'the token is for another product');
      return bearer.publisher;
    },
  };
}

/** A passkey needs a name: the pages call a server on 127.0.0.1 localhost. */
function originOf(url: string): string {
  return new URL(url).origin.replace(/^http:\/\/127\.0\.0\.1(?=:|$)/, 'http://localhost');
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
