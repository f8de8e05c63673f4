import { callOf } from '@firmproof/contracts';
import {
  bytes32Schema,
  type ExportedProposal,
  FirmproofError,
  parseJson,
  proposalKinds,
  type ServerInfo,
  signerApprovalSchema,
} from '@firmproof/protocol';
import { type ChainRequest, proposalIdOf, type SignerApproval, sortedOut } from '@firmproof/protocol/approval';
import { createRpc } from '@firmproof/protocol/node';
import { JsonRpcProvider, Network, Wallet } from 'ethers';
import { z } from 'zod';

/** A file that holds a call which anybody may send: what is left when a server does not relay. */
const relayFileSchema = z.object({
  type: z.literal('https://firmproof.dev/relay/v1'),
  chainId: z.int(),
  proposal: bytes32Schema,
  kind: z.enum(proposalKinds),
  to: z.string().regex(/^0x[0-9a-f]{40}$/),
  data: z.string().regex(/^0x[0-9a-f]*$/),
});
export type RelayFile = z.infer<typeof relayFileSchema>;

const approvalsSchema = z.array(signerApprovalSchema);

/**
 * The call that a proposal's approvals make possible, computed here.
 * @throws FirmproofError `approvals-missing`, `server-lied`
 */
export function relayFileOf(
  { id, kind, request, requirements }: ExportedProposal,
  { chainId, registry }: Pick<ServerInfo, 'chainId' | 'registry'>,
): RelayFile {
  const asked = { kind, body: request } as unknown as ChainRequest;
  if (proposalIdOf({ chainId, registry }, asked) !== id)
    throw new FirmproofError('server-lied', 'the server has exported something else than this proposal');
  const { to, data } = callOf({ chainId, registry }, asked, givenOf(request, requirements));
  return { type: 'https://firmproof.dev/relay/v1', chainId, proposal: id, kind, to, data };
}

function givenOf(request: ExportedProposal['request'], requirements: ExportedProposal['requirements']) {
  const by = (request['acceptance'] ?? request) as { signature?: string; approvals?: unknown };
  if (typeof by.signature === 'string') return { signature: by.signature };
  if (requirements === undefined) return { approval: [], proof: [] };
  const approvals = approvalsSchema.parse(by.approvals ?? []) as SignerApproval[];
  const sorted = sortedOut(requirements, approvals);
  if (sorted !== null) return sorted;
  throw new FirmproofError('approvals-missing', `${approvals.length} signers have approved it, and that is not enough`);
}

/** @throws FirmproofError `relay-file-malformed` */
export const parseRelayFile = (text: string): RelayFile =>
  parseJson(text, relayFileSchema, { code: 'relay-file-malformed', maximumBytes: 1024 * 1024, what: 'the relay file' });

/**
 * Sends the call through any node and waits for its block. The contract judges it like any other.
 * @throws FirmproofError `chain-unreachable`, `chain-unsuitable`, `transaction-reverted`
 */
export async function relay(file: RelayFile, rpcUrl: string, privateKey: string) {
  const chainId = Number(await createRpc(rpcUrl)<string>('eth_chainId'));
  if (chainId !== file.chainId)
    throw new FirmproofError('chain-unsuitable', `the node is on chain ${chainId}, the file is for ${file.chainId}`);
  const provider = new JsonRpcProvider(rpcUrl, Network.from(chainId), { staticNetwork: true, pollingInterval: 250 });
  try {
    const { to, data } = file;
    const sent = await new Wallet(privateKey, provider).sendTransaction({ to, data });
    const receipt = await sent.wait();
    return { transaction: sent.hash, block: receipt?.blockNumber ?? 0 };
  } catch (cause) {
    throw new FirmproofError('transaction-reverted', `the call is refused: ${reasonOf(cause)}`, { cause });
  } finally {
    provider.destroy();
  }
}

const reasonOf = (error: unknown) =>
  error instanceof Error && 'shortMessage' in error
    ? String(error.shortMessage)
    : error instanceof Error
      ? error.message
      : String(error);
