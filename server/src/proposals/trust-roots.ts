import {
  FirmproofError,
  type KeylessMeans,
  requireSigstoreRoot,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import { keylessVerifier, requireUsableSigstoreRoot } from '@firmproof/protocol/node/keyless-verifier';
import type { Database } from '../database/database.ts';

export type TrustRoots = ReturnType<typeof createTrustRoots>;

/** The documents that devices are told: trust roots, and the Sigstore trusted roots that they name. */
export function createTrustRoots(database: Database) {
  /** The Sigstore trusted root that a trust root names; undefined where it names none, or this server lacks it. */
  async function sigstoreRootOf({ sigstore }: TrustRoot): Promise<string | undefined> {
    if (sigstore === undefined) return undefined;
    const row = await database
      .selectFrom('sigstore_roots')
      .select('text')
      .where('digest', '=', sigstore.trustedRoot)
      .executeTakeFirst();
    return row?.text;
  }

  return {
    sigstoreRootOf,

    /** @throws FirmproofError `trust-root-mismatch` when the document is not here */
    async byDigest(digest: string): Promise<TrustRoot> {
      const found = await database
        .selectFrom('trust_roots')
        .select('envelope')
        .where('digest', '=', digest)
        .executeTakeFirst();
      if (found) return trustRootOfEnvelope(JSON.parse(found.envelope));
      throw new FirmproofError('trust-root-mismatch', 'this server does not have the trust root that the chain names');
    },

    /** What the attestations of a product are verified with, besides its trust root. */
    async keylessMeans(root: TrustRoot): Promise<KeylessMeans> {
      return { verifier: keylessVerifier, trustedRoot: await sigstoreRootOf(root) };
    },

    /**
     * A trust root that names identities needs its Sigstore trusted root, sent along or known from before.
     * @throws FirmproofError `sigstore-root-missing`, `sigstore-root-mismatch`, `sigstore-root-malformed`
     */
    async requireComplete(root: TrustRoot, sent: string | undefined): Promise<void> {
      if (root.sigstore === undefined) return;
      await requireUsableSigstoreRoot(requireSigstoreRoot(root.sigstore, sent ?? (await sigstoreRootOf(root))));
    },

    /** Keeps both; the Sigstore trusted root has passed `requireComplete`. */
    async keep(root: TrustRoot, sent: string | undefined): Promise<void> {
      const { digest, product, version, envelope, sigstore } = root;
      if (sigstore && sent !== undefined) {
        await database
          .insertInto('sigstore_roots')
          .values({ digest: sigstore.trustedRoot, text: sent })
          .onConflict((conflict) => conflict.column('digest').doNothing())
          .execute();
      }
      await database
        .insertInto('trust_roots')
        .values({ digest, product, version, envelope: JSON.stringify(envelope) })
        .onConflict((conflict) => conflict.column('digest').doNothing())
        .execute();
    },
  };
}
