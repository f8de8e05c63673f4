import {
  type Address,
  type Channel,
  type Cosignature,
  channelSchema,
  type Evidence,
  FirmproofError,
  isDeviceCode,
  isFirmproofError,
  maximumTrustRootsInEvidence,
  type ProductId,
  parseSha256Digest,
  productIdSchema,
  sha256,
  shareAt,
  trustRootOfEnvelope,
  vouchingOperators,
} from '@firmproof/protocol';
import { type Rpc, readBlock } from '@firmproof/protocol/node';
import type { Database } from '../database/database.ts';
import { productMoved, type TrustRoots } from '../proposals/trust-roots.ts';
import { type AttachmentsOf, attach, decisionOfEtag, etagOf } from './attachments.ts';
import { type Proven, proveChannel } from './prover.ts';
import type { Stops } from './stops.ts';
import { collectCosignatures, type WitnessSource } from './witness-client.ts';

export type ServedEvidence = { readonly etag: string; readonly document: string; readonly blockTimestamp: number };
export type EvidenceService = ReturnType<typeof createEvidenceService>;

/** How long a block may wait for its quorum after it has become final. */
const patienceBlocks = 32;

/** How long a quorum waits for the witnesses that are still missing. */
const passesForAllWitnesses = 5;

type Candidate = { readonly proven: Proven; readonly decision: string; passes: number };

/** Makes evidence for every channel and keeps it fresh; what is served is a row of the database, so reading costs nothing. */
export function createEvidenceService(options: {
  readonly database: Database;
  readonly rpc: Rpc;
  readonly chainId: number;
  readonly registry: Address;
  readonly trustRoots: TrustRoots;
  readonly witnesses: readonly WitnessSource[];
  readonly renewalSeconds: number;
  readonly sources: readonly string[];
  readonly stops: Stops;
  readonly attachmentsOf: AttachmentsOf;
  /** The node's proofs do not hold. */
  readonly onUnproven: (error: FirmproofError) => void;
}) {
  const { database, rpc, chainId, registry } = options;
  const candidates = new Map<string, Candidate>();
  /** Said once, not at every pass. */
  let troubled = false;

  /** Proofs that do not hold are as good as none: they are taken again at the next pass. */
  function unproven(error: unknown): null {
    if (!isFirmproofError(error) || !isDeviceCode(error.code)) throw error;
    if (!troubled) options.onUnproven(error);
    troubled = true;
    return null;
  }

  /** Proofs of a block that never became final, or that reorganisation replaced, are dropped and taken again. */
  async function settle(product: ProductId, channel: Channel, key: string, candidate: Candidate, finalBlock: number) {
    const { block } = candidate.proven;
    if (block.number > finalBlock) return;
    if ((await readBlock(rpc, block.number))?.hash !== block.hash) {
      candidates.delete(key);
      return;
    }
    const cosignatures = await collectCosignatures(options.witnesses, block);
    candidate.passes += 1;
    // A quorum is enough, but more voices let devices bear a liar among them.
    if (cosignatures.length < options.witnesses.length && candidate.passes < passesForAllWitnesses) return;
    const evidence = await assemble(product, candidate.proven, cosignatures);
    if (evidence === null) {
      // Witnesses that were away may never vouch for this block: a newer one gives them another chance.
      if (finalBlock - block.number > patienceBlocks) candidates.delete(key);
      return;
    }
    const attachments = await options.attachmentsOf(product, candidate.proven);
    const row = {
      etag: etagOf(candidate.decision, attachments),
      block: block.number,
      block_timestamp: block.timestamp,
      document: attach(JSON.stringify(evidence), attachments),
    };
    await database
      .insertInto('evidence')
      .values({ product, channel, ...row })
      .onConflict((conflict) => conflict.columns(['product', 'channel']).doUpdateSet(row))
      .execute();
    candidates.delete(key);
    await options.stops.passed(product, channel, candidate.proven.schedule.counter);
  }

  /** The evidence document, or null while too few witnesses vouch or a document is still missing. */
  async function assemble(
    product: ProductId,
    proven: Proven,
    cosignatures: readonly Cosignature[],
  ): Promise<Evidence | null> {
    const chain = await options.trustRoots.chainTo(proven.trustRoot);
    // A root that names another place has that place's witnesses; who asks here believes the ones before.
    const newest = chain.findLast((row) => row.product === product);
    if (newest === undefined) return null;
    const root = trustRootOfEnvelope(JSON.parse(newest.envelope));
    if (vouchingOperators(proven.block, cosignatures, root.witnesses).size < root.witnesses.quorum) return null;
    const sigstoreTrustedRoot = await options.trustRoots.sigstoreRootOf(root);
    if (root.sigstore && sigstoreTrustedRoot === undefined) return null;
    const release = proven.release && (await recorded(product, proven.release.version));
    if (proven.release?.state.status !== undefined && proven.release.state.status !== 'none' && !release) return null;
    return {
      evidenceVersion: 1,
      block: proven.block,
      cosignatures: [...cosignatures],
      accountProof: proven.accountProof,
      storageProofs: proven.storageProofs,
      ...(release && { release }),
      trustRoots: chain
        .slice(1)
        .slice(-maximumTrustRootsInEvidence)
        .map((row) => JSON.parse(row.envelope)),
      ...(sigstoreTrustedRoot !== undefined && { sigstoreTrustedRoot }),
      sources: [...options.sources],
    };
  }

  async function recorded(product: ProductId, version: string): Promise<Evidence['release'] | null> {
    const row = await database
      .selectFrom('releases')
      .innerJoin('attestations', 'attestations.digest', 'releases.attestation')
      .select(['releases.image', 'attestations.text'])
      .where('releases.product', '=', product)
      .where('releases.version', '=', version)
      .executeTakeFirst();
    return row ? { image: parseSha256Digest(row.image), attestation: row.text } : null;
  }

  async function refresh(product: ProductId, channel: Channel, finalBlock: number, nowSeconds: number): Promise<void> {
    const key = `${product}/${channel}`;
    const candidate = candidates.get(key);
    if (candidate) await settle(product, channel, key, candidate, finalBlock);
    const proven = await proveChannel({ rpc, chainId, registry }, product, channel).catch(unproven);
    if (proven === null) return;
    troubled = false;
    const decision = decisionOf(proven);
    const waiting = candidates.get(key);
    const served = await read(product, channel);
    const isDecided = served !== null && decisionOfEtag(served.etag) === decision;
    if (isDecided) await attachAnew(product, channel, served, proven);
    const fresh = isDecided && nowSeconds - served.blockTimestamp < options.renewalSeconds;
    if (fresh) candidates.delete(key);
    else if (waiting?.decision !== decision) candidates.set(key, { proven, decision, passes: 0 });
  }

  /** What was said later is in no proof: it joins the evidence that is served, at once. */
  async function attachAnew(product: ProductId, channel: Channel, served: ServedEvidence, proven: Proven) {
    const attachments = await options.attachmentsOf(product, proven);
    const etag = etagOf(decisionOfEtag(served.etag), attachments);
    if (etag === served.etag) return;
    await database
      .updateTable('evidence')
      .set({ etag, document: attach(served.document, attachments) })
      .where('product', '=', product)
      .where('channel', '=', channel)
      .where('etag', '=', served.etag)
      .execute();
  }

  async function read(product: ProductId, channel: Channel): Promise<ServedEvidence | null> {
    const row = await database
      .selectFrom('evidence')
      .select(['etag', 'document', 'block_timestamp'])
      .where('product', '=', product)
      .where('channel', '=', channel)
      .executeTakeFirst();
    return row ? { etag: row.etag, document: row.document, blockTimestamp: Number(row.block_timestamp) } : null;
  }

  async function requireStillHere(product: ProductId): Promise<void> {
    const known = await database.selectFrom('products').select('id').where('id', '=', product).executeTakeFirst();
    const successor = known ? null : await options.trustRoots.successorOf(product);
    if (successor) throw productMoved(successor);
  }

  return {
    /** @throws FirmproofError `channel-not-found`, `evidence-not-ready`, `product-moved` */
    async evidenceFor(product: ProductId, channel: Channel): Promise<ServedEvidence> {
      const served = await read(product, channel);
      if (served) return served;
      const head = await database
        .selectFrom('heads')
        .select('version')
        .where('product', '=', product)
        .where('channel', '=', channel)
        .executeTakeFirst();
      if (!head) await requireStillHere(product);
      throw head
        ? new FirmproofError(
            'evidence-not-ready',
            'too few witnesses have vouched for a final block with this channel yet',
          )
        : new FirmproofError('channel-not-found', `the product has no channel "${channel}"`);
    },

    /** Brings the evidence of every channel up to date. */
    async refreshAll(finalBlock: number, nowSeconds: number): Promise<void> {
      const heads = await database.selectFrom('heads').select(['product', 'channel']).execute();
      for (const head of heads) {
        await refresh(productIdSchema.parse(head.product), channelSchema.parse(head.channel), finalBlock, nowSeconds);
      }
    },

    /** Seconds since 1970 of the oldest block that evidence rests on; null while there is none. */
    async oldestBlockTimestamp(): Promise<number | null> {
      const row = await database
        .selectFrom('evidence')
        .select(({ fn }) => fn.min('block_timestamp').as('oldest'))
        .executeTakeFirst();
      return row?.oldest === null || row === undefined ? null : Number(row.oldest);
    },

    /** Whether proofs wait for their block to become final. */
    isWaiting: (finalBlock: number): boolean =>
      [...candidates.values()].some(({ proven }) => proven.block.number > finalBlock),

    /** After a reorganisation nothing that was proved before may be served. */
    async forget(): Promise<void> {
      candidates.clear();
      await database.deleteFrom('evidence').execute();
    },
  };
}

/** What a device would decide, as an ETag: the block may be renewed without anybody loading it again. */
function decisionOf({ trustRoot, schedule, release, block }: Proven): string {
  const share = Math.floor(shareAt(schedule, block.timestamp) / 100);
  const installable = release !== null && block.timestamp >= release.state.installableFrom;
  const parts = [
    trustRoot,
    schedule.counter,
    schedule.halted,
    share,
    release?.version,
    release?.state.status,
    installable,
  ];
  return sha256(new TextEncoder().encode(JSON.stringify(parts))).slice(0, 32);
}
