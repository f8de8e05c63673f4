import {
  type ChannelResource,
  type Cid,
  channelResourceSchema,
  cidSchema,
  type ProductId,
  type ProductResource,
  parseAttestation,
  productSchema,
  type ReleaseResource,
  releaseSchema,
  releaseStatuses,
  shareAt,
} from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';

/** Rows of the index as the API shows them. PostgreSQL gives big integers as text, hence Number everywhere. */
export async function productResource(
  database: Database,
  row: Tables['products'],
  nowSeconds: number,
): Promise<ProductResource> {
  const heads = await headsOf(database, row.id).orderBy('heads.channel').execute();
  const { releases } = await database
    .selectFrom('releases')
    .select((query) => query.fn.countAll().as('releases'))
    .where('product', '=', row.id)
    .executeTakeFirstOrThrow();
  return productSchema.parse({
    product: row.id,
    name: row.name,
    publisher: row.publisher,
    guardian: row.guardian,
    delaySeconds: Number(row.delay),
    epoch: Number(row.epoch),
    sequence: Number(row.sequence),
    topIndex: Number(row.top_index),
    trustRoot: row.trust_root,
    history: row.history,
    releases: Number(releases),
    ...(row.pending &&
      row.pending_configuration && {
        pending: {
          hash: row.pending,
          applicableFrom: Number(row.pending_from),
          configuration: JSON.parse(row.pending_configuration),
        },
      }),
    channels: heads.map((head) => channelResource(head, nowSeconds)),
  });
}

/** Heads of a product, each with whether this server has stopped offering it. */
export function headsOf(database: Database, product: string) {
  return database
    .selectFrom('heads')
    .leftJoin('stops', (join) =>
      join.onRef('stops.product', '=', 'heads.product').onRef('stops.channel', '=', 'heads.channel'),
    )
    .selectAll('heads')
    .select('stops.since as stopped_since')
    .where('heads.product', '=', product);
}

type Head = Tables['heads'] & { readonly stopped_since: number | null };

export function channelResource(row: Head, nowSeconds: number): ChannelResource {
  const schedule = { start: Number(row.start), duration: Number(row.duration), firstShare: Number(row.first_share) };
  return channelResourceSchema.parse({
    product: row.product,
    channel: row.channel,
    version: row.version,
    counter: Number(row.counter),
    start: schedule.start,
    durationSeconds: schedule.duration,
    firstShareBasisPoints: schedule.firstShare,
    shareBasisPoints: row.halted ? 0 : shareAt(schedule, nowSeconds),
    halted: Boolean(row.halted),
    halts: Number(row.halts),
    stopped: row.stopped_since !== null,
  });
}

type Release = Tables['releases'] & { readonly attestation_text: string | null };

/** Releases of a product with the attestations that this server has. */
export const releasesOf = (database: Database, product: ProductId) =>
  database
    .selectFrom('releases')
    .leftJoin('attestations', 'attestations.digest', 'releases.attestation')
    .selectAll('releases')
    .select('attestations.text as attestation_text')
    .where('releases.product', '=', product);

/** Where the bytes are, and what they are for, is told only once the release is installable: a patch must not leak its hole. */
export function releaseResource(
  row: Release,
  image: { readonly cid: string; readonly size: string } | undefined,
  maySeeBytes: boolean,
  rebuilders = 0,
): ReleaseResource {
  const cid: Cid | undefined = image && maySeeBytes ? cidSchema.parse(image.cid) : undefined;
  const text = maySeeBytes ? row.attestation_text : null;
  const predicate = text === null ? undefined : parseAttestation(text).statement.predicate;
  const { purpose, severity, fixedVulnerabilities, supportUntil } = predicate ?? {};
  return releaseSchema.parse({
    product: row.product,
    version: row.version,
    status: releaseStatuses[Number(row.status)],
    rollbackIndex: Number(row.rollback_index),
    sequence: Number(row.sequence),
    publishedAt: Number(row.published_at),
    installableFrom: Number(row.installable_from),
    image: row.image,
    ...(severity && { severity }),
    ...(fixedVulnerabilities && { fixedVulnerabilities }),
    ...(supportUntil && { supportUntil }),
    attestation: row.attestation,
    ...(cid && image && { imageCid: cid, sizeBytes: Number(image.size) }),
    ...(purpose && { purpose }),
    ...(rebuilders > 0 && { rebuilders }),
  });
}
