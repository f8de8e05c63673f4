import {
  type Attestation,
  type Attester,
  attestationDigest,
  bytes32OfDigest,
  isFirmproofError,
  parseAttestation,
  type Statement,
  subjectDigest,
  type TrustRoot,
  verifyAttestation,
} from '@firmproof/protocol';
import type { ReleaseHistory } from '@firmproof/protocol/audit';
import { type Check, check, reasonOf } from './check.ts';
import type { KnownPlace } from './place.ts';

export type AttestationOutcome = {
  readonly checks: readonly Check[];
  /** What it says, once it is known to be the one on chain. */
  readonly statement: Statement | null;
  /** Who it says has signed it; null where it is not here. */
  readonly attester: Attester | null;
};

type Known = {
  readonly place: KnownPlace;
  readonly release: ReleaseHistory;
  /** The text that the server gives, or why it gives none. */
  readonly text: string | Error;
  readonly trustRoot: TrustRoot | null;
};

const names = { digest: 'Attestation', signature: 'Signature', statement: 'Statement' } as const;

/** The attestation of a release: that it is the one on chain, who has signed it, and that it says the same. */
export async function checkAttestation({ place, release, text, trustRoot }: Known): Promise<AttestationOutcome> {
  if (text instanceof Error) {
    const why = `The server does not give it: ${text.message}.`;
    return {
      checks: Object.values(names).map((name) => check(name, 'unchecked', why)),
      statement: null,
      attester: null,
    };
  }
  const digest = attestationDigest(text);
  if (digest !== release.attestation) {
    const why = `The server gives another one: its digest is ${digest}, on chain is ${release.attestation}.`;
    return {
      checks: [
        check(names.digest, 'failed', why),
        check(names.signature, 'unchecked', 'The attestation itself is not here.'),
        check(names.statement, 'unchecked', 'The attestation itself is not here.'),
      ],
      statement: null,
      attester: null,
    };
  }
  const own = check(names.digest, 'passed', 'Its sha-256, computed here, is the one of the entry.');
  let attestation: Attestation;
  try {
    attestation = parseAttestation(text);
  } catch (error) {
    return {
      checks: [own, check(names.statement, 'failed', `It cannot be read: ${reasonOf(error)}.`)],
      statement: null,
      attester: null,
    };
  }
  const { statement } = attestation;
  const signature = await checkSignature(attestation, trustRoot);
  const attester = { keyId: attestation.kind === 'keyed' ? attestation.hint : null };
  return { checks: [own, signature, checkStatement(statement, place, release)], statement, attester };
}

async function checkSignature(attestation: Attestation, trustRoot: TrustRoot | null): Promise<Check> {
  const name = names.signature;
  if (trustRoot === null)
    return check(name, 'unchecked', 'The trust root that was in force then is not here: nobody gives the document.');
  const root = `version ${trustRoot.version} of the trust root, in force when it was published`;
  try {
    await verifyAttestation(attestation, trustRoot);
    const by = attestation.kind === 'keyed' ? 'A build key' : 'What has signed it';
    return check(name, 'passed', `${by} that ${root} names: the signature was verified here.`);
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    if (error.code === 'keyless-unsupported') {
      const text =
        'It is signed without a key of its own, through Sigstore: that is not checked here. Use firmproof verify.';
      return check(name, 'unchecked', text);
    }
    return check(name, 'failed', `It is not signed by anybody that ${root} names: ${error.message}.`);
  }
}

/** What was signed must be what is on chain (R5 of docs/spec/release.md). */
function checkStatement(statement: Statement, { product }: KnownPlace, release: ReleaseHistory): Check {
  const { predicate } = statement;
  const differing = [
    predicate.product !== product && 'product',
    predicate.version !== release.version && 'version',
    bytes32OfDigest(subjectDigest(statement)) !== bytes32OfDigest(release.image) && 'image digest',
    predicate.rollbackIndex !== release.rollbackIndex && 'rollback index',
  ].filter((part) => part !== false);
  return differing.length === 0
    ? check(names.statement, 'passed', 'It names the same product, version, image and rollback index as the entry.')
    : check(
        names.statement,
        'failed',
        `It disagrees with the entry about: ${differing.join(', ')}. No device installs this.`,
      );
}
