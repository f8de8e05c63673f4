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
import { DSSEBundleBuilder, type Signer } from '@sigstore/sign';

/** An in-toto statement about one image (docs/spec/release.md R3). */
export function buildStatement(name: string, image: Sha256Digest, predicate: ReleasePredicate): Statement {
  return { _type: statementType, subject: [{ name, digest: { sha256: image } }], predicateType, predicate };
}

/** Signs a statement into an attestation with a build key, P-256 or Ed25519. The text is what gets hashed and recorded. */
export async function signAttestation(statement: Statement, buildKey: KeyObject): Promise<string> {
  const hint = keyIdOf(publicKeyOf(buildKey));
  const hash = buildKey.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const publicKey = publicKeyOf(buildKey);
  const signer: Signer = {
    sign: async (data: Buffer) => ({
      signature: sign(hash, data, buildKey),
      key: { $case: 'publicKey', publicKey, hint },
    }),
  };
  const builder = new DSSEBundleBuilder({ signer, witnesses: [] });
  const bundle = await builder.create({ data: Buffer.from(encodeStatement(statement)), type: statementPayloadType });
  return JSON.stringify(bundleToJSON(bundle));
}
