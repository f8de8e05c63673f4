import {
  accountSchema,
  anchorDevicesRequestSchema,
  anchoredDeviceSchema,
  applyRequestSchema,
  cancelRecoveryRequestSchema,
  channelResourceSchema,
  claimTokenRequestSchema,
  claimTokenSchema,
  configureRequestSchema,
  createAccountRequestSchema,
  createTokenRequestSchema,
  createWebhookRequestSchema,
  deviceAnchorStateSchema,
  deviceBatchResourceSchema,
  deviceResourceSchema,
  enrolmentAnswerSchema,
  enrolmentSchema,
  envelopeSchema,
  evidenceSchema,
  exportedProposalSchema,
  fleetSummarySchema,
  fleetTimelineSchema,
  haltRequestSchema,
  importAnswerSchema,
  loginRequestSchema,
  oidcLoginRequestSchema,
  pageOf,
  problemSchema,
  productSchema,
  promoteRequestSchema,
  proposalSchema,
  receiptSchema,
  receivedDocumentSchema,
  recoverRequestSchema,
  registerRequestSchema,
  rejectRequestSchema,
  releaseSchema,
  revokeDeviceRequestSchema,
  revokeRequestSchema,
  serverInfoSchema,
  serverLogPageSchema,
  setRecoveryRequestSchema,
  setSignersRequestSchema,
  signerApprovalSchema,
  stoppedSchema,
  storedReceiptSchema,
  type TokenScope,
  tokenResourceSchema,
  tokenSchema,
  vetoRequestSchema,
  webhookDeliverySchema,
  webhookSchema,
  webhookWithSecretSchema,
} from '@firmproof/protocol';
import { entrySchema, productProofSchema, transactionSchema } from '@firmproof/protocol/audit';
import { z } from 'zod';
import { createDocument, type ZodOpenApiOperationObject } from 'zod-openapi';
import { saidLaterOperations } from './said-later-operations.ts';

type Method = 'get' | 'post' | 'put' | 'delete';

/** One line an operation: what it is for, what it takes and what it answers. The routes are tested against this table. */
export type Operation = {
  readonly method: Method;
  readonly path: string;
  readonly summary: string;
  readonly request?: z.ZodType;
  readonly multipart?: true;
  readonly requestType?: string;
  /** Whether it needs a token: one with any of these roles; true: one to publish. */
  readonly token?: true | readonly TokenScope[];
  readonly status: 200 | 201 | 202 | 204;
  readonly answer?: z.ZodType;
  readonly contentType?: string;
};

const accepted = { status: 202, answer: proposalSchema, token: true, method: 'post' } as const;
const product = '/v1/products/{product}';
const account = '/v1/accounts/{account}';
const proposal = '/v1/proposals/{id}';
const publisher = '/v1/publishers/{address}';
const webhook = `${publisher}/webhooks`;

export const operations: readonly Operation[] = [
  {
    method: 'get',
    path: '/v1/info',
    summary: 'Chain, registry and limits of this server',
    status: 200,
    answer: serverInfoSchema,
  },
  {
    method: 'post',
    path: '/v1/tokens',
    summary: 'Log in as a publisher by signature',
    request: loginRequestSchema,
    status: 201,
    answer: tokenSchema,
  },
  {
    method: 'post',
    path: '/v1/tokens/oidc',
    summary: 'Log in as an identity that the trust root of a product names, by ID token',
    request: oidcLoginRequestSchema,
    status: 201,
    answer: tokenSchema,
  },
  { ...accepted, path: '/v1/products', summary: 'Register a product', request: registerRequestSchema },
  { method: 'get', path: '/v1/products', summary: 'List products', status: 200, answer: pageOf(productSchema) },
  { method: 'get', path: product, summary: 'Read a product with its channels', status: 200, answer: productSchema },
  {
    method: 'get',
    path: `${product}/trust-roots`,
    summary:
      'All trust roots, oldest first; of a product that has moved here too. ?after=DIGEST: those after the one held',
    status: 200,
    answer: pageOf(envelopeSchema),
  },
  {
    method: 'get',
    path: `${product}/sigstore-root`,
    summary: 'The Sigstore trusted root that the trust root names, byte for byte',
    status: 200,
    contentType: 'application/json',
  },
  {
    ...accepted,
    path: `${product}/releases`,
    summary: 'Propose a release',
    multipart: true,
    token: ['publish', 'propose'],
  },
  {
    method: 'get',
    path: `${product}/releases`,
    summary: 'List releases, newest first',
    status: 200,
    answer: pageOf(releaseSchema),
  },
  {
    method: 'get',
    path: `${product}/releases/{version}`,
    summary: 'Read a release',
    status: 200,
    answer: releaseSchema,
  },
  {
    method: 'get',
    path: `${product}/releases/{version}/attestation`,
    summary: 'The attestation, byte for byte',
    status: 200,
    contentType: 'application/json',
  },
  {
    method: 'post',
    path: `${product}/documents`,
    summary: 'Send a document about a release, before the release whose statement names it',
    requestType: 'application/octet-stream',
    token: ['publish', 'propose'],
    status: 201,
    answer: receivedDocumentSchema,
  },
  {
    method: 'get',
    path: `${product}/documents/{digest}`,
    summary: 'A document, byte for byte, once a release that names it is installable',
    status: 200,
    contentType: 'application/octet-stream',
  },
  {
    ...accepted,
    path: `${product}/promotions`,
    summary: 'Promote a release to a channel',
    request: promoteRequestSchema,
    token: ['publish', 'propose'],
  },
  { ...accepted, path: `${product}/revocations`, summary: 'Revoke a release', request: revokeRequestSchema },
  { ...accepted, path: `${product}/halts`, summary: 'Halt a channel', request: haltRequestSchema },
  {
    ...accepted,
    path: `${product}/configurations`,
    summary: 'Schedule a change of configuration',
    request: configureRequestSchema,
  },
  {
    ...accepted,
    path: `${product}/applications`,
    summary: 'Apply the scheduled configuration',
    request: applyRequestSchema,
  },
  { ...accepted, path: `${product}/vetoes`, summary: 'Veto the scheduled configuration', request: vetoRequestSchema },
  {
    method: 'get',
    path: `${product}/channels/{channel}`,
    summary: "Read a channel's head",
    status: 200,
    answer: channelResourceSchema,
  },
  {
    method: 'get',
    path: `${product}/channels/{channel}/evidence`,
    summary: 'What a device needs to decide',
    status: 200,
    answer: evidenceSchema,
  },
  {
    method: 'get',
    path: `${product}/history`,
    summary: 'The events of the product as they were logged, oldest first. ?after=SEQUENCE, ?limit= up to 1000',
    status: 200,
    answer: pageOf(entrySchema),
  },
  {
    method: 'get',
    path: `${product}/history/{sequence}/transaction`,
    summary: 'The transaction that an event came from, which carries its approval',
    status: 200,
    answer: transactionSchema,
  },
  {
    method: 'get',
    path: `${product}/proof`,
    summary:
      'What storage holds of the product under a final block, with who vouches for it. ?release=VERSION and ?channel=NAME, up to 16 of each',
    status: 200,
    answer: productProofSchema,
  },
  {
    method: 'post',
    path: `${product}/channels/{channel}/stop`,
    summary: 'Offer the channel to nobody from this moment on, until its head moves',
    token: true,
    status: 200,
    answer: stoppedSchema,
  },
  {
    method: 'delete',
    path: `${product}/channels/{channel}/stop`,
    summary: 'Offer a stopped channel again',
    token: true,
    status: 204,
  },
  {
    method: 'get',
    path: `${product}/proposals`,
    summary: 'The newest proposals for a product',
    token: true,
    status: 200,
    answer: z.object({ items: z.array(proposalSchema) }),
  },
  { ...accepted, path: '/v1/accounts', summary: 'Make a vendor account', request: createAccountRequestSchema },
  {
    method: 'get',
    path: account,
    summary: 'Read a vendor account, as the chain shows it now',
    status: 200,
    answer: accountSchema,
  },
  {
    method: 'get',
    path: `${account}/proposals`,
    summary: 'The newest proposals that the account has to approve',
    token: true,
    status: 200,
    answer: z.object({ items: z.array(proposalSchema) }),
  },
  { ...accepted, path: `${account}/signers`, summary: 'Replace the signers', request: setSignersRequestSchema },
  {
    ...accepted,
    path: `${account}/recovery-signers`,
    summary: 'Replace the recovery signers',
    request: setRecoveryRequestSchema,
  },
  {
    ...accepted,
    path: `${account}/recoveries`,
    summary: 'Announce new signers, 30 days ahead',
    request: recoverRequestSchema,
  },
  {
    ...accepted,
    path: `${account}/recoveries/completion`,
    summary: 'Put announced signers in force',
    request: recoverRequestSchema,
  },
  {
    ...accepted,
    path: `${account}/recoveries/cancellation`,
    summary: 'Cancel an announced recovery',
    request: cancelRecoveryRequestSchema,
  },
  {
    method: 'put',
    path: `${product}/device-lists/{root}`,
    summary: 'Send the list of the devices to anchor under this Merkle root, as CSV: device,keyDigest,salt',
    requestType: 'text/csv',
    token: true,
    status: 204,
  },
  {
    ...accepted,
    path: `${product}/device-batches`,
    summary: 'Vouch for the devices of a list that has been sent',
    request: anchorDevicesRequestSchema,
  },
  {
    method: 'get',
    path: `${product}/device-batches`,
    summary: 'Devices that are vouched for on chain, by batches',
    status: 200,
    answer: z.object({ items: z.array(deviceBatchResourceSchema) }),
  },
  {
    ...accepted,
    path: `${product}/device-revocations`,
    summary: 'Revoke a device by its leaf',
    request: revokeDeviceRequestSchema,
  },
  {
    method: 'get',
    path: `${product}/device-leaves/{leaf}`,
    summary: 'What the chain says of a device, with its Merkle proof',
    status: 200,
    answer: deviceAnchorStateSchema,
  },
  {
    method: 'post',
    path: `${product}/devices`,
    summary: 'A device asks to be enrolled: an HTTP message that its key has signed; 202 while it waits to be accepted',
    request: enrolmentSchema,
    status: 201,
    answer: enrolmentAnswerSchema,
  },
  {
    method: 'post',
    path: `${product}/receipts`,
    summary: 'A receipt of an enrolled device: an HTTP message that its key has signed',
    request: receiptSchema,
    status: 204,
  },
  {
    method: 'get',
    path: `${product}/devices`,
    summary: 'List devices. ?state=pending|enrolled|revoked, ?flagged=true: only those that somebody should look at',
    token: ['read-receipts'],
    status: 200,
    answer: pageOf(deviceResourceSchema),
  },
  {
    method: 'get',
    path: `${product}/devices/{device}`,
    summary: 'Read a device by its id or the digest of its key',
    token: ['read-receipts'],
    status: 200,
    answer: deviceResourceSchema,
  },
  {
    method: 'get',
    path: `${product}/devices/{device}/anchor`,
    summary: 'What the chain says of an enrolled device, with what its leaf is made of',
    token: ['read-receipts'],
    status: 200,
    answer: anchoredDeviceSchema,
  },
  {
    method: 'post',
    path: `${product}/devices/{device}/acceptance`,
    summary: 'Enrol a device that waits; of an enrolled one, take back its flags',
    token: true,
    status: 200,
    answer: deviceResourceSchema,
  },
  {
    method: 'post',
    path: `${product}/devices/{device}/rejection`,
    summary: 'Take nothing of a device any more, on this server',
    token: true,
    status: 200,
    answer: deviceResourceSchema,
  },
  {
    method: 'get',
    path: `${product}/receipts`,
    summary:
      'Receipts as their devices have signed them, device by device. ?kind=outcome: only what became of releases; ?from=: from the digest of a key on',
    token: ['read-receipts'],
    status: 200,
    answer: pageOf(storedReceiptSchema),
  },
  {
    method: 'get',
    path: `${product}/fleet`,
    summary: 'What enrolled devices have signed, counted',
    token: ['read-receipts'],
    status: 200,
    answer: fleetSummarySchema,
  },
  {
    method: 'get',
    path: `${product}/fleet/timeline`,
    summary: 'What devices have run day by day, and what became of releases, counted by this server',
    token: ['read-receipts'],
    status: 200,
    answer: fleetTimelineSchema,
  },
  {
    method: 'get',
    path: `${product}/device-list`,
    summary:
      'The enrolled devices as a list to anchor, as CSV: device,keyDigest,salt. ?unanchored=true: those that are in no anchored batch',
    token: ['read-receipts'],
    status: 200,
    contentType: 'text/csv',
  },
  {
    method: 'post',
    path: `${product}/factory-lists`,
    summary: "Enrol all devices of a factory's list, or none of them",
    requestType: 'text/csv',
    token: true,
    status: 200,
    answer: importAnswerSchema,
  },
  {
    method: 'post',
    path: `${product}/claim-tokens`,
    summary: 'Make a token by which devices enrol themselves',
    request: claimTokenRequestSchema,
    token: true,
    status: 201,
    answer: claimTokenSchema,
  },
  {
    method: 'delete',
    path: `${product}/claim-tokens/{id}`,
    summary: 'Revoke a claim token',
    token: true,
    status: 204,
  },
  {
    method: 'get',
    path: `${publisher}/log`,
    summary: 'What was done here for this publisher, as a chain of hashes. ?after=INDEX: entries after it; ?limit=',
    token: ['admin'],
    status: 200,
    answer: serverLogPageSchema,
  },
  {
    method: 'get',
    path: `${publisher}/tokens`,
    summary: 'The tokens that are alive',
    token: ['admin'],
    status: 200,
    answer: z.object({ items: z.array(tokenResourceSchema) }),
  },
  {
    method: 'post',
    path: `${publisher}/tokens`,
    summary: 'Make a token with fewer roles, for one product, for longer or shorter',
    request: createTokenRequestSchema,
    token: ['admin'],
    status: 201,
    answer: tokenSchema,
  },
  {
    method: 'delete',
    path: `${publisher}/tokens/{id}`,
    summary: 'Revoke a token',
    token: ['admin'],
    status: 204,
  },
  {
    method: 'post',
    path: `${webhook}`,
    summary: 'Be told of what happens; the secret that signs it is shown this once',
    token: ['admin'],
    request: createWebhookRequestSchema,
    status: 201,
    answer: webhookWithSecretSchema,
  },
  {
    method: 'get',
    path: `${webhook}`,
    summary: 'The webhooks of the publisher',
    token: ['admin'],
    status: 200,
    answer: z.object({ items: z.array(webhookSchema) }),
  },
  {
    method: 'delete',
    path: `${webhook}/{id}`,
    summary: 'Remove a webhook, with everything that waits for it',
    token: ['admin'],
    status: 204,
  },
  {
    method: 'post',
    path: `${webhook}/{id}/secret`,
    summary: 'Change the secret; the one before signs too for a day',
    token: ['admin'],
    status: 200,
    answer: webhookWithSecretSchema,
  },
  {
    method: 'post',
    path: `${webhook}/{id}/activation`,
    summary: 'Send again after it was disabled; what was not delivered is tried once more',
    token: ['admin'],
    status: 200,
    answer: webhookSchema,
  },
  {
    method: 'post',
    path: `${webhook}/{id}/test`,
    summary: 'Send a message that says nothing',
    token: ['admin'],
    status: 202,
    answer: webhookDeliverySchema,
  },
  {
    method: 'get',
    path: `${webhook}/{id}/deliveries`,
    summary: 'What became of the messages, newest first',
    token: ['admin'],
    status: 200,
    answer: pageOf(webhookDeliverySchema),
  },
  {
    method: 'get',
    path: `${webhook}/{id}/deliveries/{delivery}`,
    summary: 'What became of one message',
    token: ['admin'],
    status: 200,
    answer: webhookDeliverySchema,
  },
  {
    method: 'post',
    path: `${webhook}/{id}/deliveries/{delivery}/redelivery`,
    summary: 'Send the same message once more',
    token: ['admin'],
    status: 202,
    answer: webhookDeliverySchema,
  },
  { method: 'get', path: proposal, summary: 'Read a proposal', status: 200, answer: proposalSchema },
  {
    method: 'post',
    path: `${proposal}/approvals`,
    summary: "Add a signer's approval",
    request: signerApprovalSchema,
    status: 200,
    answer: proposalSchema,
  },
  {
    method: 'post',
    path: `${proposal}/rejections`,
    summary: "Add a signer's rejection",
    request: rejectRequestSchema,
    status: 200,
    answer: proposalSchema,
  },
  {
    method: 'post',
    path: `${proposal}/relay`,
    summary: 'Relay a proposal that was held back',
    token: true,
    status: 200,
    answer: proposalSchema,
  },
  {
    method: 'get',
    path: `${proposal}/export`,
    summary: 'Everything that anybody needs to relay it without this server',
    token: true,
    status: 200,
    answer: exportedProposalSchema,
  },
  {
    method: 'get',
    path: `${proposal}/attestation`,
    summary: 'The attestation of a proposed release, byte for byte',
    status: 200,
    contentType: 'application/json',
  },
  {
    method: 'get',
    path: `${proposal}/documents/{digest}`,
    summary: 'A document of a proposed release, byte for byte',
    status: 200,
    contentType: 'application/octet-stream',
  },
  {
    method: 'get',
    path: `${proposal}/devices`,
    summary: 'The list of the devices that a proposal anchors, as it was sent',
    status: 200,
    contentType: 'text/csv',
  },
  {
    method: 'get',
    path: `${proposal}/events`,
    summary: 'Follow a proposal as server-sent events: one `state` event a change, its data a Proposal',
    status: 200,
    contentType: 'text/event-stream',
  },
  ...saidLaterOperations,
];

const multipartSchema = z.object({
  attestation: z.string().meta({ description: 'The attestation, at most 128 KiB of JSON. Comes first.' }),
  approval: z.string().meta({ description: 'A PublishApproval as JSON. Comes second.' }),
  image: z.string().meta({ description: 'The firmware bytes. Comes last.', format: 'binary' }),
});

/** The OpenAPI 3.1 document, generated from the schemas that the server parses with. */
export function openApiDocument(version: string) {
  const paths: Record<string, Partial<Record<Method, ZodOpenApiOperationObject>>> = {};
  for (const operation of operations) {
    const entry = paths[operation.path] ?? {};
    entry[operation.method] = describe(operation);
    paths[operation.path] = entry;
  }
  return createDocument({
    openapi: '3.1.1',
    info: { title: 'Firmproof', version, description: 'Servers carry, the chain decides, the device proves.' },
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
    paths,
  });
}

function describe(operation: Operation): ZodOpenApiOperationObject {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '');
  const content = operation.answer
    ? { 'application/json': { schema: operation.answer } }
    : { [operation.contentType ?? 'application/json']: { schema: z.string() } };
  return {
    summary: operation.summary,
    ...(names.length > 0 && {
      requestParams: { path: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))) },
    }),
    ...(operation.request && {
      requestBody: { required: true, content: { 'application/json': { schema: operation.request } } },
    }),
    ...(operation.requestType && {
      requestBody: { required: true, content: { [operation.requestType]: { schema: z.string() } } },
    }),
    ...(operation.multipart && {
      requestBody: { required: true, content: { 'multipart/form-data': { schema: multipartSchema } } },
    }),
    // OpenAPI has no roles for bearer tokens: since 3.1 the list may name them all the same.
    ...(operation.token && { security: [{ token: operation.token === true ? ['publish'] : [...operation.token] }] }),
    responses: {
      [`${operation.status}`]: { description: operation.summary, ...(operation.status !== 204 && { content }) },
      default: {
        description: 'What went wrong, with a code and a hint',
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    },
  };
}
