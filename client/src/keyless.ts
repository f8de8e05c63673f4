import { encodeStatement, FirmproofError } from '@firmproof/protocol';
import {
  CIContextProvider,
  DEFAULT_FULCIO_URL,
  DEFAULT_REKOR_URL,
  FulcioSigner,
  type IdentityProvider,
  RekorWitness,
  TSAWitness,
  type Witness,
} from '@sigstore/sign';
import { type Attest, attestPayload, type SignStatement } from './attest.ts';

/** Where the services of a Sigstore instance are; those of the public one where nothing is said. */
export type SigstoreServices = {
  readonly fulcioUrl?: string | undefined;
  readonly rekorUrl?: string | undefined;
  /** Asked for a timestamp as well, where one is named. */
  readonly timestampUrl?: string | undefined;
  /** Audience of the ID token that Fulcio takes. */
  readonly audience?: string | undefined;
};

/** Gets an ID token for an audience. */
export type GetIdToken = (audience: string) => Promise<string>;

const sigstoreAudience = 'sigstore';
const patience = { retry: 2, timeout: 30_000 } as const;

/**
 * An attester that signs with a key of the moment and a certificate of Fulcio over it, and lets Rekor and, where one is named,
 * a timestamp authority witness it. Nothing secret has to be stored anywhere.
 * @throws FirmproofError `usage-invalid` for an address that an ID token must not be sent to; attesting throws
 *   `ci-identity-missing`, `sigstore-unavailable`
 */
export function keylessAttester(services: SigstoreServices = {}, idToken: GetIdToken = ciIdentityToken): Attest {
  const signed = keylessSigner(services, idToken);
  return (statement) => signed(encodeStatement(statement));
}

/** The same for any statement. @throws as `keylessAttester` does */
export function keylessSigner(services: SigstoreServices = {}, idToken: GetIdToken = ciIdentityToken): SignStatement {
  const { audience = sigstoreAudience } = services;
  const fulcioBaseURL = serviceUrl(services.fulcioUrl, DEFAULT_FULCIO_URL);
  const witnesses = sigstoreWitnesses(services);
  const identityProvider: IdentityProvider = { getToken: () => idToken(audience) };
  const signer = new FulcioSigner({ fulcioBaseURL, identityProvider, ...patience });
  return (payload) => attestPayload(payload, signer, witnesses).catch(refuse);
}

/** Who testifies to a signature: the log, and the timestamp authority where one is named. @throws as `keylessAttester` does */
export function sigstoreWitnesses({ rekorUrl, timestampUrl }: SigstoreServices): readonly Witness[] {
  const log = new RekorWitness({ rekorBaseURL: serviceUrl(rekorUrl, DEFAULT_REKOR_URL), ...patience });
  if (!timestampUrl) return [log];
  return [log, new TSAWitness({ tsaBaseURL: serviceUrl(timestampUrl, timestampUrl), ...patience })];
}

/**
 * The ID token that this run of CI has for an audience, by @sigstore/sign's own rules.
 * @throws FirmproofError `ci-identity-missing`
 */
export async function ciIdentityToken(audience: string): Promise<string> {
  const token = await new CIContextProvider(audience).getToken().catch(() => undefined);
  if (token) return token;
  throw new FirmproofError('ci-identity-missing', `this is no run of CI that has an ID token for "${audience}"`);
}

/** An ID token must not cross a network in the clear: whoever sees it can sign in its name. */
function serviceUrl(given: string | undefined, fallback: string): string {
  const url = given || fallback;
  const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
  const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(hostname);
  if (protocol === 'https:' || (protocol === 'http:' && isLocal)) return url.replace(/\/+$/, '');
  throw new FirmproofError('usage-invalid', `"${url}" is no https address of a Sigstore service`);
}

const unavailable: Readonly<Record<string, string>> = {
  CA_CREATE_SIGNING_CERTIFICATE_ERROR: 'Fulcio gives no certificate',
  TLOG_CREATE_ENTRY_ERROR: 'Rekor takes no entry',
  TLOG_FETCH_ENTRY_ERROR: 'Rekor does not show its entry',
  TSA_CREATE_TIMESTAMP_ERROR: 'the timestamp authority gives no timestamp',
};

/** The library's message may hold the ID token itself: only what is known not to is passed on (A40). */
function refuse(error: unknown): never {
  const cause = error instanceof Error && error.cause instanceof FirmproofError ? error.cause : error;
  if (cause instanceof FirmproofError) throw cause;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'IDENTITY_TOKEN_PARSE_ERROR')
    throw new FirmproofError('ci-identity-missing', 'the ID token of this run of CI cannot be read');
  const what = unavailable[code];
  if (what === undefined) throw error;
  const answer = /\(\d{3}\) .{0,200}$/.exec(error instanceof Error ? error.message : '')?.[0];
  throw new FirmproofError('sigstore-unavailable', answer ? `${what}: ${answer}` : what, { cause: error });
}
