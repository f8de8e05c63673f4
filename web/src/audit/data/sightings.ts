import { isFirmproofError, type TrustRoot, type Version } from '@firmproof/protocol';
import {
  type ProductPlace,
  type ProductProof,
  type ProvenProduct,
  proveProduct,
  vouchedByWitnesses,
} from '@firmproof/protocol/audit';
import { plural } from '../parts/words.ts';
import type { AuditSettings } from '../settings/settings.ts';
import type { Carrier } from './carrier.ts';
import { agreeOnBlock } from './node-agreement.ts';
import { proveFromNodes } from './node-proof.ts';
import { bad, type Problem, problemOf, warn } from './problem.ts';
import { RpcNode } from './rpc-node.ts';

/** Who vouches for a block: enough of those whom the visitor chose to believe. */
export type Voucher =
  | { readonly kind: 'witnesses'; readonly names: readonly string[]; readonly quorum: number; readonly of: number }
  | { readonly kind: 'nodes'; readonly names: readonly string[]; readonly quorum: number; readonly of: number };

/** The product as storage proves it under one block. */
export type Sighting = {
  readonly proven: ProvenProduct;
  /** The document that it was proven from. */
  readonly proof: ProductProof;
  /** Empty where nobody whom the visitor believes vouches for the block. */
  readonly vouchers: readonly Voucher[];
};

export type Sightings = {
  readonly list: readonly Sighting[];
  /** The server's own document, for what it carries besides. */
  readonly proof: ProductProof | null;
  /** How many of the visitor's RPC nodes answer for the chain; null where there are none. */
  readonly answeringNodes: number | null;
  readonly problems: readonly Problem[];
};

type Trust = {
  readonly trustRoot: TrustRoot | undefined;
  readonly settings: Pick<AuditSettings, 'rpcUrls' | 'rpcQuorum'>;
};

const dayInSeconds = 86_400;

/**
 * Proofs of a product, and of some of its releases: the server's, under a block that witnesses or nodes vouch for, and the
 * nodes' own. All that the visitor has set up is asked, and has to agree.
 */
export async function gatherSightings(
  place: ProductPlace,
  versions: readonly Version[],
  { trustRoot, settings }: Trust,
  carrier: Carrier,
): Promise<Sightings> {
  const [carried, seen] = await Promise.all([
    carriedProof(place, versions, carrier),
    settings.rpcUrls.length > 0 ? sightingOfNodes(place, versions, settings) : null,
  ]);
  const problems = [...carried.problems, ...(seen?.problems ?? [])];
  const list: Sighting[] = [];
  if (carried.proof && carried.proven) {
    const vouchers = [
      ...witnessVoucher(carried.proof, trustRoot, problems),
      ...(seen ? await nodeVoucher(carried.proof, seen, problems) : []),
    ];
    list.push({ proven: carried.proven, proof: carried.proof, vouchers });
  }
  if (seen?.sighting) list.push(seen.sighting);
  for (const { vouchers, proven } of list) if (vouchers.length > 0) problems.push(...staleness(proven, trustRoot));
  return { list, proof: carried.proof, answeringNodes: seen?.answering ?? null, problems };
}

async function carriedProof(place: ProductPlace, versions: readonly Version[], carrier: Carrier) {
  let proof: ProductProof;
  try {
    proof = await carrier.proof(place.product, versions);
  } catch (error) {
    // What is malformed was made so; what does not come may come later.
    const severity = isFirmproofError(error) && error.code === 'product-proof-malformed' ? 'bad' : 'warn';
    return { proof: null, proven: null, problems: [problemOf(severity, 'The server gives no proof', error)] };
  }
  try {
    return { proof, proven: await proveProduct(proof, place), problems: [] };
  } catch (error) {
    return { proof: null, proven: null, problems: [problemOf('bad', "The server's proof is false", error)] };
  }
}

function witnessVoucher({ block, cosignatures }: ProductProof, root: TrustRoot | undefined, problems: Problem[]) {
  if (root === undefined) return [];
  const { operators, quorum, reached } = vouchedByWitnesses(block, cosignatures, root);
  const of = new Set(root.witnesses.members.map(({ operator }) => operator)).size;
  if (reached) return [{ kind: 'witnesses', names: operators, quorum, of } as const];
  const text = `${operators.length} of ${quorum} needed witnesses of your trust root vouch for the server's block ${block.number}.`;
  problems.push(warn('no-quorum', text));
  return [];
}

type SeenByNodes = {
  readonly sighting: Sighting | null;
  readonly agreeing: readonly RpcNode[];
  readonly answering: number;
  readonly settings: Trust['settings'];
  readonly problems: readonly Problem[];
};

async function sightingOfNodes(
  place: ProductPlace,
  versions: readonly Version[],
  settings: Trust['settings'],
): Promise<SeenByNodes> {
  const { rpcUrls, rpcQuorum } = settings;
  const { block, agreeing, answering, problems } = await agreeOnBlock(
    rpcUrls.map((url) => new RpcNode(url)),
    rpcQuorum,
    place.chainId,
  );
  if (block === null) return { sighting: null, agreeing, answering, settings, problems };
  const proved = await proveFromNodes(agreeing, place, block, versions);
  const { found } = proved;
  return {
    sighting: found && { ...found, vouchers: [voucherOf(agreeing, settings)] },
    agreeing,
    answering,
    settings,
    problems: [...problems, ...proved.problems],
  };
}

const voucherOf = (nodes: readonly RpcNode[], { rpcUrls, rpcQuorum }: Trust['settings']) =>
  ({ kind: 'nodes', names: nodes.map(({ host }) => host), quorum: rpcQuorum, of: rpcUrls.length }) as const;

/** Whether the nodes know the block that the server's proof is under: then they vouch for it, and nodes without proofs are enough. */
async function nodeVoucher({ block }: ProductProof, seen: SeenByNodes, problems: Problem[]) {
  const asked = await Promise.allSettled(seen.agreeing.map((node) => node.block(block.number)));
  const same = seen.agreeing.filter((_, index) => {
    const answer = asked[index];
    return (
      answer?.status === 'fulfilled' && answer.value.hash === block.hash && answer.value.stateRoot === block.stateRoot
    );
  });
  if (same.length >= seen.settings.rpcQuorum) return [voucherOf(same, seen.settings)];
  const others = asked.filter((answer) => answer.status === 'fulfilled').length - same.length;
  if (others > 0) {
    const text = `The server's proof is under a block ${block.number} that ${others === 1 ? 'an RPC node does' : 'your RPC nodes do'} not know by that hash.`;
    problems.push(bad('nodes-disagree', text));
  }
  return [];
}

/** A genuine block that is old can hide what came after it. */
function staleness({ block }: ProvenProduct, root: TrustRoot | undefined): Problem[] {
  const allowed = Math.min(root?.maxAgeSeconds ?? dayInSeconds, dayInSeconds);
  const age = Math.floor(Date.now() / 1000) - block.timestamp;
  if (age <= allowed) return [];
  const days = Math.floor(age / dayInSeconds);
  return [
    warn(
      'chain-stalled',
      `The proven block ${block.number} is ${days === 1 ? 'a day' : `${days} days`} old: newer entries may be withheld.`,
    ),
  ];
}

/** "2 of 3 witnesses vouch for that block: alpha, beta." */
export function voucherInWords({ kind, names, of }: Voucher): string {
  const what = kind === 'witnesses' ? plural(of, 'witness', 'witnesses') : plural(of, 'RPC node');
  return `${names.length} of ${what} ${of === 1 ? 'vouches' : 'vouch'} for it: ${names.join(', ')}.`;
}
