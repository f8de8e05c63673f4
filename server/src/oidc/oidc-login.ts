import {
  type Address,
  addressSchema,
  FirmproofError,
  type oidcLoginRequestSchema,
  type SigstoreTrust,
} from '@firmproof/protocol';
import { decodeJwt } from 'jose';
import type { z } from 'zod';
import type { Tokens } from '../http/authentication.ts';
import type { Intake } from '../proposals/intake.ts';
import type { TrustRoots } from '../proposals/trust-roots.ts';
import { identityOfClaims } from './identity.ts';
import type { Issuer } from './issuer.ts';

export type OidcLogin = ReturnType<typeof createOidcLogin>;

/**
 * Login of CI without a stored secret: an ID token of an identity that the product's trust root names becomes a token to
 * propose releases of that product. It gates noise, as every token does; nobody can publish with it.
 */
export function createOidcLogin(options: {
  readonly issuers: readonly Issuer[];
  readonly intake: Intake;
  readonly trustRoots: TrustRoots;
  readonly tokens: Tokens;
  readonly allowedPublishers: readonly Address[];
}) {
  const { intake, trustRoots, tokens, allowedPublishers } = options;

  /** @throws FirmproofError `oidc-token-invalid`, `oidc-issuer-unknown` */
  function issuerOf(token: string): Issuer {
    const said = saidIssuer(token);
    const issuer = options.issuers.find((candidate) => candidate.issuer === said);
    if (issuer) return issuer;
    throw new FirmproofError('oidc-issuer-unknown', `this server takes no ID tokens of "${said.slice(0, 200)}"`);
  }

  /**
   * @throws FirmproofError `oidc-token-invalid`, `oidc-issuer-unknown`, `oidc-issuer-unreachable`, `oidc-identity-unknown`,
   *   `product-not-found`, `login-invalid`, `quota-exceeded`
   */
  return async ({ token, product }: z.output<typeof oidcLoginRequestSchema>, audience: string) => {
    const { issuer, verify } = issuerOf(token);
    const identity = identityOfClaims(await verify(token, audience));
    if (identity === null)
      throw new FirmproofError('oidc-token-invalid', 'the ID token has no claims that make an identity');
    const row = await intake.productRow(product);
    const { sigstore } = await trustRoots.byDigest(row.trust_root);
    if (!isNamed(sigstore, identity, issuer))
      throw new FirmproofError('oidc-identity-unknown', `the trust root does not name "${identity}" of ${issuer}`);
    const publisher = addressSchema.parse(row.publisher);
    if (allowedPublishers.length > 0 && !allowedPublishers.includes(publisher))
      throw new FirmproofError('login-invalid', 'the publisher of this product is not admitted to this server');
    return tokens.issueForProduct(publisher, product, identity);
  };
}

/** Before anything is verified: only chooses whose keys are asked. */
function saidIssuer(token: string): string {
  try {
    const { iss } = decodeJwt(token);
    if (typeof iss === 'string') return iss;
  } catch (cause) {
    throw new FirmproofError('oidc-token-invalid', 'the ID token cannot be read', { cause });
  }
  throw new FirmproofError('oidc-token-invalid', 'the ID token names no issuer');
}

function isNamed(sigstore: SigstoreTrust | undefined, identity: string, issuer: string): boolean {
  return sigstore?.identities.some((named) => named.identity === identity && named.issuer === issuer) ?? false;
}
