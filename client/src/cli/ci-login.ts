import type { ProductId } from '@firmproof/protocol';
import { FirmproofClient } from '../api-client.ts';
import { ciIdentityToken } from '../keyless.ts';
import type { Session } from './session.ts';

/** Tokens for one product are kept beside those for everything. */
const keyOf = (server: string, product: ProductId) => `${server}#${product}`;

/**
 * Logs in as the identity of this run of CI: nothing secret is stored.
 * @throws FirmproofError `ci-identity-missing`, `oidc-*`
 */
export async function loginInCi(session: Session, product: ProductId) {
  const { server, home } = session;
  const idToken = session.givenIdToken ?? (await ciIdentityToken(new URL(server).origin));
  const token = await new FirmproofClient({ server }).loginWithIdToken(idToken, product);
  await home.keepToken(keyOf(server, product), token);
  return token;
}

/** A client that may propose releases of the product: with a token that is here, or else by the identity of this run of CI. */
export async function ciClient(session: Session, product: ProductId): Promise<FirmproofClient> {
  const { server, home } = session;
  const kept = session.givenToken ?? home.tokenFor(server) ?? home.tokenFor(keyOf(server, product));
  return new FirmproofClient({ server, token: kept ?? (await loginInCi(session, product)).token });
}
