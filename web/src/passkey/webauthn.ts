import { type Bytes32, FirmproofError, fromHex, type Signer, signerKind, signerOfPoint } from '@firmproof/protocol';
import { encodePasskeySignature, isSignedBy } from '@firmproof/protocol/approval';
import type { SignedBy } from '../server/api.ts';
import { type KeptPasskey, keepPasskey, keptPasskeys } from './kept.ts';

const es256 = -7;
const timeoutMilliseconds = 120_000;
/** SubjectPublicKeyInfo of a P-256 key: 26 bytes of header, then the point (RFC 5480). */
const spkiBytes = 91;
const spkiHeaderBytes = 26;

const isIpAddress = (host: string) => /^[\d.]+$/.test(host) || host.startsWith('[');

/** Why passkeys cannot be used where the pages are open; null when they can. */
export function passkeyObstacle(): { readonly message: string; readonly link?: string } | null {
  const { hostname, port, hash, pathname } = location;
  if (isIpAddress(hostname)) {
    const message = `A passkey belongs to a domain, and these pages are open at the number ${hostname}.`;
    const isLoopback = hostname === '127.0.0.1' || hostname === '[::1]';
    return isLoopback ? { message, link: `http://localhost${port && `:${port}`}${pathname}${hash}` } : { message };
  }
  if (!window.isSecureContext) return { message: 'Passkeys work over https only, and at http://localhost.' };
  if (typeof PublicKeyCredential === 'undefined') return { message: 'This browser has no passkeys.' };
  return null;
}

/**
 * Makes a passkey for these pages: their host is its RP ID from now on.
 * @throws FirmproofError `passkey-unavailable`, `passkey-refused`, `passkey-unsuitable`
 */
export async function makePasskey(label: string): Promise<KeptPasskey> {
  requirePasskeys();
  const credential = await navigator.credentials
    .create({
      publicKey: {
        rp: { id: location.hostname, name: 'Firmproof approvals' },
        user: { id: random(32), name: label, displayName: label },
        challenge: random(32),
        pubKeyCredParams: [{ type: 'public-key', alg: es256 }],
        authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
        excludeCredentials: keptPasskeys().map(descriptorOf),
        attestation: 'none',
        timeout: timeoutMilliseconds,
      },
    })
    .catch(asRefusal);
  const response = (credential as PublicKeyCredential | null)?.response as AuthenticatorAttestationResponse | undefined;
  const spki = new Uint8Array(response?.getPublicKey() ?? new ArrayBuffer(0));
  if (!credential || response?.getPublicKeyAlgorithm() !== es256 || spki.length !== spkiBytes)
    throw new FirmproofError('passkey-unsuitable', 'this authenticator made no P-256 key');
  const passkey = {
    credentialId: base64Url(new Uint8Array((credential as PublicKeyCredential).rawId)),
    signer: signerOfPoint('passkey', spki.subarray(spkiHeaderBytes)),
    label,
    createdAt: Math.floor(Date.now() / 1000),
  };
  keepPasskey(passkey);
  return passkey;
}

/**
 * Has one of the signers' passkeys sign a hash. Where this browser knows none of them, whoever is there picks one, and its
 * signature tells whose it is.
 * @throws FirmproofError `passkey-unavailable`, `passkey-refused`, `signer-unknown`
 */
export async function signWithPasskey(hash: Bytes32, signers: readonly Signer[]): Promise<SignedBy> {
  requirePasskeys();
  const known = keptPasskeys().filter(({ signer }) => signers.includes(signer));
  const credential = (await navigator.credentials
    .get({
      publicKey: {
        rpId: location.hostname,
        challenge: new Uint8Array(fromHex(hash)),
        allowCredentials: known.map(descriptorOf),
        userVerification: 'required',
        timeout: timeoutMilliseconds,
      },
    })
    .catch(asRefusal)) as PublicKeyCredential | null;
  if (credential === null) throw new FirmproofError('passkey-refused', 'the browser gave no signature');
  const response = credential.response as AuthenticatorAssertionResponse;
  const signature = encodePasskeySignature({
    signature: new Uint8Array(response.signature),
    authenticatorData: new Uint8Array(response.authenticatorData),
    clientDataJson: new Uint8Array(response.clientDataJSON),
  });
  const passkeys = signers.filter((signer) => signerKind(signer) === 'passkey');
  const signer = passkeys.find((candidate) => isSignedBy(candidate, hash, signature));
  if (signer === undefined)
    throw new FirmproofError('signer-unknown', 'this passkey is not among the signers that are asked', {
      hint: 'Choose another passkey, or have this one added to the team: the enrolment page shows what to pass on.',
    });
  if (!keptPasskeys().some((kept) => kept.signer === signer)) {
    const credentialId = base64Url(new Uint8Array(credential.rawId));
    keepPasskey({ credentialId, signer, label: 'Passkey', createdAt: Math.floor(Date.now() / 1000) });
  }
  return { signer, signature };
}

function requirePasskeys(): void {
  const obstacle = passkeyObstacle();
  if (obstacle) throw new FirmproofError('passkey-unavailable', obstacle.message);
}

/** Browsers say little on purpose: cancelled, timed out and "no passkey here" are one answer. */
function asRefusal(cause: unknown): never {
  const name = cause instanceof Error ? cause.name : '';
  if (name === 'InvalidStateError')
    throw new FirmproofError('passkey-refused', 'this device has made a passkey for these pages already', { cause });
  if (name === 'NotSupportedError')
    throw new FirmproofError('passkey-unsuitable', 'this authenticator makes no P-256 key', { cause });
  throw new FirmproofError('passkey-refused', 'the request was cancelled, or no passkey here fits', { cause });
}

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length));

const descriptorOf = ({ credentialId }: KeptPasskey): PublicKeyCredentialDescriptor => ({
  type: 'public-key',
  id: bytesOfBase64Url(credentialId),
});

function base64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

function bytesOfBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
