import { type KeyObject, sign } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type BlockStatement,
  blockStatementBytes,
  blockStatementSchema,
  FirmproofError,
  parseJson,
  type WitnessedBlock,
  witnessedBlockSchema,
} from '@firmproof/protocol';
import * as z from 'zod';
import { writeFileAtomically } from '../atomic-file.ts';
import { createRpc, type Rpc, readBlock } from '../json-rpc.ts';
import { publicKeyOf } from '../keys.ts';

/** How far back a witness that was away vouches for blocks that it has not seen become final. */
const maximumCatchUpBlocks = 256;
const keptBlocks = 1024;

const stateSchema = z.object({ signed: z.array(witnessedBlockSchema) });

export type Witness = ReturnType<typeof createWitness>;

export type WitnessOptions = {
  readonly rpcUrl: string;
  /** Ed25519. */
  readonly key: KeyObject;
  readonly operator: string;
  /** What was signed; must survive whatever the process does not. */
  readonly stateFile: string;
  readonly pollMilliseconds: number;
  readonly onTrouble?: (error: unknown) => void;
};

/**
 * Vouches for blocks that its own RPC node calls final. Never backwards, never two hashes for one number: what it signs
 * is on disk before anybody sees it.
 * @throws FirmproofError `config-invalid` when the state file is damaged: signing on without it could mean signing twice
 */
export function createWitness(options: WitnessOptions) {
  const rpc = createRpc(options.rpcUrl);
  const publicKey = publicKeyOf(options.key);
  const signed = new Map<number, WitnessedBlock>(
    readState(options.stateFile).map((entry) => [entry.block.number, entry]),
  );
  let last = Math.max(-1, ...signed.keys());
  let stopping = new AbortController();
  let running: Promise<void> | undefined;

  /** Signs what has become final since the last time. */
  async function follow(): Promise<void> {
    const final = await readBlock(rpc, 'finalized');
    if (final === null) return;
    const end = Number(final.number);
    const known = signed.get(end);
    if (known && known.block.hash !== final.hash) {
      throw new FirmproofError(
        'witness-refused',
        `the node calls another block ${end} final than the one that was signed`,
      );
    }
    if (end <= last) return;
    const chainId = await chainIdOf(rpc, signed.get(last)?.block);
    const fresh: WitnessedBlock[] = [];
    for (let number = Math.max(last + 1, end - maximumCatchUpBlocks + 1); number <= end; number += 1) {
      const block = number === end ? final : await readBlock(rpc, number);
      if (block === null) return;
      fresh.push(cosign(statementOf(chainId, block)));
    }
    await remember(fresh);
  }

  function cosign(block: BlockStatement): WitnessedBlock {
    const signature = sign(null, blockStatementBytes(block), options.key).toString('base64');
    return { block, cosignature: { publicKey, signature } };
  }

  async function remember(fresh: readonly WitnessedBlock[]): Promise<void> {
    const next = [...signed.values(), ...fresh].slice(-keptBlocks);
    await writeFileAtomically(options.stateFile, JSON.stringify({ signed: next }));
    signed.clear();
    for (const entry of next) signed.set(entry.block.number, entry);
    last = Math.max(last, ...signed.keys());
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await follow().catch((error: unknown) => options.onTrouble?.(error));
      await pause(options.pollMilliseconds, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  return {
    operator: options.operator,
    publicKey,
    follow,
    start(): void {
      stopping = new AbortController();
      running = loop();
    },
    async stop(): Promise<void> {
      stopping.abort();
      await running;
    },
    latest: (): WitnessedBlock | null => signed.get(last) ?? null,
    /** null for a block that is not final yet, too old, or was never vouched for. */
    cosignatureFor: (blockNumber: number): Promise<WitnessedBlock | null> =>
      Promise.resolve(signed.get(blockNumber) ?? null),
  };
}

async function chainIdOf(rpc: Rpc, before: BlockStatement | undefined): Promise<number> {
  const chainId = Number(await rpc<string>('eth_chainId'));
  if (before !== undefined && before.chainId !== chainId) {
    throw new FirmproofError(
      'witness-refused',
      `the node is on chain ${chainId}, this witness vouches for chain ${before.chainId}`,
    );
  }
  return chainId;
}

function statementOf(
  chainId: number,
  block: { number: string; hash: string; stateRoot: string; timestamp: string },
): BlockStatement {
  return blockStatementSchema.parse({
    chainId,
    number: Number(block.number),
    hash: block.hash,
    stateRoot: block.stateRoot,
    timestamp: Number(block.timestamp),
  });
}

function readState(file: string): readonly WitnessedBlock[] {
  if (!existsSync(file)) return [];
  return parseJson(readFileSync(file, 'utf8'), stateSchema, {
    code: 'config-invalid',
    maximumBytes: 64 * 1024 * 1024,
    what: `the witness state ${file}`,
  }).signed;
}
