import { type Address, isFirmproofError } from '@firmproof/protocol';
import { accountEventTopics, type RpcLog, type SignerSet, signerSetsOf } from '@firmproof/protocol/audit';
import { hexQuantity, RpcRefusal } from '@firmproof/protocol/node';
import { readLogs } from './block-entries.ts';
import type { RpcNode } from './rpc-node.ts';

/** A provider that allows small ranges only is not asked for ever. */
const maximumRequests = 64;
const tries = 2;

/**
 * Which signers an account has had. Nothing chains the events of an account, so that they have to be searched for: where no node
 * allows that, it stays unknown. What comes back is the word of a node; who has signed is proved without it.
 */
export class SignerSets {
  readonly #nodes: readonly RpcNode[];
  readonly #lastBlock: number;
  readonly #known = new Map<Address, Promise<readonly SignerSet[]>>();

  constructor(nodes: readonly RpcNode[], lastBlock: number) {
    this.#nodes = nodes;
    this.#lastBlock = lastBlock;
  }

  /** The set at an epoch; null where nobody says. */
  async at(account: Address, epoch: number): Promise<SignerSet | null> {
    const known = this.#known.get(account) ?? this.#search(account);
    this.#known.set(account, known);
    return (await known).find((set) => set.epoch === epoch) ?? null;
  }

  async #search(account: Address): Promise<readonly SignerSet[]> {
    for (const node of this.#nodes) {
      try {
        const sets = signerSetsOf(await this.#logs(node, account), account);
        if (sets.length > 0) return sets;
      } catch (error) {
        if (!(error instanceof RpcRefusal || isFirmproofError(error))) throw error;
      }
    }
    return [];
  }

  /** The whole chain at once, or in halves of what the node refuses. */
  async #logs(node: RpcNode, address: Address): Promise<readonly RpcLog[]> {
    const topics = [accountEventTopics['signers-set']];
    const found: RpcLog[] = [];
    const ranges: [number, number][] = [[0, this.#lastBlock]];
    for (let requests = 0; ; requests += 1) {
      const range = ranges.pop();
      if (range === undefined) return found;
      const [from, to] = range;
      try {
        const filter = { address, topics, fromBlock: hexQuantity(from), toBlock: hexQuantity(to) };
        found.push(...readLogs(await node.call('eth_getLogs', [filter], tries)));
      } catch (error) {
        if (!(error instanceof RpcRefusal) || requests >= maximumRequests || from === to) throw error;
        const middle = Math.floor((from + to) / 2);
        ranges.push([from, middle], [middle + 1, to]);
      }
    }
  }
}
