import { utf8ToBytes } from '@noble/hashes/utils.js';
import type * as z from 'zod';
import type {
  anchorDevicesRequestSchema,
  applyRequestSchema,
  cancelRecoveryRequestSchema,
  configureRequestSchema,
  createAccountRequestSchema,
  haltRequestSchema,
  promoteRequestSchema,
  publishApprovalSchema,
  recoverRequestSchema,
  registerRequestSchema,
  revokeDeviceRequestSchema,
  revokeRequestSchema,
  setRecoveryRequestSchema,
  setSignersRequestSchema,
  vetoRequestSchema,
} from '../api.ts';
import { type Address, type Bytes32, fromHex, keccak256 } from '../bytes.ts';
import type { ActionName } from '../eip712.ts';
import type { AccountActionName } from './account-actions.ts';
import { accountTypedData, actionTypedData, type RegistryAddress, type SignerApproval } from './approval.ts';
import { type TypedData, typedDataHash } from './typed-data.ts';

/** What a proposal asks of the registry, or of the device anchor about a product of the registry, by kind. */
export type RegistryRequest =
  | { readonly kind: 'register'; readonly body: z.output<typeof registerRequestSchema> }
  | { readonly kind: 'publish'; readonly body: z.output<typeof publishApprovalSchema> }
  | { readonly kind: 'promote'; readonly body: z.output<typeof promoteRequestSchema> }
  | { readonly kind: 'revoke'; readonly body: z.output<typeof revokeRequestSchema> }
  | { readonly kind: 'halt'; readonly body: z.output<typeof haltRequestSchema> }
  | { readonly kind: 'configure'; readonly body: z.output<typeof configureRequestSchema> }
  | { readonly kind: 'apply'; readonly body: z.output<typeof applyRequestSchema> }
  | { readonly kind: 'veto'; readonly body: z.output<typeof vetoRequestSchema> }
  | { readonly kind: 'anchor-devices'; readonly body: z.output<typeof anchorDevicesRequestSchema> }
  | { readonly kind: 'revoke-device'; readonly body: z.output<typeof revokeDeviceRequestSchema> };

type Of<Schema extends z.ZodType> = z.output<Schema> & { readonly account: Address };

/** What a proposal asks of a vendor account, by kind. */
export type AccountRequest =
  | { readonly kind: 'create-account'; readonly body: Of<typeof createAccountRequestSchema> }
  | AccountChange;
export type AccountChange =
  | { readonly kind: 'set-signers'; readonly body: Of<typeof setSignersRequestSchema> }
  | { readonly kind: 'set-recovery'; readonly body: Of<typeof setRecoveryRequestSchema> }
  | { readonly kind: 'schedule-recovery'; readonly body: Of<typeof recoverRequestSchema> }
  | { readonly kind: 'recover'; readonly body: Of<typeof recoverRequestSchema> }
  | { readonly kind: 'cancel-recovery'; readonly body: Of<typeof cancelRecoveryRequestSchema> };

/** What a proposal asks of the chain. */
export type ChainRequest = RegistryRequest | AccountRequest;

/** Approvals of signers, by what the contract takes them for: the quorum that decides, and the new signers' proof. */
export type BySigners = { readonly approval: readonly SignerApproval[]; readonly proof: readonly SignerApproval[] };

/** What an approver has given: its own signature, or those of its signers. */
export type Given = { readonly signature: string } | BySigners;

export const actionOfKind = {
  register: 'Register',
  publish: 'Publish',
  promote: 'Promote',
  revoke: 'Revoke',
  halt: 'Halt',
  configure: 'Configure',
  apply: 'Configure',
  veto: 'Veto',
  'anchor-devices': 'AnchorDevices',
  'revoke-device': 'RevokeDevice',
} as const satisfies Record<RegistryRequest['kind'], ActionName>;

export const accountActionOfKind = {
  'set-signers': 'SetSigners',
  'set-recovery': 'SetRecovery',
  'schedule-recovery': 'Recover',
  recover: 'Recover',
  'cancel-recovery': 'CancelRecovery',
} as const satisfies Record<AccountChange['kind'], AccountActionName>;

export type AnchorRequest = Extract<RegistryRequest, { kind: 'anchor-devices' | 'revoke-device' }>;
export const isAnchorRequest = (request: ChainRequest): request is AnchorRequest =>
  request.kind === 'anchor-devices' || request.kind === 'revoke-device';

export const isAccountChange = (request: ChainRequest): request is AccountChange =>
  Object.hasOwn(accountActionOfKind, request.kind);
export const isAccountRequest = (request: ChainRequest): request is AccountRequest =>
  request.kind === 'create-account' || isAccountChange(request);

/** What the publisher or guardian approves, before it is nested for the signers of an account; null where nobody has to. */
export function requestTypedData(at: RegistryAddress, request: RegistryRequest): TypedData | null {
  if (request.kind !== 'apply') return actionTypedData(at, actionOfKind[request.kind], request.body.message);
  const { acceptance } = request.body;
  return acceptance ? actionTypedData(at, 'Accept', acceptance.message) : null;
}

/** What the signers of an account sign to change it, at its signer epoch. */
export function changeTypedData(chainId: number, request: AccountChange, epoch: number): TypedData {
  const { account, message } = request.body;
  return accountTypedData(chainId, { account, epoch }, accountActionOfKind[request.kind], message as never);
}

const applyTypes = { Apply: [{ name: 'hash', type: 'bytes32' }] };

/**
 * The id of a proposal: what is asked of which contract, whoever approves it. For an action of the registry it is the EIP-712
 * hash of the message.
 */
export function proposalIdOf(at: RegistryAddress, request: ChainRequest): Bytes32 {
  if (isAccountRequest(request)) return accountProposalId(at.chainId, request);
  const hash = typedDataHash(actionTypedData(at, actionOfKind[request.kind], request.body.message));
  if (request.kind !== 'apply') return hash;
  // Applying is a proposal apart from the one that scheduled the same values.
  return typedDataHash({ domain: { name: 'apply' }, types: applyTypes, primaryType: 'Apply', message: { hash } });
}

function accountProposalId(chainId: number, request: AccountRequest): Bytes32 {
  const about =
    request.kind === 'create-account' ? request.body.account : typedDataHash(changeTypedData(chainId, request, 0));
  return keccak256(utf8ToBytes(`${request.kind} `), fromHex(about));
}
