import { openAsBlob } from 'node:fs';
import { basename } from 'node:path';
import {
  type AccountParameters,
  type AccountResource,
  type ActionMessage,
  type Address,
  type AnchoredDevice,
  accountSchema,
  anchoredDeviceSchema,
  type Bytes32,
  type Channel,
  type ChannelResource,
  type Cid,
  type ClaimToken,
  type ClaimTokenRequest,
  channelResourceSchema,
  claimTokenSchema,
  type DeviceAnchorState,
  type DeviceBatchResource,
  type DeviceResource,
  deviceAnchorStateSchema,
  deviceBatchResourceSchema,
  deviceResourceSchema,
  type EnrolmentState,
  type Envelope,
  type ErrorCode,
  type ExportedProposal,
  envelopeSchema,
  exportedProposalSchema,
  FirmproofError,
  type FleetSummary,
  fleetSummarySchema,
  type ImportAnswer,
  importAnswerSchema,
  isErrorCode,
  isFirmproofError,
  type KeptStatement,
  keptStatementSchema,
  type loginRequestSchema,
  type ProductId,
  type ProductResource,
  type Proposal,
  pageOf,
  parseDeviceName,
  problemSchema,
  productSchema,
  proposalSchema,
  type ReceivedDocument,
  type Reject,
  type ReleaseResource,
  readAtMost,
  receivedDocumentSchema,
  redactUrl,
  releaseSchema,
  type ServerInfo,
  type Stopped,
  type StoredReceipt,
  serverInfoSchema,
  stoppedSchema,
  storedReceiptSchema,
  tokenSchema,
  type Version,
} from '@firmproof/protocol';
import type { AccountChange, SignerApproval } from '@firmproof/protocol/approval';
import { type Entry, entrySchema, type ProductProof, parseProductProof } from '@firmproof/protocol/audit';
import type { DocumentPlace } from '@firmproof/protocol/review';
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { FormDataEncoder } from 'form-data-encoder';
import { z } from 'zod';
import type { Approved } from './approver.ts';
import { pathOfProposal } from './proposal-path.ts';
import { waitsForPeople } from './waits-for-people.ts';

export type LoginRequest = z.input<typeof loginRequestSchema>;
export type { AccountParameters } from '@firmproof/protocol';

/** Which devices: those in one state, those that somebody should look at. */
export type DeviceFilter = { readonly state?: EnrolmentState | undefined; readonly flagged?: boolean | undefined };

export type UploadProgress = (sentBytes: number, totalBytes: number) => void;

const requestTimeoutMilliseconds = 30_000;
/** Of one answer, unpacked: a page of receipts has a few megabytes. Lists of devices are streams. */
const maximumAnswerBytes = 64 * 1024 * 1024;
const pageItems = 100;
const historyItems = 1000;

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

  /** For the parts of the API that have a class of their own. @throws FirmproofError with the server's code */
  async call<Schema extends z.ZodType>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    options: { readonly body?: object; readonly answer: Schema },
  ): Promise<z.output<Schema>> {
    const { body, answer } = options;
    const init = body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await this.#fetch(path, { method, ...init });
    return response.status === 204 ? answer.parse(undefined) : understand(response, answer);
  }

  async *#pages<Item extends z.ZodType>(
    path: string,
    item: Item,
    filter: Readonly<Record<string, string>> = {},
  ): AsyncGenerator<z.output<Item>> {
    let cursor = '';
    do {
      const query = new URLSearchParams({ limit: String(pageItems), ...filter, ...(cursor && { cursor }) });
      const page = await this.#get(`${path}?${query}`, pageOf(item));
      yield* page.items;
      // A page without items leads nowhere, whatever it says.
      cursor = page.items.length === 0 ? '' : (page.next ?? '');
    } while (cursor !== '');
  }

  info = (): Promise<ServerInfo> => this.#get('/v1/info', serverInfoSchema);
  products = (): AsyncGenerator<ProductResource> => this.#pages('/v1/products', productSchema);
  product = (product: ProductId): Promise<ProductResource> => this.#get(`/v1/products/${product}`, productSchema);
  releases = (product: ProductId): AsyncGenerator<ReleaseResource> =>
    this.#pages(`/v1/products/${product}/releases`, releaseSchema);
  release = (product: ProductId, version: Version): Promise<ReleaseResource> =>
    this.#get(`/v1/products/${product}/releases/${version}`, releaseSchema);
  /** `null` where the server knows of no such release. */
  async findRelease(product: ProductId, version: Version): Promise<ReleaseResource | null> {
    try {
      return await this.release(product, version);
    } catch (error) {
      if (isFirmproofError(error) && error.code === 'release-not-found') return null;
      throw error;
    }
  }
  channel = (product: ProductId, channel: Channel): Promise<ChannelResource> =>
    this.#get(`/v1/products/${product}/channels/${channel}`, channelResourceSchema);
  /** @throws FirmproofError `usage-invalid` for what is no id, as all that take one do */
  proposal = async (id: string): Promise<Proposal> => this.#get(pathOfProposal(id), proposalSchema);

  async trustRoots(product: ProductId): Promise<readonly Envelope[]> {
    return (await this.#get(`/v1/products/${product}/trust-roots`, z.object({ items: z.array(envelopeSchema) }))).items;
  }

  /** What enrolled devices have signed: for the publisher and the guardian. */
  fleet = (product: ProductId): Promise<FleetSummary> => this.#get(`/v1/products/${product}/fleet`, fleetSummarySchema);

  devices(product: ProductId, filter: DeviceFilter = {}): AsyncGenerator<DeviceResource> {
    const query = { ...(filter.state && { state: filter.state }), ...(filter.flagged && { flagged: 'true' }) };
    return this.#pages(`/v1/products/${product}/devices`, deviceResourceSchema, query);
  }

  /** By its id or the digest of its key. @throws FirmproofError `device-not-found` */
  device = async (product: ProductId, device: string): Promise<DeviceResource> =>
    this.#get(`/v1/products/${product}/devices/${parseDeviceName(device)}`, deviceResourceSchema);

  /** @throws FirmproofError `device-not-found`, `device-revoked`, `device-exists` */
  acceptDevice = async (product: ProductId, device: string): Promise<DeviceResource> =>
    this.#post(`/v1/products/${product}/devices/${parseDeviceName(device)}/acceptance`, {}, deviceResourceSchema);

  /** @throws FirmproofError `device-not-found` */
  rejectDevice = async (product: ProductId, device: string): Promise<DeviceResource> =>
    this.#post(`/v1/products/${product}/devices/${parseDeviceName(device)}/rejection`, {}, deviceResourceSchema);

  mintClaimToken = (product: ProductId, request: ClaimTokenRequest): Promise<ClaimToken> =>
    this.#post(`/v1/products/${product}/claim-tokens`, request, claimTokenSchema);

  async revokeClaimToken(product: ProductId, id: string): Promise<void> {
    await this.#fetch(`/v1/products/${product}/claim-tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });
  }

  /** What became of releases, as devices have signed it: see `verifiedReceipts`, which believes the signatures only. */
  outcomes = (product: ProductId): AsyncGenerator<StoredReceipt> =>
    this.#pages(`/v1/products/${product}/receipts`, storedReceiptSchema, { kind: 'outcome' });

  /** The enrolled devices as a list to anchor, as CSV, as it comes. */
  async *deviceList(product: ProductId): AsyncGenerator<Uint8Array> {
    yield* (await this.#fetch(`/v1/products/${product}/device-list`, { signal: null })).body ?? [];
  }

  /**
   * Enrols all devices of a factory's list, or none of them. The list is never whole in memory.
   * @throws FirmproofError `factory-list-malformed`, naming the lines
   */
  async importDevices(product: ProductId, list: AsyncIterable<Uint8Array>): Promise<ImportAnswer> {
    const response = await this.#fetch(`/v1/products/${product}/factory-lists`, {
      method: 'POST',
      headers: { 'content-type': 'text/csv' },
      body: ReadableStream.from(list),
      duplex: 'half',
      signal: null,
    });
    return understand(response, importAnswerSchema);
  }

  /** The Sigstore trusted root that the product's trust root names; as trustworthy as its digest is. */
  async sigstoreRoot(product: ProductId): Promise<string> {
    return textOf(await this.#fetch(`/v1/products/${product}/sigstore-root`));
  }

  /** The product's storage under a final block, with all cosignatures that the server has. Nothing of it is checked here. */
  async productProof(
    product: ProductId,
    of: { readonly releases?: readonly Version[]; readonly channels?: readonly Channel[] } = {},
  ): Promise<ProductProof> {
    const query = new URLSearchParams([
      ...(of.releases ?? []).map((version) => ['release', version]),
      ...(of.channels ?? []).map((channel) => ['channel', channel]),
    ]);
    return parseProductProof(await textOf(await this.#fetch(`/v1/products/${product}/proof?${query}`)));
  }

  /** The entries after a sequence, oldest first, as the server carries them: to be replayed against a proof. */
  async *history(product: ProductId, after = 0): AsyncGenerator<Entry> {
    for (let last = after; ; ) {
      const query = new URLSearchParams({ after: String(last), limit: String(historyItems) });
      const { items } = await this.#get(`/v1/products/${product}/history?${query}`, pageOf(entrySchema));
      yield* items;
      const newest = items.at(-1);
      if (newest === undefined || newest.sequence <= last) return;
      last = newest.sequence;
    }
  }

  async attestation(product: ProductId, version: Version): Promise<string> {
    return textOf(await this.#fetch(`/v1/products/${product}/releases/${version}/attestation`));
  }

  /** What rebuilders have signed about a release: as trustworthy as their signatures are. */
  rebuilds = (product: ProductId, version: Version): AsyncGenerator<KeptStatement> =>
    this.#pages(`/v1/products/${product}/releases/${version}/rebuilds`, keptStatementSchema);

  /** Needs no token. @throws FirmproofError `rebuilder-unknown`, `rebuild-mismatch` */
  sendRebuild = (product: ProductId, version: Version, attestation: string): Promise<KeptStatement> =>
    this.#post(`/v1/products/${product}/releases/${version}/rebuilds`, { attestation }, keptStatementSchema);

  /** The newest revision of each advisory, likewise. */
  advisories = (product: ProductId, version?: Version): AsyncGenerator<KeptStatement> =>
    this.#pages(`/v1/products/${product}/advisories`, keptStatementSchema, version === undefined ? {} : { version });

  /** The revisions of one advisory. @throws FirmproofError `advisory-not-found` */
  advisoryRevisions = (product: ProductId, id: string): AsyncGenerator<KeptStatement> =>
    this.#pages(`/v1/products/${product}/advisories/${encodeURIComponent(id)}`, keptStatementSchema);

  /** @throws FirmproofError `advisory-revision-old`, `attestation-key-unknown` */
  publishAdvisory = (product: ProductId, attestation: string): Promise<KeptStatement> =>
    this.#post(`/v1/products/${product}/advisories`, { attestation }, keptStatementSchema);

  /** Before the release that will name it. @throws FirmproofError `document-too-large`, `quota-exceeded` */
  async sendDocument(product: ProductId, bytes: Uint8Array): Promise<ReceivedDocument> {
    const response = await this.#fetch(`/v1/products/${product}/documents`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Blob([new Uint8Array(bytes)]),
      signal: null,
    });
    return understand(response, receivedDocumentSchema);
  }

  /** A document as the server gives it: not hashed, and one byte too many at most. @throws FirmproofError `document-missing` */
  async document(product: ProductId, { digest, sizeBytes }: DocumentPlace): Promise<Uint8Array> {
    const { body } = await this.#fetch(`/v1/products/${product}/documents/${digest}`, { signal: null });
    return readAtMost(body, sizeBytes + 1);
  }

  /** Of a proposed release, likewise. @throws FirmproofError `document-missing` */
  async proposedDocument(proposal: string, { digest, sizeBytes }: DocumentPlace): Promise<Uint8Array> {
    const { body } = await this.#fetch(`${pathOfProposal(proposal)}/documents/${digest}`, { signal: null });
    return readAtMost(body, sizeBytes + 1);
  }

  async evidence(product: ProductId, channel: Channel): Promise<string> {
    return textOf(await this.#fetch(`/v1/products/${product}/channels/${channel}/evidence`));
  }

  /** One block of a served image, as the server sends it: not hashed. */
  async block(cid: Cid): Promise<Uint8Array> {
    return bytesOf(await this.#fetch(`/ipfs/${cid}?format=raw`));
  }

  /** As an identity that the product's trust root names: CI needs no stored secret. */
  loginWithIdToken = (token: string, product: ProductId) =>
    this.#post('/v1/tokens/oidc', { token, product }, tokenSchema);

  login = (request: LoginRequest) => this.#post('/v1/tokens', request, tokenSchema);

  /** `trustRoots`: those of the predecessor, where there is one. */
  register = (
    message: ActionMessage<'Register'>,
    by: Approved,
    trustRoot: Envelope,
    more: {
      readonly sigstoreTrustedRoot?: string | undefined;
      readonly trustRoots?: readonly Envelope[] | undefined;
    } = {},
  ): Promise<Proposal> =>
    this.#post('/v1/products', { message, ...approvedBy(by), trustRoot, ...more }, proposalSchema);

  /** `held`: approvals are collected, and it is relayed only when somebody asks for it. */
  promote = (message: ActionMessage<'Promote'>, by: Approved, options: { readonly held?: boolean } = {}) =>
    this.#post(
      `/v1/products/${message.product}/promotions`,
      { message, ...approvedBy(by), ...(options.held && { held: true }) },
      proposalSchema,
    );

  revoke = (message: ActionMessage<'Revoke'>, approver: Address, by: Approved): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/revocations`, { message, approver, ...approvedBy(by) }, proposalSchema);

  halt = (message: ActionMessage<'Halt'>, approver: Address, by: Approved): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/halts`, { message, approver, ...approvedBy(by) }, proposalSchema);

  configure = (
    message: ActionMessage<'Configure'>,
    by: Approved,
    trustRoot?: Envelope,
    sigstoreTrustedRoot?: string,
  ): Promise<Proposal> =>
    this.#post(
      `/v1/products/${message.product}/configurations`,
      { message, ...approvedBy(by), trustRoot, sigstoreTrustedRoot },
      proposalSchema,
    );

  veto = (message: ActionMessage<'Veto'>, by: Approved): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/vetoes`, { message, ...approvedBy(by) }, proposalSchema);

  /** The list of the devices that are to be anchored under this root, before that is proposed. */
  async sendDeviceList(product: ProductId, root: Bytes32, list: string): Promise<void> {
    const init = { method: 'PUT', headers: { 'content-type': 'text/csv' }, body: list, signal: null };
    await this.#fetch(`/v1/products/${product}/device-lists/${root}`, init);
  }

  anchorDevices = (message: ActionMessage<'AnchorDevices'>, by: Approved): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/device-batches`, { message, ...approvedBy(by) }, proposalSchema);

  revokeDevice = (message: ActionMessage<'RevokeDevice'>, by: Approved): Promise<Proposal> =>
    this.#post(`/v1/products/${message.product}/device-revocations`, { message, ...approvedBy(by) }, proposalSchema);

  /** What the chain says of a device, as the server has read it. */
  deviceAnchorState = (product: ProductId, leaf: Bytes32): Promise<DeviceAnchorState> =>
    this.#get(`/v1/products/${product}/device-leaves/${leaf}`, deviceAnchorStateSchema);

  /** Of an enrolled device, with what its leaf is made of. @throws FirmproofError `device-not-found` */
  anchoredDevice = async (product: ProductId, device: string): Promise<AnchoredDevice> =>
    this.#get(`/v1/products/${product}/devices/${parseDeviceName(device)}/anchor`, anchoredDeviceSchema);

  /** Enrolled devices that are in no anchored batch, as CSV; as many as one list may name. */
  async unanchoredDevices(product: ProductId): Promise<string> {
    return (await this.#fetch(`/v1/products/${product}/device-list?unanchored=true`, { signal: null })).text();
  }

  async deviceBatches(product: ProductId): Promise<readonly DeviceBatchResource[]> {
    const answer = z.object({ items: z.array(deviceBatchResourceSchema) });
    return (await this.#get(`/v1/products/${product}/device-batches`, answer)).items;
  }

  /** The list of the devices that a proposal anchors, as CSV. */
  async proposedDevices(proposal: string): Promise<string> {
    return (await this.#fetch(`${pathOfProposal(proposal)}/devices`, { signal: null })).text();
  }

  /** `acceptance`: the new publisher's, where the publisher changes. */
  applyConfiguration = (
    message: ActionMessage<'Configure'>,
    acceptance?: { readonly message: ActionMessage<'Accept'>; readonly by: Approved },
  ): Promise<Proposal> =>
    this.#post(
      `/v1/products/${message.product}/applications`,
      { message, ...(acceptance && { acceptance: { message: acceptance.message, ...approvedBy(acceptance.by) } }) },
      proposalSchema,
    );

  /** @throws FirmproofError `account-not-found` */
  account = (account: Address): Promise<AccountResource> => this.#get(`/v1/accounts/${account}`, accountSchema);

  /** What the account has to approve, newest first. */
  async proposals(account: Address): Promise<readonly Proposal[]> {
    return (await this.#get(`/v1/accounts/${account}/proposals`, z.object({ items: z.array(proposalSchema) }))).items;
  }

  /** What has been proposed for a product, newest first; for its publisher and its guardian. */
  async proposalsOf(product: ProductId): Promise<readonly Proposal[]> {
    return (await this.#get(`/v1/products/${product}/proposals`, z.object({ items: z.array(proposalSchema) }))).items;
  }

  createAccount = (parameters: AccountParameters): Promise<Proposal> =>
    this.#post('/v1/accounts', { parameters }, proposalSchema);

  changeAccount = (
    kind: AccountChange['kind'],
    account: Address,
    request: { readonly message: object; readonly approvals: readonly SignerApproval[] },
  ): Promise<Proposal> => this.#post(`/v1/accounts/${account}/${accountPaths[kind]}`, request, proposalSchema);

  approve = async (proposal: string, approval: SignerApproval): Promise<Proposal> =>
    this.#post(`${pathOfProposal(proposal)}/approvals`, approval, proposalSchema);

  reject = async (message: Reject, by: SignerApproval): Promise<Proposal> =>
    this.#post(`${pathOfProposal(message.proposal)}/rejections`, { message, ...by }, proposalSchema);

  /** Asks for a proposal that was held back to be relayed. */
  relay = async (proposal: string): Promise<Proposal> =>
    this.#post(`${pathOfProposal(proposal)}/relay`, {}, proposalSchema);

  exported = async (proposal: string): Promise<ExportedProposal> =>
    this.#get(`${pathOfProposal(proposal)}/export`, exportedProposalSchema);

  async proposedAttestation(proposal: string): Promise<string> {
    return textOf(await this.#fetch(`${pathOfProposal(proposal)}/attestation`));
  }

  /** The server offers the channel to nobody from now on, until its head moves. */
  stop = (product: ProductId, channel: Channel): Promise<Stopped> =>
    this.#post(`/v1/products/${product}/channels/${channel}/stop`, {}, stoppedSchema);

  async resume(product: ProductId, channel: Channel): Promise<void> {
    await this.#fetch(`/v1/products/${product}/channels/${channel}/stop`, { method: 'DELETE' });
  }

  /** Streams the image from disk; it is never whole in memory. */
  async publish(
    release: {
      readonly attestation: string;
      readonly message: ActionMessage<'Publish'>;
      readonly by: Approved;
    },
    imageFile: string,
    onProgress?: UploadProgress,
  ): Promise<Proposal> {
    const { attestation, message, by } = release;
    const form = new FormData();
    form.set('attestation', attestation);
    form.set('approval', JSON.stringify({ message, ...approvedBy(by) }));
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
   * Follows a proposal until it is confirmed, or, with `untilItWaits`, until it waits for people.
   * @throws FirmproofError with the code that it was rejected with
   */
  async follow(
    id: string,
    onState?: (proposal: Proposal) => void,
    options: { readonly untilItWaits?: boolean } = {},
  ): Promise<Proposal> {
    const response = await this.#fetch(`${pathOfProposal(id)}/events`, { signal: null });
    const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
    for await (const { data } of events ?? []) {
      const proposal = proposalSchema.parse(JSON.parse(data));
      onState?.(proposal);
      if (proposal.state === 'confirmed') return proposal;
      if (proposal.state === 'rejected' || proposal.state === 'expired') throw rejection(proposal);
      // Events begin with the past: what counts is whether it waits now.
      if (!options.untilItWaits || !waitsForPeople(proposal)) continue;
      const now = await this.proposal(id);
      if (waitsForPeople(now)) return now;
    }
    throw new FirmproofError('server-unreachable', 'the server stopped telling about the proposal', {
      hint: `See \`firmproof proposal show ${id}\`; the proposal goes on by itself.`,
    });
  }
}

const accountPaths: Readonly<Record<AccountChange['kind'], string>> = {
  'set-signers': 'signers',
  'set-recovery': 'recovery-signers',
  'schedule-recovery': 'recoveries',
  recover: 'recoveries/completion',
  'cancel-recovery': 'recoveries/cancellation',
};

const approvedBy = (by: Approved) => (typeof by === 'string' ? { signature: by } : by);

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

/** @throws FirmproofError `server-unreachable` where it breaks off, or is larger than any honest answer */
async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  let bytes: Uint8Array;
  try {
    bytes = await readAtMost(response.body, maximumAnswerBytes + 1);
  } catch (cause) {
    throw new FirmproofError('server-unreachable', 'the answer of the server breaks off', { cause });
  }
  if (bytes.length <= maximumAnswerBytes) return new Uint8Array(bytes);
  throw new FirmproofError('server-unreachable', `the server answers with more than ${maximumAnswerBytes} bytes`);
}

const textOf = async (response: Response): Promise<string> => new TextDecoder().decode(await bytesOf(response));

/** null for what is no JSON. */
async function jsonOf(response: Response): Promise<unknown> {
  const text = await textOf(response);
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

async function problemOf(response: Response): Promise<FirmproofError> {
  const problem = problemSchema.safeParse(await jsonOf(response).catch(() => null));
  if (!problem.success) return new FirmproofError('server-unreachable', `the server answers ${response.status}`);
  const { code, detail, hint } = problem.data;
  return new FirmproofError(knownCode(code), detail, { hint });
}

async function understand<Schema extends z.ZodType>(response: Response, schema: Schema): Promise<z.output<Schema>> {
  const parsed = schema.safeParse(await jsonOf(response));
  if (parsed.success) return parsed.data;
  throw new FirmproofError('server-unreachable', 'the server answers in a form that this command does not understand', {
    hint: 'Check the server address and that server and command are of the same version.',
    cause: parsed.error,
  });
}
