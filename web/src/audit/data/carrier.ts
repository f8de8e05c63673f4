import {
  type AccountResource,
  type Address,
  accountSchema,
  type Envelope,
  envelopeSchema,
  keptStatementSchema,
  maximumAttestationBytes,
  type ProductId,
  type ProductResource,
  pageOf,
  productSchema,
  type ReleaseResource,
  releaseSchema,
  type ServerInfo,
  type Sha256Digest,
  serverInfoSchema,
  type Version,
} from '@firmproof/protocol';
import {
  type Entry,
  entrySchema,
  type ProductProof,
  parseProductProof,
  type Transaction,
  transactionSchema,
} from '@firmproof/protocol/audit';
import * as z from 'zod';
import { bytesFrom, readFrom, textFrom } from '../../server/request.ts';

/** How many entries one answer holds at most. */
export const entriesAPage = 1000;
/** Verifying is work: a server that gives more is not followed. */
const keptLooked = 64;
const trustRootsSchema = z.object({ items: z.array(envelopeSchema) });

type Page<Item> = { readonly items: readonly Item[]; readonly next?: string | undefined };

/** What the audit pages read of a server. It carries: everything that it answers is checked against what others vouch for. */
export class Carrier {
  readonly server: string;

  constructor(server: string) {
    this.server = server;
  }

  info = (): Promise<ServerInfo> => readFrom(this.server, serverInfoSchema, '/v1/info');

  products = (after?: string): Promise<Page<ProductResource>> =>
    readFrom(this.server, pageOf(productSchema), `/v1/products${after ? `?after=${encodeURIComponent(after)}` : ''}`);

  product = (product: ProductId): Promise<ProductResource> =>
    readFrom(this.server, productSchema, `/v1/products/${product}`);

  /** Entries after a sequence, oldest first. */
  history = (product: ProductId, after: number): Promise<Page<Entry>> =>
    readFrom(this.server, pageOf(entrySchema), `/v1/products/${product}/history?after=${after}&limit=${entriesAPage}`);

  /** A proof of what storage holds, at a final block. @throws FirmproofError `product-proof-malformed` */
  proof = async (product: ProductId, versions: readonly Version[] = []): Promise<ProductProof> => {
    const query = new URLSearchParams(versions.map((version) => ['release', version]));
    return parseProductProof(await textFrom(this.server, `/v1/products/${product}/proof?${query}`));
  };

  transaction = (product: ProductId, sequence: number): Promise<Transaction> =>
    readFrom(this.server, transactionSchema, `/v1/products/${product}/history/${sequence}/transaction`);

  /** A vendor account, as the server says. */
  account = (account: Address): Promise<AccountResource> =>
    readFrom(this.server, accountSchema, `/v1/accounts/${account}`);

  trustRoots = async (product: ProductId): Promise<readonly Envelope[]> =>
    (await readFrom(this.server, trustRootsSchema, `/v1/products/${product}/trust-roots`)).items;

  release = (product: ProductId, version: Version): Promise<ReleaseResource> =>
    readFrom(this.server, releaseSchema, `/v1/products/${product}/releases/${encodeURIComponent(version)}`);

  /** The exact text, whose digest is on chain. */
  attestation = (product: ProductId, version: Version): Promise<string> =>
    textFrom(
      this.server,
      `/v1/products/${product}/releases/${encodeURIComponent(version)}/attestation`,
      {},
      maximumAttestationBytes,
    );

  document = (product: ProductId, digest: Sha256Digest, maximumBytes: number): Promise<Uint8Array<ArrayBuffer>> =>
    bytesFrom(this.server, `/v1/products/${product}/documents/${digest}`, {}, maximumBytes);

  /** What was signed about a release later, as texts; at most as many as anybody looks at. */
  rebuilds = (product: ProductId, version: Version): Promise<readonly string[]> =>
    this.#kept(`/v1/products/${product}/releases/${encodeURIComponent(version)}/rebuilds`);

  advisories = (product: ProductId, version: Version): Promise<readonly string[]> =>
    this.#kept(`/v1/products/${product}/advisories?version=${encodeURIComponent(version)}`);

  async #kept(path: string): Promise<readonly string[]> {
    const { items } = await readFrom(this.server, pageOf(keptStatementSchema), path);
    return items.slice(0, keptLooked).map(({ attestation }) => attestation);
  }
}
