import { type Address, FirmproofError, isFirmproofError, type ProductId } from '@firmproof/protocol';
import { decodeEntry, type Entry, entryOfLog, type Finding, type RpcLog } from '@firmproof/protocol/audit';
import { hexQuantity, RpcRefusal } from '@firmproof/protocol/node';
import { z } from 'zod';
import type { RpcCall, RpcNode } from './rpc-node.ts';

const text = z.string().max(200_000);
const logsSchema = z
  .array(
    z.object({
      address: text,
      topics: z.array(text).max(4),
      data: text,
      blockNumber: text.nullable(),
      blockHash: text.nullable(),
      transactionHash: text.nullable(),
      removed: z.boolean().optional(),
    }),
  )
  .max(100_000);
const headerSchema = z.object({ number: text, hash: text });

/** The entries of one block up to a known one, oldest first, without a gap between them. */
export type BlockEntries = { readonly entries: readonly Entry[]; readonly previousBlock: number };

type Refused = { readonly why: string; readonly isLie: boolean };
type LogsForm = 'range' | 'hash';

/**
 * Reads the entries of single blocks from nodes, each of which may leave out or change what it likes. What one node leaves out, another
 * is asked for; whatever is no event of this product, this registry and this block is ignored (A21).
 */
export class BlockReader {
  readonly findings: Finding[] = [];
  readonly #nodes: readonly RpcNode[];
  readonly #quorum: number;
  readonly #place: { readonly registry: Address; readonly product: ProductId };
  readonly #forms = new Map<RpcNode, LogsForm>();
  /** Nodes that were caught, so that each is told of once and asked last. */
  readonly #caught = new Set<RpcNode>();

  constructor(
    nodes: readonly RpcNode[],
    quorum: number,
    place: { readonly registry: Address; readonly product: ProductId },
  ) {
    this.#nodes = nodes;
    this.#quorum = quorum;
    this.#place = place;
  }

  /** Nodes that do not answer, for the time being. */
  readonly #silent = new Set<RpcNode>();

  /** So that the history is read from another node next time. */
  distrust(node: RpcNode): void {
    this.#caught.add(node);
  }

  /** Nobody was to blame. */
  trustAll(): void {
    this.#caught.clear();
  }

  /** Who is asked first. */
  get preferred(): RpcNode | undefined {
    return this.#inTurn()[0];
  }

  #inTurn(): readonly RpcNode[] {
    const rank = (node: RpcNode) => (this.#caught.has(node) ? 2 : 0) + (this.#silent.has(node) ? 1 : 0);
    return this.#nodes.toSorted((one, other) => rank(one) - rank(other));
  }

  /**
   * @param last the sequence of the newest entry that the block must hold
   * @throws FirmproofError `history-incomplete` (details: sequence, block) when no node has it, though a quorum answers;
   * `no-quorum` or `chain-unreachable` when too few answer
   */
  async read(block: number, last: number): Promise<BlockEntries> {
    const reasons: string[] = [];
    let answered = 0;
    let unreachable: unknown;
    for (const node of this.#inTurn()) {
      try {
        const found = await this.#readFrom(node, block, last);
        if ('entries' in found) {
          for (const caught of reasons.splice(0)) this.#tell(caught, last);
          return found;
        }
        answered += 1;
        reasons.push(`${node.label} ${found.why}`);
        if (found.isLie) this.#caught.add(node);
      } catch (error) {
        if (!(isFirmproofError(error) || error instanceof RpcRefusal)) throw error;
        unreachable ??= error;
        this.#silent.add(node);
      }
    }
    if (answered === 0 && this.#nodes.length === 1) throw asUnreachable(unreachable, this.#nodes);
    if (answered < this.#quorum) {
      throw new FirmproofError(
        'no-quorum',
        `only ${answered} of ${this.#nodes.length} nodes answer for block ${block}`,
        {
          hint: 'Run the same command again: it goes on where it was.',
        },
      );
    }
    throw new FirmproofError(
      'history-incomplete',
      `first difference at event ${last}, in or before block ${block}: ${reasons.join('; ')}`,
      { details: { sequence: last, block } },
    );
  }

  #tell(message: string, sequence: number): void {
    if (this.findings.length >= 100) return;
    this.findings.push({ code: 'nodes-disagree', severity: 'warn', sequence, message: message.slice(0, 500) });
  }

  async #readFrom(node: RpcNode, block: number, last: number): Promise<BlockEntries | Refused> {
    const [logs, hash] = await this.#ask(node, block);
    const entries = logs
      .map((log) => entryOfLog(log, this.#place))
      .filter((entry): entry is Entry => entry !== null && entry.block.number === block);
    const elsewhere = entries.find((entry) => entry.block.hash !== hash);
    if (elsewhere && !(await this.#isHashOf(block, elsewhere.block.hash, last)))
      return { why: `shows an event in block ${block} with another hash than that block has`, isLie: true };
    return chained(entries, block, last);
  }

  /** Logs from one node; the block's hash from another, where there is one. */
  async #ask(node: RpcNode, block: number): Promise<readonly [readonly RpcLog[], string]> {
    const header: RpcCall = { method: 'eth_getBlockByNumber', params: [hexQuantity(block), false] };
    const isFit = (candidate: RpcNode) => !(this.#caught.has(candidate) || this.#silent.has(candidate));
    const other = this.#nodes.find((candidate) => candidate !== node && isFit(candidate));
    const tries = this.#tries;
    if (this.#forms.get(node) === 'hash') {
      const hash = await hashOf(other ?? node, header, tries);
      return [await this.#logsByHash(node, hash), hash];
    }
    const range: RpcCall = {
      method: 'eth_getLogs',
      params: [{ ...this.#filter, fromBlock: hexQuantity(block), toBlock: hexQuantity(block) }],
    };
    const [answers, otherHash] = await Promise.all([
      node.batch(other ? [range] : [range, header], tries),
      other && hashOf(other, header, tries).catch(() => null),
    ]);
    const [logs, own] = answers;
    const hash = otherHash ?? (own && 'result' in own ? readHash(own.result) : await hashOf(node, header, tries));
    if (logs && 'result' in logs) return [readLogs(logs.result), hash];
    // Some providers allow no range at all, however small.
    const byHash = await this.#logsByHash(node, hash);
    this.#forms.set(node, 'hash');
    return [byHash, hash];
  }

  /** Two nodes differ about the hash of a block: what most of them show is taken, and the others are told of. */
  async #isHashOf(block: number, hash: string, last: number): Promise<boolean> {
    const header: RpcCall = { method: 'eth_getBlockByNumber', params: [hexQuantity(block), false] };
    const asked = this.#nodes.filter((node) => !this.#silent.has(node));
    const shown = await Promise.all(asked.map((node) => hashOf(node, header, this.#tries).catch(() => null)));
    const others = asked.filter((_, index) => shown[index] !== null && shown[index] !== hash);
    const same = shown.filter((candidate) => candidate === hash).length;
    if (same === 0 || same < others.length) return false;
    for (const node of others) {
      this.#tell(`${node.label} shows another hash of block ${block} than ${same} others`, last);
      this.#caught.add(node);
    }
    return true;
  }

  /** Where there are others, one that does not answer is soon left; where there is one, it is worth waiting for. */
  get #tries(): number | undefined {
    return this.#nodes.length > 1 ? 3 : undefined;
  }

  get #filter() {
    return { address: this.#place.registry, topics: [null, this.#place.product] };
  }

  async #logsByHash(node: RpcNode, blockHash: string): Promise<readonly RpcLog[]> {
    return readLogs(await node.call('eth_getLogs', [{ ...this.#filter, blockHash }], this.#tries));
  }
}

/** Each entry of a block but the first names the block itself as the one before it; so a gap shows at once. */
function chained(entries: readonly Entry[], block: number, last: number): BlockEntries | Refused {
  const bySequence = new Map(entries.map((entry) => [entry.sequence, entry]));
  const found: Entry[] = [];
  for (let sequence = last; sequence > 0; sequence -= 1) {
    const entry = bySequence.get(sequence);
    if (entry === undefined) return { why: `leaves out event ${sequence} of block ${block}`, isLie: true };
    let previousBlock: number;
    try {
      ({ previousBlock } = decodeEntry(entry));
    } catch {
      return { why: `shows a malformed event ${sequence} in block ${block}`, isLie: true };
    }
    found.unshift(entry);
    if (previousBlock === block) continue;
    const isFirst = sequence === 1;
    if (previousBlock > block || (previousBlock === 0) !== isFirst)
      return { why: `shows event ${sequence} of block ${block} with a trail that leads nowhere`, isLie: true };
    return { entries: found, previousBlock };
  }
  return { why: `shows a trail that does not end, in block ${block}`, isLie: true };
}

/** @throws RpcRefusal for what are no logs */
export function readLogs(value: unknown): readonly RpcLog[] {
  const parsed = logsSchema.safeParse(value);
  if (!parsed.success) throw new RpcRefusal('the logs are malformed', undefined);
  return parsed.data.map(({ removed, ...log }) => ({ ...log, ...(removed !== undefined && { removed }) }));
}

function readHash(value: unknown): string {
  const parsed = headerSchema.safeParse(value);
  if (!parsed.success) throw new RpcRefusal('the block is not there', undefined);
  return parsed.data.hash.toLowerCase();
}

async function hashOf(node: RpcNode, { method, params }: RpcCall, tries: number | undefined): Promise<string> {
  return readHash(await node.call(method, params, tries));
}

function asUnreachable(error: unknown, [node]: readonly RpcNode[]): unknown {
  if (!(error instanceof RpcRefusal)) return error;
  return new FirmproofError('chain-unsuitable', `${node?.label} gives no logs: ${error.message}`, {
    hint: 'Take a node that keeps logs for ever (an archive node, or one of a provider that serves old logs).',
  });
}
