import {
  type Address,
  FirmproofError,
  type Login,
  type loginRequestSchema,
  loginScopes,
  loginTypes,
  type ProductId,
  type Signer,
  serverDomain,
  type TokenScope,
} from '@firmproof/protocol';
import { isSignedBy, typedDataHash } from '@firmproof/protocol/approval';
import { verifyTypedData } from 'ethers';
import type { Request } from 'express';
import type { z } from 'zod';
import { type Accounts, addressOfAccount } from '../chain/accounts.ts';
import type { Database } from '../database/database.ts';
import type { By } from '../log/server-log.ts';
import type { Bearer, TokenStore } from '../tokens/token-store.ts';

const maximumLoginSeconds = 600;
/** What is rarely needed is asked for when it is: no token that lies in a directory for a month is for admin. */
const adminLoginSeconds = 3600;

export type Tokens = ReturnType<typeof createTokens>;
type LoginRequest = z.output<typeof loginRequestSchema>;

/** API tokens gate uploads against noise; they carry no authority over releases (A35). */
export function createTokens(options: {
  readonly database: Database;
  readonly store: TokenStore;
  readonly accounts: Accounts;
  readonly chainId: number;
  readonly lifetimeSeconds: number;
  readonly allowedPublishers: readonly Address[];
  readonly nowSeconds: () => number;
}) {
  const { database, store, lifetimeSeconds, nowSeconds } = options;

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

  /**
   * Signers of a vendor account, recovery signers too, log in for it. Those that its address is made of count only until it is
   * made: after that they may have been removed (A13).
   */
  async function isSignerOf({ message, parameters }: LoginRequest, signer: Signer): Promise<boolean> {
    const account = await options.accounts.find(message.publisher);
    if (account !== null) return [...account.signers, ...account.recovery.signers].includes(signer);
    const isFounding = parameters !== undefined && addressOfAccount(parameters) === message.publisher;
    return isFounding && [...parameters.signers, ...parameters.recoverySigners].includes(signer);
  }

  /** One look at the token a request, whoever asks for it. */
  const bearers = new WeakMap<Request, Promise<Bearer>>();

  /** @throws FirmproofError `token-invalid` */
  async function bearerOf(request: Request): Promise<Bearer | null> {
    const header = request.get('authorization');
    if (header === undefined) return null;
    const bearer = bearers.get(request) ?? store.bearerOf(header);
    bearers.set(request, bearer);
    return bearer;
  }

  /** Requests whose token was found to cover the route. */
  const covered = new WeakSet<Request>();

  /**
   * That the token covers a route: one of the scopes, and the product where it is for one alone.
   * @throws FirmproofError `authentication-required`, `token-invalid`, `token-scope`
   */
  async function cover(request: Request, scopes: readonly TokenScope[], product: ProductId | null): Promise<Bearer> {
    const bearer = await bearerOf(request);
    if (bearer === null) throw new FirmproofError('authentication-required', 'this needs an API token');
    if (!scopes.some((scope) => bearer.scopes.includes(scope)))
      throw new FirmproofError(
        'token-scope',
        `the token is for ${bearer.scopes.join(', ')}; this needs ${scopes.join(' or ')}`,
      );
    if (bearer.product !== null && bearer.product !== product)
      throw new FirmproofError('token-scope', `the token is for the product ${bearer.product} alone`);
    covered.add(request);
    return bearer;
  }

  /** Routes that are in no table of roles, where only some answers need a token, take one to publish. */
  async function requireBearer(request: Request): Promise<Bearer> {
    const bearer = covered.has(request) ? await bearerOf(request) : null;
    return bearer ?? cover(request, ['publish'], null);
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
      return database.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('login_nonces').where('deadline', '<', now).execute();
        const used = await transaction
          .insertInto('login_nonces')
          .values({ nonce: message.nonce, deadline: message.deadline })
          .onConflict((conflict) => conflict.column('nonce').doNothing())
          .returning('nonce')
          .execute();
        if (used.length === 0) throw refuse('this login was used already');
        const scopes: readonly TokenScope[] = login.scopes ?? loginScopes;
        const longest = scopes.includes('admin') ? Math.min(adminLoginSeconds, lifetimeSeconds) : lifetimeSeconds;
        const made = {
          publisher: message.publisher,
          scopes: [...scopes],
          lifetimeSeconds: Math.min(login.lifetimeSeconds ?? longest, longest),
        };
        return store.login(transaction, made, signer ? `signer:${signer}` : `account:${message.publisher}`);
      });
    },

    /** For an identity that the trust root of the product names. @throws FirmproofError `quota-exceeded` */
    issueForProduct: (publisher: Address, product: ProductId, identity: string) =>
      store.forIdentity(publisher, product, lifetimeSeconds, identity.replaceAll(/[^ -~]/g, '?').slice(0, 256)),

    cover,

    /**
     * The publisher whose token the request carries, for what not everybody may see yet; null without one. A token for one
     * product, or for something else than publishing, opens nothing of that.
     * @throws FirmproofError `token-invalid`
     */
    async publisherOf(request: Request): Promise<Address | null> {
      const bearer = await bearerOf(request);
      return bearer?.product === null && bearer.scopes.includes('publish') ? bearer.publisher : null;
    },

    /** @throws FirmproofError `authentication-required`, `token-invalid`, `token-scope` */
    async require(request: Request, publisher?: Address): Promise<Address> {
      const bearer = await requireBearer(request);
      if (publisher !== undefined && bearer.publisher !== publisher)
        throw new FirmproofError('token-scope', 'the token is for another publisher');
      return bearer.publisher;
    },

    /** The token itself, where it matters which one it is. @throws as `require` does */
    requireBearer,

    /** Who does what the request asks for, as the log of the server names it. @throws as `require` does */
    async by(request: Request): Promise<By> {
      const { id, publisher } = await requireBearer(request);
      return { actor: `token:${id}`, account: publisher };
    },

    /** Whose log a refusal goes to; null where nobody is known. Throws nothing. */
    ownerOf: (request: Request): Promise<Address | null> =>
      bearerOf(request).then(
        (bearer) => bearer?.publisher ?? null,
        () => null,
      ),
  };
}

/** A passkey needs a name: the pages call a server on 127.0.0.1 localhost. */
function originOf(url: string): string {
  return new URL(url).origin.replace(/^http:\/\/127\.0\.0\.1(?=:|$)/, 'http://localhost');
}
