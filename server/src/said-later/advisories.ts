import {
  type AdvisoryPredicate,
  byImportance,
  FirmproofError,
  type KeptStatement,
  type KeylessMeans,
  keyIdOf,
  maximumAdvisoriesInEvidence,
  type ProductId,
  parseAdvisory,
  payloadDigest,
  type TrustRoot,
  type Version,
  verifyAdvisory,
} from '@firmproof/protocol';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { Documents } from '../documents/documents.ts';
import { keptStatement } from './kept-statement.ts';

/** Revisions of one product that this server keeps: a flood of them is a mistake of whoever holds a token and a build key. */
const maximumRevisions = 1000;
/** So many of one advisory are shown. */
const maximumRevisionsShown = 100;
/** What evidence carries of them, in bytes: what does not fit is left to the newest and worst of them. */
const maximumBytesInEvidence = 256 * 1024;

export type Advisories = ReturnType<typeof createAdvisories>;
type Row = Tables['advisories'];

/** What vendors have signed about releases that were out already. */
export function createAdvisories(options: {
  readonly database: Database;
  readonly documents: Documents;
  readonly nowSeconds: () => number;
}) {
  const { database, documents, nowSeconds } = options;

  const rowsOf = (product: string) => database.selectFrom('advisories').selectAll().where('product', '=', product);

  /** The newest revision of each id among those whose signer the trust root still names (W3). */
  async function newest(product: ProductId, root: () => Promise<TrustRoot> | TrustRoot): Promise<readonly Row[]> {
    const rows = await rowsOf(product).orderBy('id').orderBy('revision', 'desc').execute();
    if (rows.length === 0) return [];
    const isNamed = signersOf(await root());
    const found = new Map<string, Row>();
    for (const row of rows) if (isNamed(row) && !found.has(row.id)) found.set(row.id, row);
    return [...found.values()];
  }

  return {
    /**
     * Keeps a revision that is higher than what is here (W5).
     * @throws FirmproofError `advisory-malformed`, `advisory-revision-old`, `attestation-*`, `statement-product`,
     *   `document-missing`, `document-mismatch`, `quota-exceeded`, and what `verifyKeyless` throws
     */
    async receive(
      text: string,
      product: ProductId,
      root: TrustRoot,
      means: KeylessMeans,
    ): Promise<{ readonly item: KeptStatement; readonly isNew: boolean }> {
      const advisory = parseAdvisory(text);
      await verifyAdvisory(advisory, root, means);
      const { id, revision, versions, vex } = advisory.statement.predicate;
      const payload = payloadDigest(advisory);
      // What a key has signed that was dropped since neither counts nor takes room: the vendor says the same anew, or something else.
      const rows = (await rowsOf(product).execute()).filter(signersOf(root));
      const known = rows.find((row) => row.payload === payload && row.id === id);
      if (known) {
        // Also where the server went down between keeping it and opening what it names.
        if (vex) await documents.open(product, vex.digest);
        return { item: keptStatement(known), isNew: false };
      }
      const before = rows.filter((row) => row.id === id).map((row) => Number(row.revision));
      if (Math.max(0, ...before) >= revision)
        throw new FirmproofError(
          'advisory-revision-old',
          `revision ${Math.max(...before)} of ${id} is here already, this is ${revision}`,
        );
      if (rows.length >= maximumRevisions)
        throw new FirmproofError('quota-exceeded', `there are ${maximumRevisions} revisions of advisories already`);
      if (vex) await documents.requireNamed(product, { documents: [vex] });
      const row: Row = {
        product,
        id,
        revision,
        payload,
        key_id: advisory.kind === 'keyed' ? advisory.hint : '',
        versions: JSON.stringify(versions),
        vex: vex?.digest ?? null,
        text,
        received_at: nowSeconds(),
      };
      await database
        .insertInto('advisories')
        .values(row)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      if (vex) await documents.open(product, vex.digest);
      return { item: keptStatement(row), isNew: true };
    },

    /** The newest revision of each advisory, by id; only those about a version, where one is given. */
    async list(
      product: ProductId,
      root: () => Promise<TrustRoot>,
      version: Version | null,
    ): Promise<readonly (KeptStatement & { readonly id: string })[]> {
      const rows = await newest(product, root);
      const about = (row: Row) => version === null || (JSON.parse(row.versions) as string[]).includes(version);
      return rows.filter(about).map((row) => ({ ...keptStatement(row), id: row.id }));
    },

    /** The newest revisions of one advisory, the highest first. @throws FirmproofError `advisory-not-found` */
    async revisions(product: ProductId, id: AdvisoryPredicate['id']): Promise<readonly KeptStatement[]> {
      const query = rowsOf(product).where('id', '=', id).orderBy('revision', 'desc');
      const rows = await query.limit(maximumRevisionsShown).execute();
      if (rows.length === 0) throw new FirmproofError('advisory-not-found', `no advisory ${id}`);
      return rows.map(keptStatement);
    },

    /** What evidence carries of them, the most important ones first (W5). */
    async forEvidence(product: ProductId, root: () => TrustRoot): Promise<readonly string[]> {
      const rows = await newest(product, root);
      const advisories = rows.map((row) => parseAdvisory(row.text)).sort(byImportance);
      const carried: string[] = [];
      let bytes = 0;
      for (const { text } of advisories.slice(0, maximumAdvisoriesInEvidence)) {
        bytes += Buffer.byteLength(text);
        if (bytes > maximumBytesInEvidence) break;
        carried.push(text);
      }
      return carried;
    },
  };
}

/** Whether whoever signed a row may still sign. */
function signersOf({ buildKeys, sigstore }: TrustRoot): (row: Pick<Row, 'key_id'>) => boolean {
  const keyIds = new Set<string>(buildKeys.map(keyIdOf));
  return ({ key_id }) => (key_id === '' ? sigstore !== undefined : keyIds.has(key_id));
}
