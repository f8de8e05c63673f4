import { type Address, deviceAnchorAddress, parseAddress, toHex, typedDataTypes } from '@firmproof/protocol';
import {
  type AccountChange,
  type AccountRequest,
  accountActionOfKind,
  accountTypes,
  actionOfKind,
  type BySigners,
  type ChainRequest,
  encodeApprovals,
  type Given,
  isAccountRequest,
  isAnchorRequest,
  type RegistryAddress,
  type RegistryRequest,
  requestTypedData,
  wrapApprovals,
} from '@firmproof/protocol/approval';
import { Interface } from 'ethers';
import { deviceAnchorAbi } from './generated/device-anchor.ts';
import { releaseRegistryAbi } from './generated/release-registry.ts';
import { vendorAccountAbi, vendorAccountFactoryAbi, vendorAccountFactoryAddress } from './generated/vendor-account.ts';

export const registryInterface = new Interface(releaseRegistryAbi);
export const anchorInterface = new Interface(deviceAnchorAbi);
export const accountInterface = new Interface(vendorAccountAbi);
const factoryInterface = new Interface(vendorAccountFactoryAbi);

/** A transaction that anybody may send. */
export type Call = { readonly to: Address; readonly data: string };

const nobody: BySigners = { approval: [], proof: [] };

/** The call that fulfils a request, with what its approver has given. */
export function callOf(at: RegistryAddress, request: ChainRequest, given: Given): Call {
  if (isAccountRequest(request)) return accountCall(request, 'signature' in given ? nobody : given);
  const to = isAnchorRequest(request) ? deviceAnchorAddress : at.registry;
  if ('signature' in given) return { to, data: registryCall(request, given.signature) };
  const plain = requestTypedData(at, request);
  return { to, data: registryCall(request, plain === null ? '0x' : wrapApprovals(given.approval, plain)) };
}

/** @param signature What the approver's account takes as its approval. */
function registryCall(request: RegistryRequest, signature: string): string {
  const values = argumentsOf(request, signature);
  switch (request.kind) {
    case 'anchor-devices':
      return anchorInterface.encodeFunctionData('anchorDevices', values);
    case 'revoke-device':
      return anchorInterface.encodeFunctionData('revokeDevice', values);
    case 'apply':
      return registryInterface.encodeFunctionData('applyConfiguration', values);
    default:
      return registryInterface.encodeFunctionData(request.kind, values);
  }
}

function argumentsOf({ kind, body }: RegistryRequest, signature: string): readonly unknown[] {
  // The fields of the EIP-712 type stand in the order of the contract's parameters.
  const message: Readonly<Record<string, unknown>> = { ...body.message };
  const values = typedDataTypes[actionOfKind[kind]].map(({ name }) => message[name]);
  switch (kind) {
    case 'revoke':
    case 'halt':
      return [...values, body.approver, signature];
    case 'apply':
      return [...values, body.acceptance?.message.deadline ?? 0, body.acceptance ? signature : '0x'];
    default:
      return [...values, signature];
  }
}

/** Which function of the account, and whose approvals it takes after the fields of the message. */
const functionOfKind = {
  'set-signers': { name: 'setSigners', takes: ['approval', 'proof'] },
  'set-recovery': { name: 'setRecovery', takes: ['approval'] },
  'schedule-recovery': { name: 'scheduleRecovery', takes: ['approval'] },
  recover: { name: 'recover', takes: ['proof'] },
  'cancel-recovery': { name: 'cancelRecovery', takes: ['approval'] },
} as const satisfies Record<
  AccountChange['kind'],
  { readonly name: string; readonly takes: readonly (keyof BySigners)[] }
>;

function accountCall(request: AccountRequest, by: BySigners): Call {
  if (request.kind === 'create-account') {
    const data = factoryInterface.encodeFunctionData('create', [request.body.parameters]);
    return { to: parseAddress(vendorAccountFactoryAddress), data };
  }
  const message: Readonly<Record<string, unknown>> = { ...request.body.message };
  const values = accountTypes[accountActionOfKind[request.kind]].map(({ name }) => message[name]);
  const { name, takes } = functionOfKind[request.kind];
  const approvals = takes.map((side) => toHex(encodeApprovals(by[side])));
  return { to: request.body.account, data: accountInterface.encodeFunctionData(name, [...values, ...approvals]) };
}
