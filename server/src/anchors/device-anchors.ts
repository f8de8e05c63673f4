import {
  type Bytes32,
  bytes32Schema,
  type DeviceAnchorState,
  type DeviceBatchResource,
  deviceAnchorStateSchema,
  deviceBatchResourceSchema,
  FirmproofError,
  type ProductId,
} from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import type { DeviceLists } from './device-lists.ts';

export type DeviceAnchors = ReturnType<typeof createDeviceAnchors>;

const givenUp = ['rejected', 'expired'];

/** What the final events of the device anchor say of devices, with proofs from the lists that are kept here. */
export function createDeviceAnchors({ database, lists }: { readonly database: Database; readonly lists: DeviceLists }) {
  const batchesOf = (product: string) =>
    database
      .selectFrom('anchored_batches')
      .selectAll()
      .where('product', '=', product)
      .orderBy('anchored_at')
      .orderBy('root')
      .execute();

  async function revokedAt(product: ProductId, leaf: Bytes32): Promise<number | null> {
    const row = await database
      .selectFrom('revoked_devices')
      .select('revoked_at')
      .where('product', '=', product)
      .where('leaf', '=', leaf)
      .executeTakeFirst();
    return row ? Number(row.revoked_at) : null;
  }

  return {
    lists,

    /** Anchored batches of a product, oldest first. */
    async batches(product: ProductId): Promise<DeviceBatchResource[]> {
      const rows = await batchesOf(product);
      return Promise.all(
        rows.map(async ({ root, count, anchored_at }) =>
          deviceBatchResourceSchema.parse({
            product,
            root,
            count: Number(count),
            anchoredAt: Number(anchored_at),
            isListed: (await lists.count(product, bytes32Schema.parse(root))) !== null,
          }),
        ),
      );
    },

    /** What is known of a device by its leaf: a proof for the first batch that names it, where its list is here. */
    async stateOf(product: ProductId, leaf: Bytes32): Promise<DeviceAnchorState> {
      const revoked = await revokedAt(product, leaf);
      for (const { root, anchored_at } of await batchesOf(product)) {
        const proof = await lists.proof(product, bytes32Schema.parse(root), leaf);
        if (proof === null) continue;
        return deviceAnchorStateSchema.parse({
          product,
          leaf,
          state: revoked === null ? 'anchored' : 'revoked',
          root,
          proof,
          anchoredAt: Number(anchored_at),
          ...(revoked !== null && { revokedAt: revoked }),
        });
      }
      return deviceAnchorStateSchema.parse({
        product,
        leaf,
        state: revoked === null ? 'unanchored' : 'revoked',
        ...(revoked !== null && { revokedAt: revoked }),
      });
    },

    /** The leaves of all batches whose lists are here. */
    async anchoredLeaves(product: ProductId): Promise<ReadonlySet<string>> {
      const leaves = new Set<string>();
      for (const { root } of await batchesOf(product))
        for (const leaf of await lists.leaves(product, bytes32Schema.parse(root))) leaves.add(leaf);
      return leaves;
    },

    /**
     * Nobody may be asked to approve devices that nobody can look at (N6.1).
     * @throws FirmproofError `device-list-missing`, `device-list-malformed` for another count
     */
    async requireListed(product: ProductId, { root, count }: { root: Bytes32; count: number }): Promise<void> {
      const listed = await lists.count(product, root);
      if (listed === null)
        throw new FirmproofError('device-list-missing', `no list of devices with root ${root} has been sent`);
      if (listed !== count)
        throw new FirmproofError('device-list-malformed', `the list names ${listed} devices, the approval ${count}`);
    },

    /** At the start: lists that neither a proposal nor the chain names are dropped. */
    async dropUnusedLists(): Promise<void> {
      const anchored = await database.selectFrom('anchored_batches').select(['product', 'root']).execute();
      const proposed = await database
        .selectFrom('proposals')
        .select(['product', 'request'])
        .where('kind', '=', 'anchor-devices')
        .where('state', 'not in', givenUp)
        .execute();
      const used = new Set([
        ...anchored.map(({ product, root }) => `${product} ${root}`),
        ...proposed.map(({ product, request }) => `${product} ${JSON.parse(request).message.root}`),
      ]);
      await lists.dropUnused((product, root) => used.has(`${product} ${root}`));
    },
  };
}
