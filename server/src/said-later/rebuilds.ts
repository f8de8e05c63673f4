import {
  FirmproofError,
  type KeptStatement,
  keyIdOf,
  maximumRebuildsInEvidence,
  type ProductId,
  parseAttestation,
  parseRebuild,
  parseSha256Digest,
  parseVersion,
  payloadDigest,
  type RebuiltRelease,
  type TrustRoot,
  verifyRebuild,
} from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import { keptStatement } from './kept-statement.ts';

/** So many statements of one rebuilder about one release: it may rebuild again, with another compiler for instance. */
const maximumOfOneRebuilder = 8;

export type Rebuilds = ReturnType<typeof createRebuilds>;
type ReleaseRow = {
  readonly product: string;
  readonly version: string;
  readonly image: string;
  readonly attestation_text: string | null;
};

/** What independent rebuilders have signed about releases. Nothing here is believed by a device: it verifies them itself. */
export function createRebuilds(database: Database, nowSeconds: () => number) {
  const rowsOf = (product: string, version: string) =>
    database
      .selectFrom('rebuilds')
      .selectAll()
      .where('product', '=', product)
      .where('version', '=', version)
      .orderBy('received_at', 'desc')
      .orderBy('payload');

  async function requireRoom(product: string, version: string, keyIds: readonly string[]): Promise<void> {
    const { count } = await rowsOf(product, version)
      .clearSelect()
      .clearOrderBy()
      .select(({ fn }) => fn.countAll().as('count'))
      .where('key_id', 'in', keyIds)
      .executeTakeFirstOrThrow();
    if (Number(count) >= maximumOfOneRebuilder)
      throw new FirmproofError(
        'quota-exceeded',
        `there are ${maximumOfOneRebuilder} rebuilds of ${version} by this rebuilder already`,
      );
  }

  return {
    /**
     * Keeps a rebuild that counts (B5). What is here already is kept once, whatever form its signature or JSON has.
     * @throws FirmproofError `rebuild-malformed`, `attestation-*`, `rebuilder-unknown`, `rebuild-mismatch`, `quota-exceeded`
     */
    async receive(
      text: string,
      release: ReleaseRow,
      root: TrustRoot,
    ): Promise<{ readonly item: KeptStatement; readonly isNew: boolean }> {
      const rebuild = parseRebuild(text);
      const { name } = verifyRebuild(rebuild, root, rebuiltRelease(release));
      const { product, version } = release;
      const [payload, keyId] = [payloadDigest(rebuild), rebuild.hint];
      const known = await rowsOf(product, version)
        .where('payload', '=', payload)
        .where('key_id', '=', keyId)
        .executeTakeFirst();
      if (known) return { item: keptStatement(known), isNew: false };
      await requireRoom(product, version, keyIdsOf(root, name));
      const row = { product, version, payload, key_id: keyId, text, received_at: nowSeconds() };
      await database
        .insertInto('rebuilds')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      return { item: keptStatement(row), isNew: true };
    },

    /** Everything that was taken about a release, newest first; bounded by who may send. */
    async list(product: ProductId, version: string): Promise<readonly KeptStatement[]> {
      return (await rowsOf(product, version).execute()).map(keptStatement);
    },

    /** How many rebuilders of the trust root have vouched for each version; versions without any are left out. */
    async counts(product: ProductId, root: () => Promise<TrustRoot>): Promise<ReadonlyMap<string, number>> {
      const rows = await database
        .selectFrom('rebuilds')
        .select(['version', 'key_id'])
        .distinct()
        .where('product', '=', product)
        .execute();
      if (rows.length === 0) return new Map();
      const names = namesByKeyId(await root());
      const found = new Map<string, Set<string>>();
      for (const { version, key_id } of rows) {
        const name = names.get(key_id);
        if (name !== undefined) found.set(version, (found.get(version) ?? new Set()).add(name));
      }
      return new Map([...found].map(([version, voices]) => [version, voices.size]));
    },

    /** One of each rebuilder, the newest: what evidence carries (B5). */
    async forEvidence(product: ProductId, version: string, root: () => TrustRoot): Promise<readonly string[]> {
      const rows = await rowsOf(product, version).execute();
      if (rows.length === 0) return [];
      const names = namesByKeyId(root());
      const newest = new Map<string, string>();
      for (const { key_id, text } of rows) {
        const name = names.get(key_id);
        if (name !== undefined && !newest.has(name)) newest.set(name, text);
      }
      return [...newest.values()].slice(0, maximumRebuildsInEvidence);
    },
  };
}

function namesByKeyId({ rebuilders = [], buildKeys }: TrustRoot): ReadonlyMap<string, string> {
  const named = rebuilders.filter(({ publicKey }) => !buildKeys.includes(publicKey));
  return new Map(named.map(({ name, publicKey }) => [keyIdOf(publicKey), name]));
}

const keyIdsOf = (root: TrustRoot, name: string): readonly string[] =>
  [...namesByKeyId(root)].filter(([, other]) => other === name).map(([keyId]) => keyId);

function rebuiltRelease({ version, image, attestation_text }: ReleaseRow): RebuiltRelease {
  return { version: parseVersion(version), image: parseSha256Digest(image), attestedBy: signerOf(attestation_text) };
}

/** Without the attestation nobody is excluded here; devices have it. */
function signerOf(text: string | null): string | null {
  if (text === null) return null;
  const attestation = parseAttestation(text);
  return attestation.kind === 'keyed' ? attestation.hint : null;
}
