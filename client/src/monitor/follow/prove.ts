import { type Channel, FirmproofError, headSlots, isFirmproofError, pendingSlots, productSlots } from '@firmproof/protocol';
import {
  maximumProvenOfEach,
  type ProductPlace,
  productProofSchema,
  type ProvenProduct,
  proveProduct,
} from '@firmproof/protocol/audit';
import { hexQuantity, RpcRefusal } from '@firmproof/protocol/node';
import { z } from 'zod';
import type { RpcNode } from '../../audit/rpc-node.ts';
import type { AgreedBlock } from '../../audit/rpc-quorum.ts';
import type { Condition } from '../conditions.ts';

const nodesSchema = z.array(z.string().max(4096)).max(256);
const answerSchema = z.object({
  accountProof: nodesSchema,
  storageProof: z.array(z.object({ proof: nodesSchema })).max(64),
});

/**
 * What storage holds of the product at the agreed block. Whichever node gives the proof is not believed: the next one is asked
 * where it does not fit the block.
 * @throws FirmproofError the first refusal, where no node gives a proof that holds
 */
export async function proveThroughNodes(
  { nodes, block }: Pick<AgreedBlock, 'nodes' | 'block'>,
  place: ProductPlace,
  channels: readonly Channel[],
): Promise<{ readonly proven: ProvenProduct; readonly conditions: readonly Condition[] }> {
  const conditions: Condition[] = [];
  let first: unknown;
  for (const node of nodes) {
    try {
      return { proven: await proveThrough(node, block, place, channels.slice(0, maximumProvenOfEach)), conditions };
    } catch (error) {
      // That the product is not there is proven too.
      if (isFirmproofError(error) && error.code === 'product-unknown') throw error;
      if (!isFirmproofError(error) && !(error instanceof RpcRefusal)) throw error;
      first ??= error;
      if (isFirmproofError(error) && error.code !== 'chain-unreachable') {
        conditions.push({
          code: 'nodes-disagree',
          severity: 'bad',
          subject: `proof ${node.label}`,
          message: `${node.label} gives a proof that does not fit the agreed block: ${error.message} [${error.code}]`,
          patienceSeconds: 0,
        });
      }
    }
  }
  throw isFirmproofError(first) ? first : new FirmproofError('chain-unsuitable', 'no node gives a proof of the block');
}

async function proveThrough(
  node: RpcNode,
  block: AgreedBlock['block'],
  place: ProductPlace,
  channels: readonly Channel[],
): Promise<ProvenProduct> {
  const { product, registry } = place;
  const slots = { ...productSlots(product), ...pendingSlots(product) };
  const heads = channels.map((channel) => ({ channel, slots: headSlots(product, channel) }));
  const wanted = [
    ...[slots.state, slots.configuration, slots.history, slots.trustRoot, slots.pending, slots.pendingFrom],
    ...heads.flatMap((head) => [head.slots.version, head.slots.schedule]),
  ];
  const answer = answerSchema.safeParse(
    await node.call('eth_getProof', [registry, wanted, hexQuantity(block.number)]),
  );
  if (!answer.success) throw new FirmproofError('storage-proof-invalid', `${node.label} gives no proof`);
  const { accountProof, storageProof } = answer.data;
  const proofOf = (index: number) => storageProof[index]?.proof ?? [];
  const proof = productProofSchema.safeParse({
    proofVersion: 1,
    block,
    cosignatures: [],
    accountProof,
    product: {
      state: proofOf(0),
      configuration: proofOf(1),
      history: proofOf(2),
      trustRoot: proofOf(3),
      pending: proofOf(4),
      pendingFrom: proofOf(5),
    },
    releases: [],
    channels: heads.map(({ channel }, index) => ({
      channel,
      version: proofOf(6 + 2 * index),
      schedule: proofOf(7 + 2 * index),
    })),
  });
  if (!proof.success) throw new FirmproofError('storage-proof-invalid', `${node.label} gives a malformed proof`);
  return proveProduct(proof.data, place);
}
