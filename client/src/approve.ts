import { randomBytes } from 'node:crypto';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  type Login,
  loginTypes,
  parseAddress,
  parseBytes32,
  registryDomain,
  serverDomain,
  typedDataTypes,
} from '@firmproof/protocol';
import type { BaseWallet } from 'ethers';
import type { ApprovalSignature } from './api-client.ts';

const loginSeconds = 300;
/** How long an approval may wait to be relayed. */
const approvalSeconds = 24 * 3600;

/** Signs what a wallet would show: the typed message for one registry on one chain. */
export async function signAction<Name extends ActionName>(
  wallet: BaseWallet,
  registry: { readonly chainId: number; readonly registry: Address },
  action: Name,
  message: ActionMessage<Name>,
): Promise<ApprovalSignature> {
  const domain = registryDomain(registry.chainId, registry.registry);
  return (await wallet.signTypedData(domain, { [action]: typedDataTypes[action] }, message)) as ApprovalSignature;
}

/** A login for exactly one server, valid for minutes. */
export async function signLogin(
  wallet: BaseWallet,
  server: string,
  chainId: number,
): Promise<{ message: Login; signature: ApprovalSignature }> {
  const message: Login = {
    publisher: parseAddress(wallet.address),
    origin: new URL(server).origin,
    nonce: parseBytes32(`0x${randomBytes(32).toString('hex')}`),
    deadline: Math.floor(Date.now() / 1000) + loginSeconds,
  };
  const signature = (await wallet.signTypedData(
    serverDomain(chainId),
    { Login: [...loginTypes.Login] },
    message,
  )) as ApprovalSignature;
  return { message, signature };
}

export const deadlineFromNow = () => Math.floor(Date.now() / 1000) + approvalSeconds;
