import { accountInterface, anchorInterface, type Call, callOf, registryInterface } from '@firmproof/contracts';
import {
  type Address,
  asciiOfWord,
  type Bytes32,
  bytes32Schema,
  deviceAnchorAddress,
  type ErrorCode,
  FirmproofError,
  productIdSchema,
} from '@firmproof/protocol';
import {
  type BySigners,
  type ChainRequest,
  type Given,
  isAccountRequest,
  isAnchorRequest,
  proposalIdOf,
} from '@firmproof/protocol/approval';
import { type Rpc, RpcRefusal } from '@firmproof/protocol/node';
import type { ErrorDescription } from 'ethers';
import type { Accounts } from './accounts.ts';
import type { DeviceAnchor } from './device-anchor.ts';
import type { Registry } from './registry.ts';

export type Contracts = ReturnType<typeof createContracts>;

/** Approvals by nobody: a contract that refuses them for that alone agrees with everything else. */
const byNobody: BySigners = { approval: [], proof: [] };
const refusedForNobody = ['ApprovalRefused', 'CurrentSignersRefused', 'RecoverySignersRefused', 'NewSignersRefused'];

/** What the contracts' revert errors mean to the person who sent the request. */
export const revertCodes: Readonly<Record<string, ErrorCode>> = {
  InvalidName: 'name-invalid',
  InvalidVersion: 'version-invalid',
  Expired: 'approval-expired',
  ApprovalRefused: 'approval-invalid',
  NotApprover: 'approval-invalid',
  UnknownProduct: 'product-not-found',
  AlreadyRegistered: 'product-exists',
  DelayTooLong: 'delay-too-long',
  EpochMismatch: 'approval-epoch',
  VersionTaken: 'version-exists',
  RollbackIndexTooHigh: 'rollback-index-too-high',
  ReleaseNotActive: 'release-not-found',
  AlreadyHalted: 'already-halted',
  NoGuardian: 'guardian-missing',
  // The schemas of the API let none of these through.
  MissingPublisher: 'request-invalid',
  MissingTrustRoot: 'request-invalid',
  MissingDigest: 'request-invalid',
  ShareTooLarge: 'request-invalid',
  CounterMismatch: 'approval-counter',
  ChannelEmpty: 'channel-not-found',
  HaltsMismatch: 'approval-counter',
  NothingPending: 'configuration-pending',
  PendingMismatch: 'configuration-pending',
  DelayNotOver: 'configuration-pending',
  NotVetoable: 'too-late-to-stop',
  VetoWindowClosed: 'too-late-to-stop',
  // Vendor accounts.
  InvalidSigner: 'signers-invalid',
  DuplicateKey: 'signers-invalid',
  TooManySigners: 'signers-invalid',
  InvalidThreshold: 'signers-invalid',
  PasskeysOnly: 'signers-invalid',
  SignerEpochMismatch: 'approval-epoch',
  ApprovalExpired: 'approval-expired',
  CurrentSignersRefused: 'approval-invalid',
  NewSignersRefused: 'approval-invalid',
  RecoverySignersRefused: 'approval-invalid',
  AlreadyAnnounced: 'recovery-pending',
  NoRecoveryPending: 'recovery-pending',
  RecoveryMismatch: 'recovery-pending',
  NoticeNotOver: 'recovery-pending',
  // The device anchor; the server lets none of those through that are `request-invalid`.
  UnknownRegistry: 'request-invalid',
  EmptyBatch: 'request-invalid',
  MissingLeaf: 'request-invalid',
  AlreadyAnchored: 'devices-anchored',
  AlreadyRevoked: 'device-revoked',
};

/** Registry, accounts and device anchor behind one face: a proposal is a call to one of them. */
export function createContracts(options: {
  readonly rpc: Rpc;
  readonly registry: Registry;
  readonly accounts: Accounts;
  readonly anchor: DeviceAnchor;
}) {
  const { rpc, registry, accounts, anchor } = options;

  const at = { chainId: registry.chainId, registry: registry.address };

  return {
    proposalId: (request: ChainRequest): Bytes32 => proposalIdOf(at, request),

    call: (request: ChainRequest, given: Given): Call => callOf(at, request, given),

    /**
     * Asks the contract whether it would accept the call now.
     * @throws FirmproofError with the code of its refusal, or `chain-unreachable`
     */
    async simulate(call: Call, from: Address): Promise<void> {
      try {
        await rpc('eth_call', [{ from, ...call }, 'latest']);
      } catch (error) {
        throw error instanceof RpcRefusal ? refusalOf(error, call.to) : error;
      }
    },

    /** Whether all but the approvals is in order. @throws FirmproofError as `simulate` */
    async simulateUnapproved(request: ChainRequest, from: Address): Promise<void> {
      await this.simulate(this.call(request, byNobody), from).catch((error: unknown) => {
        const reason = error instanceof FirmproofError ? error.details?.['contractError'] : undefined;
        if (!refusedForNobody.includes(String(reason))) throw error;
      });
    },

    /** Whether the chain shows the request fulfilled at a block, whoever relayed it. */
    shows(request: ChainRequest, product: string, at: number | 'latest'): Promise<boolean> {
      if (isAccountRequest(request)) return accounts.shows(request, at);
      if (isAnchorRequest(request)) return anchor.shows(request, at);
      return registry.shows(request, productIdSchema.parse(product), at);
    },
  };
}

function refusalOf(refusal: RpcRefusal, to: Address): FirmproofError {
  const isAnchor = to === deviceAnchorAddress;
  const parsed = refusal.data === undefined ? null : parseRevert(refusal.data, isAnchor);
  if (parsed === null)
    return new FirmproofError('transaction-reverted', `the contract refuses: ${refusal.message}`, { cause: refusal });
  const isAccount = accountInterface.getError(parsed.name) !== null;
  const who = isAnchor ? 'device anchor' : isAccount ? 'account' : 'registry';
  const code = isRevoked(parsed) ? 'release-revoked' : (revertCodes[parsed.name] ?? 'transaction-reverted');
  const particulars = parsed.fragment.inputs
    .map((input, index) => `${input.name} ${readable(parsed.args[index])}`)
    .join(', ');
  return new FirmproofError(code, `the ${who} refuses: ${parsed.name}${particulars && ` (${particulars})`}`, {
    details: { contractError: parsed.name, ...argumentsOf(parsed) },
  });
}

const parseRevert = (data: string, isAnchor: boolean) =>
  (isAnchor ? anchorInterface.parseError(data) : registryInterface.parseError(data)) ??
  accountInterface.parseError(data);

const revokedStatus = 2n;

/** One error of the registry is for releases that do not exist and for those that are revoked. */
const isRevoked = ({ name, args }: ErrorDescription) => name === 'ReleaseNotActive' && args['status'] === revokedStatus;

/** The numbers of a revert error by their names, for those who have to tell "not yet" from "never". */
function argumentsOf({ fragment, args }: ErrorDescription): Record<string, string> {
  const named = fragment.inputs.map((input, index) => [input.name, String(args[index])] as const);
  return Object.fromEntries(named);
}

/** Versions and channels travel as words of ASCII. */
function readable(value: unknown): string {
  const word = bytes32Schema.safeParse(value);
  return (word.success && asciiOfWord(word.data)) || String(value);
}
