import {
  type AccountResource,
  type Address,
  accountSchema,
  FirmproofError,
  isErrorCode,
  type Login,
  type ProductId,
  type ProductResource,
  type Proposal,
  pageOf,
  problemSchema,
  productSchema,
  proposalSchema,
  type Reject,
  type ReleaseResource,
  readAtMost,
  releaseSchema,
  type ServerInfo,
  type Signer,
  serverInfoSchema,
  tokenSchema,
} from '@firmproof/protocol';
import type { DocumentPlace } from '@firmproof/protocol/review';
import * as z from 'zod';

const timeoutMilliseconds = 30_000;
const shownReleases = 20;

export type SignedBy = { readonly signer: Signer; readonly signature: `0x${string}` };

/** What these pages use of the HTTP API. Nothing that it answers is believed: see @firmproof/protocol/review. */
export class Api {
  readonly server: string;

  constructor(server: string) {
    this.server = server;
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(`${this.server}${path}`, {
      signal: AbortSignal.timeout(timeoutMilliseconds),
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
      cache: 'no-store',
      ...init,
    }).catch((cause: unknown) => {
      throw new FirmproofError('server-unreachable', `${this.server} does not answer`, { cause });
    });
    if (!response.ok) throw await problemOf(response, this.server);
    return response;
  }

  async #read<Schema extends z.ZodType>(schema: Schema, path: string, init?: RequestInit): Promise<z.output<Schema>> {
    const response = await this.#fetch(path, init);
    const parsed = schema.safeParse(await response.json().catch(() => undefined));
    if (parsed.success) return parsed.data;
    throw new FirmproofError('server-unreachable', `${this.server} answers in a form that these pages do not know`, {
      hint: 'Check that the pages and the server are of the same version.',
    });
  }

  #post<Schema extends z.ZodType>(schema: Schema, path: string, body: object): Promise<z.output<Schema>> {
    const headers = { 'content-type': 'application/json' };
    return this.#read(schema, path, { method: 'POST', headers, body: JSON.stringify(body) });
  }

  info = (): Promise<ServerInfo> => this.#read(serverInfoSchema, '/v1/info');
  proposal = (id: string): Promise<Proposal> => this.#read(proposalSchema, `/v1/proposals/${id}`);
  product = (id: ProductId): Promise<ProductResource> => this.#read(productSchema, `/v1/products/${id}`);
  account = (address: string): Promise<AccountResource> => this.#read(accountSchema, `/v1/accounts/${address}`);

  /** The newest releases of a product. */
  releases = async (product: ProductId): Promise<readonly ReleaseResource[]> =>
    (await this.#read(pageOf(releaseSchema), `/v1/products/${product}/releases?limit=${shownReleases}`)).items;

  proposedAttestation = async (id: string): Promise<string> =>
    (await this.#fetch(`/v1/proposals/${id}/attestation`)).text();
  proposedDevices = async (id: string): Promise<string> => (await this.#fetch(`/v1/proposals/${id}/devices`)).text();
  attestation = async ({ product, version }: ReleaseResource): Promise<string> =>
    (await this.#fetch(`/v1/products/${product}/releases/${version}/attestation`)).text();

  document = async (product: ProductId, { digest, sizeBytes }: DocumentPlace): Promise<Uint8Array> =>
    readAtMost((await this.#fetch(`/v1/products/${product}/documents/${digest}`)).body, sizeBytes + 1);
  proposedDocument = async (id: string, { digest, sizeBytes }: DocumentPlace): Promise<Uint8Array> =>
    readAtMost((await this.#fetch(`/v1/proposals/${id}/documents/${digest}`)).body, sizeBytes + 1);

  approve = (id: string, by: SignedBy): Promise<Proposal> =>
    this.#post(proposalSchema, `/v1/proposals/${id}/approvals`, by);
  reject = (id: string, message: Reject, by: SignedBy): Promise<Proposal> =>
    this.#post(proposalSchema, `/v1/proposals/${id}/rejections`, { message, ...by });

  login = async (message: Login, by: SignedBy): Promise<string> =>
    (await this.#post(tokenSchema, '/v1/tokens', { message, ...by })).token;

  /** Newest first. */
  accountProposals = async (account: Address, token: string): Promise<readonly Proposal[]> => {
    const headers = { authorization: `Bearer ${token}` };
    const list = z.object({ items: z.array(proposalSchema) });
    return (await this.#read(list, `/v1/accounts/${account}/proposals`, { headers })).items;
  };
}

async function problemOf(response: Response, server: string): Promise<FirmproofError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => null));
  if (!problem.success) return new FirmproofError('server-unreachable', `${server} answers ${response.status}`);
  const { code, detail, hint } = problem.data;
  return new FirmproofError(isErrorCode(code) ? code : 'internal', detail, { hint });
}
