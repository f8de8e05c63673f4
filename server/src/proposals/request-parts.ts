import { requireUsableSigners } from '@firmproof/protocol';
import {
  type AccountChange,
  type AnchorRequest,
  type ChainRequest,
  isAccountRequest,
  type RegistryRequest,
  type SignerApproval,
} from '@firmproof/protocol/approval';

/** Approvals of signers that came with the request. */
export function given({ kind, body }: ChainRequest): readonly SignerApproval[] {
  if (kind === 'create-account') return [];
  return ((kind === 'apply' ? body.acceptance?.approvals : body.approvals) as SignerApproval[] | undefined) ?? [];
}

/** They are kept beside the request, where more of them join them. */
export function withoutApprovals({ kind, body }: ChainRequest): ChainRequest['body'] {
  if (kind === 'create-account') return body;
  if (kind !== 'apply') return { ...body, approvals: undefined };
  return { ...body, ...(body.acceptance && { acceptance: { ...body.acceptance, approvals: undefined } }) };
}

/** Of an approver that signs for itself; undefined where its signers approve, or nobody has yet, or nobody has to. */
export function approverSignature(request: ChainRequest): string | undefined {
  if (isAccountRequest(request)) return undefined;
  return request.kind === 'apply' ? request.body.acceptance?.signature : request.body.signature;
}

/** What the contract is to judge at once; undefined where approvals are still to come. */
export const ownSignature = (request: ChainRequest): string | undefined =>
  // Nobody has to sign where a configuration is applied and the publisher stays.
  request.kind === 'apply' && request.body.acceptance === undefined ? '0x' : approverSignature(request);

export const draftOf = (request: ChainRequest, approver: string) => ({
  kind: request.kind,
  request: JSON.stringify(withoutApprovals(request)),
  approver,
});

/** Requests that have nothing beside them which would have to be checked here. */
export type JudgedByTheRegistry = Exclude<
  RegistryRequest,
  { kind: 'register' | 'publish' | 'configure' } | AnchorRequest
>;

/** Who has to approve, where it is not always the publisher; nobody where a configuration is applied and the publisher stays. */
export function approverOf(
  request: JudgedByTheRegistry,
  row: { readonly publisher: string; readonly guardian: string },
): string {
  switch (request.kind) {
    case 'promote':
      return row.publisher;
    case 'revoke':
    case 'halt':
      return request.body.approver;
    case 'veto':
      return row.guardian;
    case 'apply':
      return request.body.acceptance?.message.publisher ?? '';
  }
}

/** The contract would say the same, but only after everybody has approved. */
export function requireUsableChange(request: AccountChange): void {
  if (request.kind === 'cancel-recovery') return;
  const { message } = request.body;
  const passkeysAlone = 'passkeysAlone' in message ? message.passkeysAlone : true;
  // An empty recovery set ends recovery.
  if (request.kind === 'set-recovery' && message.threshold === 0 && message.signers.length === 0) return;
  requireUsableSigners(message.signers, message.threshold, passkeysAlone);
}
