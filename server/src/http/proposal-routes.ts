import {
  type Address,
  anchorDevicesRequestSchema,
  applyRequestSchema,
  bytes32Schema,
  configureRequestSchema,
  digestOfBytes32,
  FirmproofError,
  haltRequestSchema,
  type ProductId,
  type Proposal,
  parseProductId,
  parseSha256Digest,
  productIdSchema,
  promoteRequestSchema,
  rejectRequestSchema,
  revokeDeviceRequestSchema,
  revokeRequestSchema,
  type Signer,
  signerApprovalSchema,
  vetoRequestSchema,
} from '@firmproof/protocol';
import type { SignerApproval } from '@firmproof/protocol/approval';
import { type Request, Router } from 'express';
import { exported, finalStates, requestOf, type StoredProposal, toResource } from '../proposals/proposal-store.ts';
import type { Dependencies } from './dependencies.ts';
import { missing, sendDocument } from './document-routes.ts';
import { bodyOf, parameter } from './parameters.ts';

const listedProposals = 100;

/** Signatures are hexadecimal by their schema. */
const approvalOf = ({ signer, signature }: { signer: Signer; signature: string }): SignerApproval => ({
  signer,
  signature: signature as `0x${string}`,
});

/** Everything that needs an approval becomes a proposal: 202, and followed from there. */
export function proposalRoutes({
  database,
  documents,
  intake,
  approvals,
  store,
  tokens,
  receiveRelease,
  wake,
}: Dependencies): Router {
  const router = Router();

  /** Who sends is checked before a byte of the body is believed. */
  async function proposerOf(request: Request): Promise<{ product: ProductId; owner: Address }> {
    const product = parseProductId(parameter(request, 'product'));
    const owner = await tokens.require(request);
    await intake.requireProposer(product, owner);
    return { product, owner };
  }

  function accept(path: string, propose: (product: ProductId, request: Request) => Promise<Proposal>): void {
    router.post(`/v1/products/:product/${path}`, async (request, response) => {
      const { product } = await proposerOf(request);
      const proposal = await propose(product, request);
      response.status(202).location(`/v1/proposals/${proposal.id}`).json(proposal);
      wake();
    });
  }

  router.post('/v1/products/:product/releases', async (request, response) => {
    const { product, owner } = await proposerOf(request);
    const proposal = await receiveRelease(request, response, { product, owner });
    response.status(202).location(`/v1/proposals/${proposal.id}`).json(proposal);
    wake();
  });

  accept('promotions', (product, request) =>
    intake.other(product, { kind: 'promote', body: bodyOf(request, promoteRequestSchema) }),
  );
  accept('revocations', (product, request) =>
    intake.other(product, { kind: 'revoke', body: bodyOf(request, revokeRequestSchema) }),
  );
  accept('halts', (product, request) =>
    intake.other(product, { kind: 'halt', body: bodyOf(request, haltRequestSchema) }),
  );
  accept('configurations', (product, request) => intake.configure(product, bodyOf(request, configureRequestSchema)));
  accept('applications', (product, request) =>
    intake.other(product, { kind: 'apply', body: bodyOf(request, applyRequestSchema) }),
  );
  accept('vetoes', (product, request) =>
    intake.other(product, { kind: 'veto', body: bodyOf(request, vetoRequestSchema) }),
  );

  accept('device-batches', (product, request) =>
    intake.devices(product, { kind: 'anchor-devices', body: bodyOf(request, anchorDevicesRequestSchema) }),
  );
  accept('device-revocations', (product, request) =>
    intake.devices(product, { kind: 'revoke-device', body: bodyOf(request, revokeDeviceRequestSchema) }),
  );

  async function rowOf(request: Request): Promise<StoredProposal> {
    const id = bytes32Schema.safeParse(parameter(request, 'id'));
    const row = id.success ? await store.find(id.data) : undefined;
    if (!row) throw new FirmproofError('proposal-not-found', 'no proposal with this id');
    return row;
  }

  const proposalOf = async (request: Request): Promise<Proposal> => toResource(await rowOf(request));

  /** The proposal, for those whom it concerns. */
  async function ownRow(request: Request): Promise<StoredProposal> {
    const owner = await tokens.require(request);
    const row = await rowOf(request);
    if (owner === row.publisher || owner === row.approver) return row;
    const product = productIdSchema.safeParse(row.product);
    if (!product.success) throw new FirmproofError('token-scope', 'the token is for another account');
    await intake.requireProposer(product.data, owner);
    return row;
  }

  router.get('/v1/products/:product/proposals', async (request, response) => {
    const { product } = await proposerOf(request);
    const rows = await store.ofProduct(product, listedProposals);
    response.setHeader('cache-control', 'no-store').json({ items: rows.map(toResource) });
  });

  router.get('/v1/proposals/:id', async (request, response) => {
    response.setHeader('cache-control', 'no-store').json(await proposalOf(request));
  });

  // Who approves proves it with the signature: no token is needed.
  router.post('/v1/proposals/:id/approvals', async (request, response) => {
    const row = await rowOf(request);
    response.json(await approvals.add(row, approvalOf(bodyOf(request, signerApprovalSchema))));
    wake();
  });

  router.post('/v1/proposals/:id/rejections', async (request, response) => {
    const { message, ...by } = bodyOf(request, rejectRequestSchema);
    response.json(await approvals.reject(await rowOf(request), message, approvalOf(by)));
    wake();
  });

  router.post('/v1/proposals/:id/relay', async (request, response) => {
    const { id } = await ownRow(request);
    response.json(toResource(await store.amend(id, () => ({ held: 0 }))));
    wake();
  });

  router.get('/v1/proposals/:id/export', async (request, response) => {
    response.setHeader('cache-control', 'no-store').json(exported(await ownRow(request)));
  });

  // Who knows the id may see what is proposed. Once it is on chain anybody can compute the id, and the release's rules hold.
  router.get('/v1/proposals/:id/attestation', async (request, response) => {
    const { row, digest } = await proposedAttestation(request);
    if (row.state === 'confirmed') await ownRow(request);
    const found = await database
      .selectFrom('attestations')
      .select('text')
      .where('digest', '=', digest)
      .executeTakeFirst();
    if (!found) throw new FirmproofError('release-not-found', 'this server does not have the attestation');
    response.setHeader('cache-control', 'no-store').type('application/json').send(found.text);
  });

  router.get('/v1/proposals/:id/documents/:digest', async (request, response) => {
    const { row, digest: attestation } = await proposedAttestation(request);
    if (row.state === 'confirmed') await ownRow(request);
    const digest = parseSha256Digest(parameter(request, 'digest'));
    const document = await documents.findNamed(attestation, digest);
    if (document === null) throw missing(digest);
    await sendDocument(request, response, documents, { ...document, isOpen: false });
  });

  async function proposedAttestation(request: Request) {
    const row = await rowOf(request);
    const asked = requestOf(row);
    if (asked.kind !== 'publish') throw new FirmproofError('release-not-found', 'the proposal is not about a release');
    return { row, digest: digestOfBytes32(asked.body.message.attestation) };
  }

  router.get('/v1/proposals/:id/events', async (request, response) => {
    const { id } = await proposalOf(request);
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    let last = '';
    const send = (proposal: Proposal) => {
      const data = JSON.stringify(proposal);
      if (data === last || response.writableEnded) return;
      last = data;
      response.write(`event: state\ndata: ${data}\n\n`);
      if (finalStates.includes(proposal.state)) response.end();
    };
    // Listening starts before the history is read, so no change falls between; equal lines are sent once.
    const waiting: Proposal[] = [];
    let replayed = false;
    const listener = (proposal: Proposal) => (replayed ? send(proposal) : waiting.push(proposal));
    store.changes.on(id, listener);
    const heartbeat = setInterval(() => response.write(': still here\n\n'), 15_000);
    response.on('close', () => {
      clearInterval(heartbeat);
      store.changes.off(id, listener);
    });
    const history = await store.history(id);
    const lastOpening = history.findLastIndex((proposal) => proposal.state === 'received');
    for (const proposal of history.slice(Math.max(0, lastOpening))) send(proposal);
    replayed = true;
    for (const proposal of waiting) send(proposal);
  });

  return router;
}
