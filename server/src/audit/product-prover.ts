import {
  type Address,
  type BlockStatement,
  type Bytes32,
  type Channel,
  headSlots,
  type ProductId,
  pendingSlots,
  productSlots,
  releaseSlots,
  type Version,
} from '@firmproof/protocol';
import { type ProductProof, type ProvenProduct, productProofSchema, proveProduct } from '@firmproof/protocol/audit';
import { hexQuantity, type Rpc } from '@firmproof/protocol/node';

/** What is asked about besides the product itself; sorted and without repetitions. */
export type ProofQuery = { readonly releases: readonly Version[]; readonly channels: readonly Channel[] };

type Nodes = readonly string[];
type Answer = { readonly accountProof: Nodes; readonly storageProof: readonly { readonly proof: Nodes }[] };

/**
 * Takes the proofs of a product at one block, and checks them as an auditor would: what a node proves wrongly is not served.
 * @throws RpcRefusal where the node cannot prove at this block; FirmproofError as `proveProduct`
 */
export async function takeProductProof(
  options: { readonly rpc: Rpc; readonly registry: Address },
  product: ProductId,
  { releases, channels }: ProofQuery,
  block: BlockStatement,
): Promise<{ readonly proof: ProductProof; readonly proven: ProvenProduct }> {
  const { rpc, registry } = options;
  const slots: Bytes32[] = [];
  /** Reserves a slot; the answer comes in the order of the slots. */
  const wanted = (slot: Bytes32) => slots.push(slot) - 1;
  const { state, configuration, history, trustRoot } = productSlots(product);
  const { pending, pendingFrom } = pendingSlots(product);
  const ofProduct = Object.entries({ state, configuration, history, trustRoot, pending, pendingFrom }).map(
    ([name, slot]) => [name, wanted(slot)] as const,
  );
  const ofReleases = releases.map((version) => {
    const at = releaseSlots(product, version);
    return { version, commitment: wanted(at.commitment), state: wanted(at.state) };
  });
  const ofChannels = channels.map((channel) => {
    const at = headSlots(product, channel);
    return { channel, version: wanted(at.version), schedule: wanted(at.schedule) };
  });
  const answer = await rpc<Answer>('eth_getProof', [registry, slots, hexQuantity(block.number)]);
  const proofOf = (index: number) => answer.storageProof[index]?.proof ?? [];
  const proof = productProofSchema.parse({
    proofVersion: 1,
    block,
    cosignatures: [],
    accountProof: answer.accountProof,
    product: Object.fromEntries(ofProduct.map(([name, index]) => [name, proofOf(index)])),
    releases: ofReleases.map(({ version, ...at }) => ({
      version,
      commitment: proofOf(at.commitment),
      state: proofOf(at.state),
    })),
    channels: ofChannels.map(({ channel, ...at }) => ({
      channel,
      version: proofOf(at.version),
      schedule: proofOf(at.schedule),
    })),
  });
  return { proof, proven: await proveProduct(proof, { chainId: block.chainId, registry, product }) };
}
