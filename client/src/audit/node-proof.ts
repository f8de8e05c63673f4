import {
  type BlockStatement,
  type Channel,
  FirmproofError,
  headSlots,
  isFirmproofError,
  pendingSlots,
  productSlots,
  releaseSlots,
  type Version,
} from '@firmproof/protocol';
import {
  type Finding,
  type ProductPlace,
  type ProductProof,
  type ProvenProduct,
  productProofSchema,
  proveProduct,
} from '@firmproof/protocol/audit';
import { hexQuantity, RpcRefusal } from '@firmproof/protocol/node';
import { z } from 'zod';
import type { RpcNode } from './rpc-node.ts';
import type { AgreedBlock } from './rpc-quorum.ts';

const answerSchema = z.object({
  accountProof: z.array(z.string()),
  storageProof: z.array(z.object({ proof: z.array(z.string()) })),
});

export type NodeProof = {
  readonly proof: ProductProof;
  readonly proven: ProvenProduct;
  readonly findings: readonly Finding[];
};
export type ProofOf = { readonly releases: readonly Version[]; readonly channels: readonly Channel[] };

/** Where there are other nodes, one that does not answer is soon left. */
const triesOfMany = 3;

/**
 * The storage of a product at the agreed block, proved against its state root. One node suffices, whoever it is: a false proof is
 * found out, and the next one asked (A19).
 * @throws FirmproofError `account-proof-invalid`, `storage-proof-invalid`, `registry-absent`, `product-unknown`,
 * `chain-unsuitable`, `chain-unreachable`: what the last node has brought
 */
export async function proveFromNodes(
  { block, nodes }: Pick<AgreedBlock, 'block' | 'nodes'>,
  place: ProductPlace,
  of: ProofOf = { releases: [], channels: [] },
): Promise<NodeProof> {
  const findings: Finding[] = [];
  let failure: unknown;
  for (const node of nodes) {
    try {
      const proof = await readProof(node, block, place, of, nodes.length > 1 ? triesOfMany : undefined);
      return { proof, proven: await proveProduct(proof, place), findings };
    } catch (error) {
      const told = isFirmproofError(error) ? error : unsuitable(node, error);
      failure = told;
      if (told.code.endsWith('proof-invalid')) {
        const message = `${node.label} gives a false proof: ${told.message}`;
        findings.push({ code: 'nodes-disagree', severity: 'bad', message });
      }
    }
  }
  throw failure;
}

function unsuitable(node: RpcNode, error: unknown) {
  if (!(error instanceof RpcRefusal || error instanceof z.ZodError)) throw error;
  const why = error instanceof RpcRefusal ? error.message : 'the answer is malformed';
  return new FirmproofError('chain-unsuitable', `${node.label} gives no storage proof: ${why}`, {
    hint: 'eth_getProof at a final block is needed: take another node or provider.',
  });
}

async function readProof(
  node: RpcNode,
  block: BlockStatement,
  place: ProductPlace,
  of: ProofOf,
  tries: number | undefined,
): Promise<ProductProof> {
  const { registry, product } = place;
  const { state, configuration, history, trustRoot } = productSlots(product);
  const { pending, pendingFrom } = pendingSlots(product);
  const releases = of.releases.map((version) => ({ version, slots: releaseSlots(product, version) }));
  const channels = of.channels.map((channel) => ({ channel, slots: headSlots(product, channel) }));
  const keys = [
    ...[state, configuration, history, trustRoot, pending, pendingFrom],
    ...releases.flatMap(({ slots }) => [slots.commitment, slots.state]),
    ...channels.flatMap(({ slots }) => [slots.version, slots.schedule]),
  ];
  const answer = answerSchema.parse(
    await node.call('eth_getProof', [registry, keys, hexQuantity(block.number)], tries),
  );
  const proofs = new Map(keys.map((key, index) => [key, answer.storageProof[index]?.proof ?? []]));
  const at = (slot: string) => proofs.get(slot as (typeof keys)[number]) ?? [];
  return productProofSchema.parse({
    proofVersion: 1,
    block,
    cosignatures: [],
    accountProof: answer.accountProof,
    product: {
      state: at(state),
      configuration: at(configuration),
      history: at(history),
      trustRoot: at(trustRoot),
      pending: at(pending),
      pendingFrom: at(pendingFrom),
    },
    releases: releases.map(({ version, slots }) => ({
      version,
      commitment: at(slots.commitment),
      state: at(slots.state),
    })),
    channels: channels.map(({ channel, slots }) => ({
      channel,
      version: at(slots.version),
      schedule: at(slots.schedule),
    })),
  });
}
