import { setTimeout as pause } from 'node:timers/promises';
import {
  type Address,
  blockStatementSchema,
  FirmproofError,
  isDeviceCode,
  isFirmproofError,
  maximumTrustRootsInEvidence,
  type ProductId,
  type Sha256Digest,
  sha256,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import { type Rpc, RpcRefusal, readBlock } from '@firmproof/protocol/node';
import { indexedPosition } from '../chain/indexer.ts';
import type { Database } from '../database/database.ts';
import type { TrustRoots } from '../proposals/trust-roots.ts';
import { BoundedCache } from './bounded-cache.ts';
import type { Cosignatures } from './cosignatures.ts';
import { type ProofQuery, takeProductProof } from './product-prover.ts';

const cachedCharacters = 32 * 1024 * 1024;
/** A proof that a witness has not vouched for yet is made again after a while. */
const incompleteSeconds = 30;
/** However many ask, the node has so many proofs to make at a time. */
const atOnce = 2;
const mayWait = 32;
const attempts = 25;
const pauseMilliseconds = 200;

export type ServedProof = { readonly etag: string; readonly document: string };
export type ProductProofs = ReturnType<typeof createProductProofs>;

const notReady = (why: string, cause?: unknown) => new FirmproofError('evidence-not-ready', why, { cause });

/**
 * Proofs of products for auditors, at the final block that the index has come to. Each is taken once a block and question, and few
 * at a time: strangers cannot make the node work.
 */
export function createProductProofs(options: {
  readonly database: Database;
  readonly rpc: Rpc;
  readonly chainId: number;
  readonly registry: Address;
  readonly trustRoots: TrustRoots;
  readonly cosignatures: Cosignatures;
  /** The node's proofs do not hold. */
  readonly onUnproven: (error: FirmproofError) => void;
  readonly nowSeconds: () => number;
}) {
  const { database, rpc, chainId, trustRoots, nowSeconds } = options;
  const cache = new BoundedCache(cachedCharacters);
  const underWay = new Map<string, Promise<string>>();
  const turns = createTurns();
  let waiting = false;

  async function position(): Promise<{ readonly number: number; readonly hash: string }> {
    const at = await indexedPosition(database);
    if (at === null) throw notReady('no block of the chain is final yet');
    return at;
  }

  async function make(product: ProductId, query: ProofQuery): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      const at = await position();
      try {
        const text = await makeAt(product, query, at);
        waiting = false;
        return text;
      } catch (error) {
        if (isFirmproofError(error) && isDeviceCode(error.code)) {
          options.onUnproven(error);
          throw notReady('the RPC node gives proofs that do not hold', error);
        }
        if (!(error instanceof RpcRefusal)) throw error;
        if (attempt === attempts) throw notReady('the RPC node cannot prove its final block', error);
        // An embedded chain that was started again proves nothing before its head of then: it needs a block or two.
        waiting = true;
        await pause(pauseMilliseconds);
      }
    }
  }

  async function makeAt(product: ProductId, query: ProofQuery, at: { number: number; hash: string }): Promise<string> {
    const { number, hash } = at;
    const found = await readBlock(rpc, number);
    if (found?.hash !== hash) throw notReady('the chain has changed: it is read again');
    const { stateRoot, timestamp } = found;
    const block = blockStatementSchema.parse({ chainId, number, hash, stateRoot, timestamp: Number(timestamp) });
    const { proof, proven } = await takeProductProof(options, product, query, block);
    const vouching = await options.cosignatures.of(block);
    const text = JSON.stringify({
      ...proof,
      cosignatures: vouching.list,
      ...(await trustRootsFor(proven.trustRoot)),
    });
    const until = vouching.complete ? undefined : nowSeconds() + incompleteSeconds;
    cache.set(keyOf(hash, product, query), text, until);
    return text;
  }

  /** With them who holds an older root can walk to the one that the chain names. */
  async function trustRootsFor(named: Sha256Digest) {
    const chain = await trustRoots.chainTo(named);
    const newest = chain.at(-1);
    if (newest === undefined) return { trustRoots: [] };
    const root = trustRootOfEnvelope(JSON.parse(newest.envelope));
    const sigstoreTrustedRoot = await trustRoots.sigstoreRootOf(root);
    return {
      trustRoots: chain.slice(-maximumTrustRootsInEvidence).map(({ envelope }) => JSON.parse(envelope) as unknown),
      ...(sigstoreTrustedRoot !== undefined && { sigstoreTrustedRoot }),
    };
  }

  return {
    /** @throws FirmproofError `evidence-not-ready`, `chain-unreachable` */
    async proofOf(product: ProductId, query: ProofQuery): Promise<ServedProof> {
      const { hash } = await position();
      const key = keyOf(hash, product, query);
      const cached = cache.get(key, nowSeconds());
      const made = cached ?? underWay.get(key) ?? turns(() => make(product, query));
      if (typeof made === 'string') return served(made);
      underWay.set(key, made);
      try {
        return served(await made);
      } finally {
        underWay.delete(key);
      }
    },

    /** Whether a proof waits for a block that the node can prove. */
    isWaiting: (): boolean => waiting,
  };
}

const keyOf = (hash: string, product: ProductId, { releases, channels }: ProofQuery) =>
  [hash, product, releases.join(','), channels.join(',')].join('/');

const served = (document: string): ServedProof => ({
  etag: sha256(new TextEncoder().encode(document)).slice(0, 32),
  document,
});

/** Lets few work at a time and some wait for their turn; who comes then is told to come again. */
function createTurns() {
  let working = 0;
  const queue: (() => void)[] = [];
  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (queue.length >= mayWait) throw notReady('too many proofs are asked for at once');
    if (working >= atOnce) await new Promise<void>((resolve) => queue.push(resolve));
    else working += 1;
    try {
      return await work();
    } finally {
      // Whoever is next takes over the place.
      const next = queue.shift();
      if (next === undefined) working -= 1;
      else next();
    }
  };
}
