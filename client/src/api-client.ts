import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import {
  type ActionMessage,
  type Address,
  type Channel,
  type ChannelResource,
  channelResourceSchema,
  type Envelope,
  type ErrorCode,
  envelopeSchema,
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
  type ReleaseResource,
  redactUrl,
  releaseSchema,
  type ServerInfo,
  serverInfoSchema,
  tokenSchema,
  type Version,
} from '@firmproof/protocol';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { FormDataEncoder } from 'form-data-encoder';
import { z } from 'zod';

export type ApprovalSignature = `0x${string}`;
export type UploadProgress = (sentBytes: number, totalBytes: number) => void;

const requestTimeoutMilliseconds = 30_000;
const pageItems = 100;

/**
 * The HTTP API of a Firmproof server, typed by the schemas that the server parses with. Problems become FirmproofErrors
 * with the server's code; a server that cannot be reached is `server-unreachable`.
 */
export class FirmproofClient {
  readonly server: string;
  readonly #token: string | undefined;

  constructor({ server, token }: { readonly server: string; readonly token?: string | undefined }) {
    this.server = server.replace(/\/+$/, '');
    this.#token = token;
  }

  withToken(token: string): FirmproofClient {
    return new FirmproofClient({ server: this.server, token });
  }

  async #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`);
    let response: Response;
    try {
      response = await fetch(`${this.server}${path}`, {
        signal: AbortSignal.timeout(requestTimeoutMilliseconds),
        ...init,
        headers,
        redirect: 'error',
      });
    } catch (cause) {
      throw new FirmproofError('server-unreachable', `${redactUrl(this.server)} does not answer`, { cause });
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async #get<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.output<Schema>> {
    return understand(await this.#fetch(path), schema);
  }

  async #post<Schema extends z.ZodType>(path: string, body: object, schema: Schema): Promise<z.output<Schema>> {
    const headers = { 'content-type': 'application/json' };
    return understand(await this.#fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }), schema);
  }

  async *#pages<Item extends z.ZodType>(path: string, item: Item): AsyncGenerator<z.output<Item>> {
    let cursor = '';
    do {
      const page = await this.#get(`${path}?limit=${pageItems}${cursor && `&cursor=${cursor}`}`, pageOf(item));
      yield* page.items;
      cursor = page.next ?? '';
    } while (cursor !== '');
  }

  info = (): Promise<ServerInfo> => this.#get('/v1/info', serverInfoSchema);
  products = (): AsyncGenerator<ProductResource> => this.#pages('/v1/products', productSchema);
  product = (product: ProductId): Promise<ProductResource> => this.#get(`/v1/products/${product}`, productSchema);
  releases = (product: ProductId): AsyncGenerator<ReleaseResource> =>
    this.#pages(`/v1/products/${product}/releases`, releaseSchema);
  release = (product: ProductId, version: Version): Promise<ReleaseResource> =>
    this.#get(`/v1/products/${product}/releases/${version}`, releaseSchema);
  channel = (product: ProductId, channel: Channel): Promise<ChannelResource> =>
    this.#get(`/v1/products/${product}/channels/${channel}`, channelResourceSchema);
  proposal = (id: string): Promise<Proposal> => this.#get(`/v1/proposals/${id}`, proposalSchema);

  async trustRoots(product: ProductId): Promise<readonly Envelope[]> {
    return (await this.#get(`/v1/products/${product}/trust-roots`, z.object({ items: z.array(envelopeSchema) }))).items;
  }

  async attestation(product: ProductId, version: Version): Promise<string> {
    return (await this.#fetch(`/v1/products/${product}/releases/${version}/attestation`)).text();
  }

  async evidence(product: ProductId, channel: Channel): Promise<string> {
    return (await this.#fetch(`/v1/products/${product}/channels/${channel}/evidence`)).text();
  }

  /** As an identity that the product's trust root names: CI needs no stored secret. */
  loginWithIdToken = (token: string, product: ProductId) =>
    this.#post('/v1/tokens/oidc', { token, product }, tokenSchema);

  login = (message: Login, signature: ApprovalSignature) =>
    this.#post('/v1/tokens', { message, signature }, tokenSchema);

  register = (
    message: ActionMessage<'Register'>,
    signature: ApprovalSignature,
    trustRoot: Envelope,
    sigstoreTrustedRoot?: string,
  ): Promise<Proposal> =>
    this.#post('/v1/products', { message, signature, trustRoot, sigstoreTrustedRoot }, proposalSchema);

  /** Without a signature it waits for its approvers. */
  promote = (message: ActionMessage<'Promote'>, signature?: ApprovalSignature): Promise<Proposal> =>
    this.#post(
      `/v1/products/${message.product}/promotions`,
      signature === undefined ? { message, approvals: [] } : { message, signature },
      proposalSchema,
    );

  revoke = (message: ActionMessage<'Revoke'>, approver: Address, signature: ApprovalSignature): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/revocations`, { message, approver, signature }, proposalSchema);

  halt = (message: ActionMessage<'Halt'>, approver: Address, signature: ApprovalSignature): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/halts`, { message, approver, signature }, proposalSchema);

  configure = (
    message: ActionMessage<'Configure'>,
    signature: ApprovalSignature,
    trustRoot?: Envelope,
    sigstoreTrustedRoot?: string,
  ): Promise<Proposal> =>
    this.#post(
      `/v1/products/${message.product}/configurations`,
      { message, signature, trustRoot, sigstoreTrustedRoot },
      proposalSchema,
    );

  veto = (message: ActionMessage<'Veto'>, signature: ApprovalSignature): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/vetoes`, { message, signature }, proposalSchema);

  /** `acceptance`: the new publisher's, where the publisher changes. */
  applyConfiguration = (
    message: ActionMessage<'Configure'>,
    acceptance?: { readonly message: ActionMessage<'Accept'>; readonly signature: ApprovalSignature },
  ): Promise<Proposal> =>
    this.#post(
      `/v1/products/${message.product}/applications`,
      { message, ...(acceptance && { acceptance }) },
      proposalSchema,
    );

  /** Streams the image from disk; it is never whole in memory. Without a signature it waits for its approvers. */
  async publish(
    release: {
      readonly attestation: string;
      readonly message: ActionMessage<'Publish'>;
      readonly signature?: ApprovalSignature;
    },
    imageFile: string,
    onProgress?: UploadProgress,
  ): Promise<Proposal> {
    const { attestation, message, signature } = release;
    const form = new FormData();
    form.set('attestation', attestation);
    form.set('approval', JSON.stringify(signature === undefined ? { message, approvals: [] } : { message, signature }));
    form.set('image', new File([await openAsBlob(imageFile)], basename(imageFile)));
    const encoder = new FormDataEncoder(form);
    const totalBytes = Number(encoder.contentLength ?? 0);
    const body = ReadableStream.from(counted(encoder, (sent) => onProgress?.(sent, totalBytes)));
    const response = await this.#fetch(`/v1/products/${message.product}/releases`, {
      method: 'POST',
      headers: { ...encoder.headers },
      body,
      duplex: 'half',
      signal: null,
    });
    return understand(response, proposalSchema);
  }

  /**
   * Follows a proposal until it is confirmed, or has come as far as `isFarEnough` wants it.
   * @throws FirmproofError with the code that it was rejected with
   */
  async follow(
    id: string,
    onState?: (proposal: Proposal) => void,
    isFarEnough: (proposal: Proposal) => boolean = ({ state }) => state === 'confirmed',
  ): Promise<Proposal> {
    const response = await this.#fetch(`/v1/proposals/${id}/events`, { signal: null });
    const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { data } of events ?? []) {
      const proposal = proposalSchema.parse(JSON.parse(data));
      onState?.(proposal);
      if (isFarEnough(proposal)) return proposal;
      if (proposal.state === 'rejected' || proposal.state === 'expired') throw rejection(proposal);
    }
    throw new FirmproofError('server-unreachable', 'the server stopped telling about the proposal', {
      hint: `See \`firmproof status\`; the proposal ${id} goes on by itself.`,
    });
  }
}

async function* counted(source: AsyncIterable<Uint8Array>, report: (sent: number) => void): AsyncGenerator<Uint8Array> {
  let sent = 0;
  for await (const chunk of source) {
    yield chunk;
    sent += chunk.length;
    report(sent);
  }
}

function knownCode(code: string | undefined): ErrorCode {
  return code !== undefined && isErrorCode(code) ? code : 'internal';
}

function rejection({ reason }: Proposal): FirmproofError {
  return new FirmproofError(knownCode(reason?.code), reason?.message ?? 'the proposal was rejected');
}

async function problemOf(response: Response): Promise<FirmproofError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => null));
  if (!problem.success) return new FirmproofError('server-unreachable', `the server answers ${response.status}`);
  const { code, detail, hint } = problem.data;
  return new FirmproofError(knownCode(code), detail, { hint });
}

async function understand<Schema extends z.ZodType>(response: Response, schema: Schema): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await response.json().catch(() => null));
  if (parsed.success) return parsed.data;
  throw new FirmproofError('server-unreachable', 'the server answers in a form that this command does not understand', {
    hint: 'Check the server address and that server and command are of the same version.',
    cause: parsed.error,
  });
}
