import {
  type Address,
  bytes32OfDigest,
  digestOfBytes32,
  FirmproofError,
  isDevelopmentChain,
  type ProductId,
  type Proposal,
  parseAttestation,
  parseJson,
  productIdOf,
  publishApprovalSchema,
  type ReleasePredicate,
  requireUsableSigners,
  subjectDigest,
  type TrustRoot,
  trustRootOfEnvelope,
  verifyAttestation,
  walkTrustRoot,
} from '@firmproof/protocol';
import type { AccountRequest, AnchorRequest, ChainRequest, RegistryRequest } from '@firmproof/protocol/approval';
import type { DeviceAnchors } from '../anchors/device-anchors.ts';
import type { Accounts } from '../chain/accounts.ts';
import type { Contracts } from '../chain/contracts.ts';
import type { DeviceAnchor } from '../chain/device-anchor.ts';
import type { Registry } from '../chain/registry.ts';
import type { Database } from '../database/database.ts';
import type { Tables } from '../database/schema.ts';
import type { Documents } from '../documents/documents.ts';
import type { Approvals } from './approvals.ts';
import { lineageOf } from './lineage.ts';
import { isOnlyEarly } from './patience.ts';
import { finalStates, isUnsent, type ProposalStore, requestOf, type StoredProposal } from './proposal-store.ts';
import {
  approverOf,
  approverSignature,
  draftOf,
  given,
  type JudgedByTheRegistry,
  ownSignature,
  requireUsableChange,
  withoutApprovals,
} from './request-parts.ts';
import { productMoved, type TrustRoots } from './trust-roots.ts';

export type ReceivedRelease = {
  readonly attestation: string;
  readonly approval: string;
  readonly image: { readonly digest: string; readonly cid: string; readonly sizeBytes: number };
};

type CheckedRelease = {
  readonly request: Extract<RegistryRequest, { kind: 'publish' }>;
  readonly publisher: string;
  readonly predicate: ReleasePredicate;
};

type ProductRow = Tables['products'];
export type Intake = ReturnType<typeof createIntake>;

/**
 * Whether it brings the signature that one here still waits for: a guardian that signs for itself does not wait for the team
 * that has proposed the same halt, nor for whoever holds a token of that team.
 */
const completes = (request: ChainRequest, existing: StoredProposal): boolean =>
  isUnsent(existing) &&
  approverSignature(request) !== undefined &&
  approverSignature(requestOf(existing)) === undefined;

/**
 * Checks a proposal against what was received and against the registry before anything is kept. Nothing here is trusted
 * by a device: it only spares vendors from paying for mistakes.
 */
export function createIntake(options: {
  readonly database: Database;
  readonly store: ProposalStore;
  readonly registry: Registry;
  readonly contracts: Contracts;
  readonly accounts: Accounts;
  readonly anchor: DeviceAnchor;
  readonly anchors: DeviceAnchors;
  readonly documents: Documents;
  readonly approvals: Approvals;
  readonly relayer: Address;
  readonly trustRoots: TrustRoots;
}) {
  const { database, store, registry, contracts, approvals, trustRoots } = options;

  async function productRow(product: ProductId): Promise<ProductRow> {
    const row = await database.selectFrom('products').selectAll().where('id', '=', product).executeTakeFirst();
    if (row) return row;
    const successor = await trustRoots.successorOf(product);
    if (successor) throw productMoved(successor);
    throw new FirmproofError('product-not-found', `product ${product} is not registered`);
  }

  /**
   * The same proposal again is the same proposal; a new one has to be acceptable to the contract now, and somebody must be
   * able to approve it. Keeps nothing.
   */
  async function requireAcceptable(request: ChainRequest, approver: string): Promise<void> {
    const existing = await store.find(contracts.proposalId(request));
    if (existing && !['rejected', 'expired'].includes(existing.state) && !completes(request, existing)) return;
    await approvals.requireApprovable(draftOf(request, approver), given(request));
    const signature = ownSignature(request);
    if (signature !== undefined) return contracts.simulate(contracts.call(request, { signature }), options.relayer);
    const held = request.kind === 'promote' && request.body.held === true;
    await contracts.simulateUnapproved(request, options.relayer).catch(async (error: unknown) => {
      if (!(await isOnlyEarly(store, request, held, error))) throw error;
    });
  }

  async function open(
    request: ChainRequest,
    product: string,
    accounts: { readonly publisher: string; readonly approver: string },
    extra: { version?: string; channel?: string; image?: ReceivedRelease['image'] } = {},
  ): Promise<Proposal> {
    await requireAcceptable(request, accounts.approver);
    const id = contracts.proposalId(request);
    const existing = await store.find(id);
    if (existing && completes(request, existing)) return store.sign(id, draftOf(request, accounts.approver));
    const opened = await store.open({
      id,
      ...draftOf(request, accounts.approver),
      request: withoutApprovals(request),
      product,
      publisher: accounts.publisher,
      version: extra.version ?? null,
      channel: extra.channel ?? null,
      image_digest: extra.image?.digest ?? null,
      image_cid: extra.image?.cid ?? null,
      image_size: extra.image ? String(extra.image.sizeBytes) : null,
      held: request.kind === 'promote' && request.body.held === true ? 1 : 0,
    });
    let proposal = opened;
    for (const approval of given(request)) {
      const row = await store.find(id);
      if (row && !finalStates.includes(row.state as Proposal['state'])) proposal = await approvals.add(row, approval);
    }
    return proposal;
  }

  function requireProduct(path: ProductId, message: { readonly product: string }): void {
    if (message.product !== path)
      throw new FirmproofError(
        'approval-invalid',
        'the approval is for another product than the address of this request',
      );
  }

  function requireRootFor(root: TrustRoot, product: ProductId): void {
    const fits = root.product === product && root.chainId === registry.chainId && root.registry === registry.address;
    if (!fits)
      throw new FirmproofError('trust-root-mismatch', 'the trust root is for another product, chain or registry');
  }

  return {
    productRow,

    async register({
      sigstoreTrustedRoot,
      ...body
    }: Extract<RegistryRequest, { kind: 'register' }>['body']): Promise<Proposal> {
      const { message } = body;
      const product = productIdOf(registry.chainId, registry.address, message.publisher, message.name);
      const root = trustRootOfEnvelope(body.trustRoot);
      requireRootFor(root, product);
      if (bytes32OfDigest(root.digest) !== message.trustRoot) {
        throw new FirmproofError('trust-root-mismatch', 'the approval names another trust root than the one sent');
      }
      const before = lineageOf(body, root);
      const { publisher } = message;
      if (!isDevelopmentChain(registry.chainId) && !(await options.accounts.hasCode(publisher))) {
        throw new FirmproofError('publisher-unsuitable', `${publisher} is a single wallet`);
      }
      await trustRoots.requireComplete(root, sigstoreTrustedRoot);
      const request = { kind: 'register', body } as const;
      await requireAcceptable(request, publisher);
      const lineage = [...before, root];
      for (const [index, kept] of lineage.entries())
        await trustRoots.keep(kept, lineage[index - 1] ?? null, kept === root ? sigstoreTrustedRoot : undefined);
      return open(request, product, { publisher, approver: publisher });
    },

    /**
     * The parts that come before the image, checked before its first byte is read.
     * @throws FirmproofError with the code of what is wrong
     */
    async checkRelease(product: ProductId, parts: Pick<ReceivedRelease, 'attestation' | 'approval'>) {
      const row = await productRow(product);
      const approval = parseJson(parts.approval, publishApprovalSchema, {
        code: 'approval-malformed',
        maximumBytes: 65_536,
        what: 'the approval',
      });
      const { message } = approval;
      requireProduct(product, message);
      const attestation = parseAttestation(parts.attestation);
      const root = await trustRoots.byDigest(row.trust_root);
      // Devices have left: nobody would ever install it.
      if (root.product !== product) throw productMoved(root.product);
      await verifyAttestation(attestation, root, await trustRoots.keylessMeans(root));
      const { predicate } = attestation.statement;
      if (predicate.product !== product)
        throw new FirmproofError('statement-product', 'the statement is for another product');
      if (predicate.version !== message.version) {
        throw new FirmproofError(
          'statement-version',
          `the statement is for ${predicate.version}, the approval for ${message.version}`,
        );
      }
      if (bytes32OfDigest(subjectDigest(attestation.statement)) !== message.image) {
        throw new FirmproofError('statement-subject', 'the statement and the approval are about different images');
      }
      if (bytes32OfDigest(attestation.digest) !== message.attestation) {
        throw new FirmproofError('approval-invalid', 'the approval is for another attestation');
      }
      if (predicate.rollbackIndex !== message.rollbackIndex) {
        throw new FirmproofError(
          'statement-rollback-index',
          `${predicate.rollbackIndex} signed, ${message.rollbackIndex} approved`,
        );
      }
      await options.documents.requireNamed(product, predicate);
      return { row, approval, attestation };
    },

    /** All parts are here: the bytes must be the ones that the statement is about, and the registry must agree. */
    async checkImage(product: ProductId, received: ReceivedRelease): Promise<CheckedRelease> {
      const { row, approval, attestation } = await this.checkRelease(product, received);
      const { image } = received;
      const { predicate } = attestation.statement;
      if (image.digest !== digestOfBytes32(approval.message.image)) {
        throw new FirmproofError(
          'statement-subject',
          `the image has digest ${image.digest}, the statement is about another`,
        );
      }
      if (predicate.image.sizeBytes !== image.sizeBytes) {
        throw new FirmproofError(
          'statement-size',
          `the image has ${image.sizeBytes} bytes, ${predicate.image.sizeBytes} were signed`,
        );
      }
      if (predicate.image.cid !== image.cid) {
        throw new FirmproofError('statement-cid', `the image has CID ${image.cid}, ${predicate.image.cid} was signed`);
      }
      const request = { kind: 'publish', body: approval } as const;
      await requireAcceptable(request, row.publisher);
      return { request, publisher: row.publisher, predicate };
    },

    /** Opens the proposal of a release whose image is kept. */
    async publish(
      product: ProductId,
      { request, publisher }: CheckedRelease,
      image: ReceivedRelease['image'],
    ): Promise<Proposal> {
      const accounts = { publisher, approver: publisher };
      return open(request, product, accounts, { version: request.body.message.version, image });
    },

    async configure(
      product: ProductId,
      { sigstoreTrustedRoot, ...body }: Extract<RegistryRequest, { kind: 'configure' }>['body'],
    ): Promise<Proposal> {
      const row = await productRow(product);
      requireProduct(product, body.message);
      const current = await trustRoots.byDigest(row.trust_root);
      const named = digestOfBytes32(body.message.trustRoot);
      if (named !== current.digest) {
        if (!body.trustRoot)
          throw new FirmproofError('trust-root-mismatch', 'the document of the new trust root is missing');
        const next = walkTrustRoot(current, [body.trustRoot], named);
        // A root for another product id is a move: that place judges it, where the product is registered.
        if (next.product === product) requireRootFor(next, product);
        await trustRoots.requireComplete(next, sigstoreTrustedRoot);
        await requireAcceptable({ kind: 'configure', body }, row.publisher);
        await trustRoots.keep(next, current, sigstoreTrustedRoot);
      }
      return open({ kind: 'configure', body }, product, { publisher: row.publisher, approver: row.publisher });
    },

    /** Everything else is judged by the registry alone. */
    async other(product: ProductId, request: JudgedByTheRegistry): Promise<Proposal> {
      const row = await productRow(product);
      const { message } = request.body;
      requireProduct(product, message);
      if (request.kind === 'apply' && request.body.message.publisher !== row.publisher && !request.body.acceptance) {
        throw new FirmproofError('approval-invalid', 'the publisher changes, and the new one has not accepted it');
      }
      return open(
        request,
        product,
        { publisher: row.publisher, approver: approverOf(request, row) },
        {
          ...('version' in message && { version: message.version }),
          ...('channel' in message && { channel: message.channel }),
        },
      );
    },

    /** Vouches for devices, or revokes one. Approvers have to see the devices, so their list is here before. */
    async devices(product: ProductId, request: AnchorRequest): Promise<Proposal> {
      const { publisher } = await productRow(product);
      requireProduct(product, request.body.message);
      await options.anchor.requireUsable(request);
      if (request.kind === 'anchor-devices') await options.anchors.requireListed(product, request.body.message);
      return open(request, product, { publisher, approver: publisher });
    },

    /** Makes an account, or changes one: the account itself judges. */
    async account(request: AccountRequest): Promise<Proposal> {
      if (request.kind === 'create-account') {
        const { signers, threshold, passkeysAlone, recoverySigners, recoveryThreshold } = request.body.parameters;
        requireUsableSigners(signers, threshold, passkeysAlone);
        if (recoveryThreshold > 0 || recoverySigners.length > 0)
          requireUsableSigners(recoverySigners, recoveryThreshold, true);
        const { account } = request.body;
        return open(request, account, { publisher: account, approver: '' });
      }
      requireUsableChange(request);
      const { account } = request.body;
      return open(request, account, { publisher: account, approver: account });
    },

    /** Who may send proposals for a product: its publisher, its guardian, and who is to become its publisher. */
    async requireProposer(product: ProductId, owner: Address): Promise<void> {
      const row = await productRow(product);
      const next = row.pending_configuration && JSON.parse(row.pending_configuration).publisher;
      if (owner !== row.publisher && owner !== row.guardian && owner !== next)
        throw new FirmproofError(
          'token-scope',
          'the token is for neither the publisher nor the guardian of this product',
        );
    },
  };
}
