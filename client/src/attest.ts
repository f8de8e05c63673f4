import { type KeyObject, sign } from 'node:crypto';
import {
  encodeStatement,
  keyIdOf,
  predicateType,
  type ReleasePredicate,
  type Sha256Digest,
  type Statement,
  statementPayloadType,
  statementType,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { bundleToJSON } from '@sigstore/bundle';
import type { Signer, Witness } from '@sigstore/sign';

/** An in-toto statement about one image (docs/spec/release.md R3). */
export function buildStatement(name: string, image: Sha256Digest, predicate: ReleasePredicate): Statement {
  return { _type: statementType, subject: [{ name, digest: { sha256: image } }], predicateType, predicate };
}

/** Turns a statement into an attestation. The text is what gets hashed and recorded. */
export type Attest = (statement: Statement) => Promise<string>;

/** Turns the bytes of any in-toto statement into its signed form (docs/spec/release.md R4). */
export type SignStatement = (payload: Uint8Array) => Promise<string>;

/** Signs a statement into an attestation with a build key, P-256 or Ed25519. */
export const signAttestation = (statement: Statement, buildKey: KeyObject): Promise<string> =>
  signStatement(encodeStatement(statement), buildKey);

/** Signs the bytes of any in-toto statement with a key, P-256 or Ed25519. */
export async function signStatement(payload: Uint8Array, buildKey: KeyObject): Promise<string> {
  const hint = keyIdOf(publicKeyOf(buildKey));
  const hash = buildKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const publicKey = publicKeyOf(buildKey);
  const signer: Signer = {
    sign: async (data: Buffer) => ({
      signature: sign(hash, data, buildKey),
      key: { $case: 'publicKey', publicKey, hint },
    }),
  };
  return attestPayload(payload, signer, []);
}

/** Signs through any signer of Sigstore, and lets witnesses testify to it. */
export const attest = (statement: Statement, signer: Signer, witnesses: readonly Witness[]): Promise<string> =>
  attestPayload(encodeStatement(statement), signer, witnesses);

/** The same for the bytes of any statement. */
export async function attestPayload(
  payload: Uint8Array,
  signer: Signer,
  witnesses: readonly Witness[],
): Promise<string> {
  // Only what signs waits for the library.
  const { DSSEBundleBuilder } = await import('@sigstore/sign');
  const builder = new DSSEBundleBuilder({ signer, witnesses: [...witnesses] });
  const bundle = await builder.create({ data: Buffer.from(payload), type: statementPayloadType });
  return JSON.stringify(bundleToJSON(bundle));
}
