import type { ProductId } from '@firmproof/protocol';
import { FirmproofClient } from '../api-client.ts';
import type { Session } from './session.ts';

/**
 * Logs in as the identity of this run of CI: nothing secret is stored.
 * @throws FirmproofError `ci-identity-missing`, `oidc-*`
 */
export async function loginInCi(session: Session, product: ProductId) {
  const { server, home } = session;
  const idToken = session.givenIdToken ?? (await tokenOfThisRun(new URL(server).origin));
  const token = await new FirmproofClient({ server }).loginWithIdToken(idToken, product);
  await home.keepToken(server, token);
  return token;
}

/** Loads the libraries of Sigstore, which no other command needs. */
async function tokenOfThisRun(audience: string): Promise<string> {
  const { ciIdentityToken } = await import('../keyless.ts');
  return ciIdentityToken(audience);
}

/** A client that may propose releases of the product: with a token that is here, or else by the identity of this run of CI. */
export async function ciClient(session: Session, product: ProductId): Promise<FirmproofClient> {
  const { server, home } = session;
  if (session.givenToken) return session.client();
  const { publisher } = await session.client().product(product);
  const kept = home.tokenFor(server, publisher) ?? home.tokenFor(server, publisher, product);
  return new FirmproofClient({ server, token: kept ?? (await loginInCi(session, product)).token });
}
