import type { ActionMessage, ActionName } from '@firmproof/protocol';
import { actionTypedData, type RegistryAddress } from '@firmproof/protocol/approval';
import type { BaseWallet } from 'ethers';
import type { ApprovalSignature } from './approver.ts';
import { walletKey } from './signer-key.ts';

/** How long an approval may wait for the others and to be relayed. */
const approvalSeconds = 7 * 24 * 3600;

/** Signs what a wallet would show: the typed message for one registry on one chain. */
export const signAction = <Name extends ActionName>(
  wallet: BaseWallet,
  registry: RegistryAddress,
  action: Name,
  message: ActionMessage<Name>,
): Promise<ApprovalSignature> => walletKey(wallet).sign(actionTypedData(registry, action, message));

export const deadlineFromNow = (seconds = approvalSeconds) => Math.floor(Date.now() / 1000) + seconds;
