import { registryInterface } from '@firmproof/contracts';
import {
  asciiWord,
  type Bytes32,
  fromHex,
  keccak256,
  parseAddress,
  productIdSchema,
  zeroBytes32,
} from '@firmproof/protocol';
import { type Entry, entryOfLog, type RpcLog } from '@firmproof/protocol/audit';

/** A made-up history, logged as the registry would: for what needs no chain. */
export const historyPlace = {
  registry: parseAddress(`0x${'5e'.repeat(20)}`),
  product: productIdSchema.parse(`0x${'ab'.repeat(32)}`),
};

export const addressOf = (digit: number) => parseAddress(`0x${digit.toString(16).padStart(2, '0').repeat(20)}`);
export const wordOf = (digit: number) => `0x${digit.toString(16).padStart(2, '0').repeat(32)}` as Bytes32;
export const publisher = addressOf(0x11);
export const guardian = addressOf(0x22);

/** Builds logs one after the other, each in a block of its own. */
export class HistoryBuilder {
  readonly logs: RpcLog[] = [];
  #lastBlock = 0;
  readonly #counters = new Map<string, number>();
  readonly #halts = new Map<string, number>();

  #log(name: string, key: string, fields: readonly unknown[]): this {
    const sequence = this.logs.length + 1;
    const block = 100 + sequence * 2;
    const time = 1_800_000_000 + sequence * 60;
    const values = [historyPlace.product, sequence, key, ...fields, this.#lastBlock, time];
    const { topics, data } = registryInterface.encodeEventLog(name, values);
    this.logs.push({
      address: historyPlace.registry,
      topics,
      data,
      blockNumber: `0x${block.toString(16)}`,
      blockHash: wordOf(sequence % 256),
      transactionHash: keccak256(fromHex(asciiWord(`transaction-${sequence}`))),
    });
    this.#lastBlock = block;
    return this;
  }

  register(trustRoot = wordOf(0x77)): this {
    return this.#log('Registered', trustRoot, [asciiWord('lamp'), publisher, guardian, 3600, zeroBytes32]);
  }

  publish(version: string, rollbackIndex = 0, release: { image?: Bytes32; attestation?: Bytes32 } = {}): this {
    const digit = this.logs.length % 256;
    const { image = wordOf(digit), attestation = wordOf(255 - digit) } = release;
    const fields = [image, attestation, rollbackIndex, 1_800_000_000 + this.logs.length * 60 + 3660];
    return this.#log('Published', asciiWord(version), fields);
  }

  promote(version: string, channel = 'stable'): this {
    const counter = this.#count(channel);
    const fields = [asciiWord(version), counter, 1_800_003_600, 600, 2500];
    return this.#log('Promoted', asciiWord(channel), fields);
  }

  #count(channel: string): number {
    const counter = (this.#counters.get(channel) ?? 0) + 1;
    this.#counters.set(channel, counter);
    return counter;
  }

  revoke(version: string, approver = publisher): this {
    return this.#log('Revoked', asciiWord(version), [approver]);
  }

  halt(channel = 'stable', approver = publisher): this {
    const halts = (this.#halts.get(channel) ?? 0) + 1;
    this.#halts.set(channel, halts);
    return this.#log('Halted', asciiWord(channel), [approver, halts, this.#count(channel)]);
  }

  schedule(change: { publisher?: string; guardian?: string; delay?: number; trustRoot?: string }, epoch = 1): this {
    const next = { publisher, guardian, delay: 3600, trustRoot: wordOf(0x77), ...change };
    const fields = [
      next.publisher,
      next.guardian,
      next.delay,
      next.trustRoot,
      epoch,
      1_900_000_000,
      1_800_010_000,
      true,
    ];
    return this.#log('Scheduled', wordOf(0x99), fields);
  }

  applied(change: { publisher?: string; guardian?: string; delay?: number; trustRoot?: string }, epoch = 3): this {
    const next = { publisher, guardian, delay: 3600, trustRoot: wordOf(0x77), ...change };
    return this.#log('Applied', wordOf(0x99), [next.publisher, next.guardian, next.delay, next.trustRoot, epoch]);
  }

  veto(): this {
    return this.#log('Vetoed', wordOf(0x99), [guardian]);
  }

  get entries(): readonly Entry[] {
    return this.logs.map((log) => {
      const entry = entryOfLog(log, historyPlace);
      if (entry === null) throw new Error('the builder has made a log that is no entry');
      return entry;
    });
  }
}
