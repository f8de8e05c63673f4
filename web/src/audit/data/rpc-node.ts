import { bytes32Schema, FirmproofError } from '@firmproof/protocol';
import * as z from 'zod';
import { boundedBytes, parsedJson } from '../../server/request.ts';
import { hostOf } from '../parts/words.ts';

const timeoutMilliseconds = 20_000;
const maximumAnswerBytes = 4 * 1024 * 1024;

const quantitySchema = z
  .string()
  .regex(/^0x[0-9a-f]{1,13}$/i)
  .transform(Number);
const blockSchema = z.object({
  number: quantitySchema,
  hash: bytes32Schema,
  stateRoot: bytes32Schema,
  timestamp: quantitySchema,
});
export type NodeBlock = z.infer<typeof blockSchema>;

const proofNodesSchema = z.array(z.string().regex(/^0x(?:[0-9a-f]{2})*$/i)).max(64);
const proofSchema = z.object({
  accountProof: proofNodesSchema,
  storageProof: z.array(
    z.object({
      value: z
        .string()
        .max(66)
        .regex(/^0x[0-9a-f]+$/i)
        .default('0x0'),
      proof: proofNodesSchema,
    }),
  ),
});
export type NodeProof = z.infer<typeof proofSchema>;

const answerSchema = z.object({ result: z.unknown().optional(), error: z.object({ message: z.string() }).optional() });

/** An RPC node that the visitor or the operator of the pages named. */
export class RpcNode {
  readonly url: string;
  /** What may be shown of it: providers put keys into paths. */
  readonly host: string;

  constructor(url: string) {
    this.url = url;
    this.host = hostOf(url);
  }

  chainId = (): Promise<number> => this.#ask('eth_chainId', [], quantitySchema);

  finalBlock = (): Promise<NodeBlock> => this.#ask('eth_getBlockByNumber', ['finalized', false], blockSchema);

  block = (number: number): Promise<NodeBlock> =>
    this.#ask('eth_getBlockByNumber', [`0x${number.toString(16)}`, false], blockSchema);

  proof = (address: string, slots: readonly string[], blockNumber: number): Promise<NodeProof> =>
    this.#ask('eth_getProof', [address, slots, `0x${blockNumber.toString(16)}`], proofSchema);

  /** @throws FirmproofError `chain-unreachable` */
  async #ask<Schema extends z.ZodType>(
    method: string,
    params: readonly unknown[],
    schema: Schema,
  ): Promise<z.output<Schema>> {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
      signal: AbortSignal.timeout(timeoutMilliseconds),
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      redirect: 'error',
      cache: 'no-store',
    }).catch((cause: unknown) => {
      throw new FirmproofError('chain-unreachable', `${this.host} does not answer`, { cause });
    });
    const bytes = await boundedBytes(response, this.host, maximumAnswerBytes);
    const answer = answerSchema.safeParse(parsedJson(new TextDecoder().decode(bytes)));
    const why = answer.success ? answer.data.error?.message.slice(0, 200) : `it answers ${response.status}`;
    if (!answer.success || why !== undefined)
      throw new FirmproofError('chain-unreachable', `${this.host} does not answer ${method}: ${why}`);
    const result = schema.safeParse(answer.data.result);
    if (result.success) return result.data;
    throw new FirmproofError('chain-unreachable', `${this.host} answers ${method} in a form that is none`);
  }
}
