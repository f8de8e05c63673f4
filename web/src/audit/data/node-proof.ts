import {
  type BlockStatement,
  FirmproofError,
  pendingSlots,
  productSlots,
  releaseSlots,
  type Version,
} from '@firmproof/protocol';
import { type ProductPlace, type ProductProof, type ProvenProduct, proveProduct } from '@firmproof/protocol/audit';
import { type Problem, problemOf } from './problem.ts';
import type { NodeProof, RpcNode } from './rpc-node.ts';

/** A node's own proof of a product at a block, in the form that a server's has, so that the same code checks both. */
async function proofFromNode(
  node: RpcNode,
  place: ProductPlace,
  block: BlockStatement,
  versions: readonly Version[],
): Promise<ProductProof> {
  const { registry, product } = place;
  const { state, configuration, history, trustRoot } = productSlots(product);
  const { pending, pendingFrom } = pendingSlots(product);
  const own = [state, configuration, history, trustRoot, pending, pendingFrom];
  const ofReleases = versions.map((version) => releaseSlots(product, version));
  const slots = [...own, ...ofReleases.flatMap((release) => [release.commitment, release.state])];
  const { accountProof, storageProof } = await node.proof(registry, slots, block.number);
  const proofs = readerOf(storageProof, node, slots.length);
  return {
    proofVersion: 1,
    block,
    cosignatures: [],
    accountProof,
    product: {
      state: proofs(),
      configuration: proofs(),
      history: proofs(),
      trustRoot: proofs(),
      pending: proofs(),
      pendingFrom: proofs(),
    },
    releases: versions.map((version) => ({ version, commitment: proofs(), state: proofs() })),
    channels: [],
    trustRoots: [],
  };
}

/** Proofs come in the order in which the slots were asked for; that they are for those slots is checked as they are verified. */
function readerOf(storageProof: NodeProof['storageProof'], node: RpcNode, expected: number): () => string[] {
  if (storageProof.length !== expected)
    throw new FirmproofError('chain-unreachable', `${node.host} gives ${storageProof.length} proofs, not ${expected}`);
  let at = 0;
  return () => {
    const proof = storageProof[at]?.proof ?? [];
    at += 1;
    return proof;
  };
}

type Found = { readonly proven: ProvenProduct; readonly proof: ProductProof };

/**
 * The product at a block that the nodes agree on, proven by the first of them that can. A false proof is somebody found out; a
 * node that has pruned the block's state is not.
 */
export async function proveFromNodes(
  nodes: readonly RpcNode[],
  place: ProductPlace,
  block: BlockStatement,
  versions: readonly Version[],
): Promise<{ readonly found: Found | null; readonly problems: readonly Problem[] }> {
  const problems: Problem[] = [];
  for (const node of nodes) {
    let proof: ProductProof;
    try {
      proof = await proofFromNode(node, place, block, versions);
    } catch (error) {
      problems.push(problemOf('warn', 'An RPC node', error));
      continue;
    }
    try {
      return { found: { proven: await proveProduct(proof, place), proof }, problems };
    } catch (error) {
      problems.push(problemOf('bad', `The proof that ${node.host} gives`, error));
    }
  }
  return { found: null, problems };
}
