import { FirmproofError, isFirmproofError, productIdSchema } from '@firmproof/protocol';
import { RpcRefusal } from '@firmproof/protocol/node';
import type { Registry, RegistryRequest } from '../chain/registry.ts';
import type { Relayer } from '../chain/relayer.ts';
import type { ProposalStore, StoredProposal } from './proposal-store.ts';

export type ProposalWorker = ReturnType<typeof createProposalWorker>;

/** How often a transaction that is in no block is handed to the network again, in passes of the worker. */
const passesBeforeSendingAgain = 5;

/**
 * Carries proposals from received to confirmed. Each pass looks at what the database and the chain say *now*, so a pass
 * after a crash, a reorganisation or somebody else's relaying is a pass like any other.
 */
export function createProposalWorker(options: {
  readonly store: ProposalStore;
  readonly registry: Registry;
  readonly relayer: Relayer;
}) {
  const { store, registry, relayer } = options;
  const waits = new Map<string, number>();

  async function advance(row: StoredProposal, finalBlock: number): Promise<void> {
    const request = { kind: row.kind, body: JSON.parse(row.request) } as RegistryRequest;
    switch (row.state) {
      case 'received':
        // Intake opens a proposal only once all that it brought is safe on disk.
        return store.move(row, 'stored');
      case 'stored':
        return store.move(row, 'approving');
      case 'approving':
        return approve(row, request);
      case 'submitted':
        return confirm(row, request, finalBlock);
    }
  }

  /** Everything that approves it is here for a single signature; the registry itself judges it before gas is spent. */
  async function approve(row: StoredProposal, request: RegistryRequest): Promise<void> {
    if (await registry.shows(request, productIdSchema.parse(row.product), 'latest'))
      return store.move(row, 'submitted');
    await registry.simulate(request, relayer.address);
    const transaction = await relayer.sign(registry.address, registry.encode(request));
    // Stored before it is sent: after a crash the same transaction goes out again, never a second one.
    await store.move(row, 'submitted', { transaction });
    await relayer.send(transaction);
  }

  async function confirm(row: StoredProposal, request: RegistryRequest, finalBlock: number): Promise<void> {
    const product = productIdSchema.parse(row.product);
    const receipt = row.transaction_hash === null ? null : await relayer.receipt(row.transaction_hash);
    const ownIsFinal = receipt?.succeeded === true && receipt.block <= finalBlock;
    if (ownIsFinal || (await registry.shows(request, product, finalBlock))) {
      waits.delete(row.id);
      return store.move(row, 'confirmed');
    }
    if (receipt?.succeeded === true || (await registry.shows(request, product, 'latest'))) return;
    // Mined and refused, or made by a relayer that never signed: the registry says why when it is asked again.
    if (receipt !== null || row.raw_transaction === null) return startOver(row);
    const passes = (waits.get(row.id) ?? 0) + 1;
    waits.set(row.id, passes);
    if (passes % passesBeforeSendingAgain === 0) await sendAgain(row, row.raw_transaction);
  }

  async function sendAgain(row: StoredProposal, raw: string): Promise<void> {
    try {
      await relayer.send({ raw });
    } catch (error) {
      if (!(error instanceof RpcRefusal)) throw error;
      // Its nonce is used up: it can never be mined, so a new one is made.
      await startOver(row);
    }
  }

  async function startOver(row: StoredProposal): Promise<void> {
    waits.delete(row.id);
    await store.move(row, 'approving', { transaction: null });
  }

  return {
    /**
     * One pass over everything unfinished, each product's proposals in the order in which they came. A proposal that waits
     * or fails never holds up those of other products.
     */
    async pass(finalBlock: number): Promise<void> {
      const busy = new Set<string>();
      for (const row of await store.unfinished()) {
        const builds = busy.has(row.product);
        await advance(row, finalBlock).catch((error) => judge(row, asFailure(error), builds));
        busy.add(row.product);
      }
    },
  };

  /** `builds`: an earlier proposal of the same product is under way, so a refusal may only mean "not yet". */
  async function judge(row: StoredProposal, failure: FirmproofError, builds: boolean): Promise<void> {
    const reason = { code: failure.code, message: failure.message };
    if (waitingCodes.includes(failure.code) || (builds && failure.code !== 'approval-expired')) {
      return store.move(row, row.state as 'approving', { reason });
    }
    return store.move(row, failure.code === 'approval-expired' ? 'expired' : 'rejected', { reason });
  }
}

const waitingCodes: readonly string[] = ['chain-unreachable', 'relayer-out-of-gas', 'storage-full', 'internal'];

/** A node that refuses to answer says nothing about the proposal: only the registry, when simulated, does. */
function asFailure(error: unknown): FirmproofError {
  if (isFirmproofError(error)) return error;
  return error instanceof RpcRefusal
    ? new FirmproofError('chain-unreachable', `the RPC node refuses: ${error.message}`, { cause: error })
    : new FirmproofError('internal', String(error), { cause: error });
}
