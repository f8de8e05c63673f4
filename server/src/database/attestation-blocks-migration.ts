import { parseSha256Digest, rawCidOf } from '@firmproof/protocol';
import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';

/** Blocks of attestations are told from those of the image that they are kept with: each opens with the release that names it. */
export const attestationBlocks: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('image_blocks').addColumn('attestation', 'text').execute();
    const kept = await sql<{ digest: string }>`SELECT digest FROM attestations`.execute(db);
    for (const { digest } of kept.rows) {
      const cid = rawCidOf(parseSha256Digest(digest));
      await sql`UPDATE image_blocks SET attestation = ${digest} WHERE cid = ${cid}`.execute(db);
    }
    await db.schema
      .createIndex('image_blocks_attestation')
      .on('image_blocks')
      .columns(['attestation', 'product'])
      .execute();
  },
};
