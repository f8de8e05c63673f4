import { FirmproofError, redactUrl } from '@firmproof/protocol';

/** A refusal by the node itself, as distinct from not reaching it. `data` holds revert data where there is any. */
export class RpcRefusal extends Error {
  readonly data: string | undefined;
  constructor(message: string, data: string | undefined) {
    super(message);
    this.data = data;
  }
}

export type Rpc = <Result>(method: string, params?: readonly unknown[]) => Promise<Result>;

/**
 * JSON-RPC over HTTP to one node. Throws FirmproofError `chain-unreachable` when it cannot be reached, RpcRefusal when it
 * answers with an error.
 */
export function createRpc(url: string, timeoutMilliseconds = 15_000): Rpc {
  let id = 0;
  return async <Result>(method: string, params: readonly unknown[] = []): Promise<Result> => {
    id += 1;
    const answer = await send(url, JSON.stringify({ jsonrpc: '2.0', id, method, params }), timeoutMilliseconds);
    if (answer.error !== undefined) {
      const { data } = answer.error;
      throw new RpcRefusal(answer.error.message ?? 'refused', typeof data === 'string' ? data : undefined);
    }
    return answer.result as Result;
  };
}

type Answer = { readonly result?: unknown; readonly error?: { readonly message?: string; readonly data?: unknown } };

async function send(url: string, body: string, timeoutMilliseconds: number): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(timeoutMilliseconds),
    });
    return (await response.json()) as Answer;
  } catch (cause) {
    throw new FirmproofError('chain-unreachable', `the RPC node ${redactUrl(url)} does not answer`, { cause });
  }
}

export const hexQuantity = (value: number | bigint): string => `0x${value.toString(16)}`;

export type RpcBlock = {
  readonly number: string;
  readonly hash: string;
  readonly stateRoot: string;
  readonly timestamp: string;
};

export async function readBlock(rpc: Rpc, block: number | 'latest' | 'finalized'): Promise<RpcBlock | null> {
  return rpc<RpcBlock | null>('eth_getBlockByNumber', [typeof block === 'number' ? hexQuantity(block) : block, false]);
}
