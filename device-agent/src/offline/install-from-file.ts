import { type FirmproofError, isDeviceCode, isFirmproofError, outcomeOf } from '@firmproof/protocol';
import type { Agent } from '../agent.ts';
import { type InstallOptions, type InstallResult, install } from '../install.ts';
import { OfflineFile } from './offline-file.ts';

export type OfflineInstallOptions = Pick<InstallOptions, 'onProgress'> & {
  /** Somebody at the device takes a block that is older than the trust root allows (D31). */
  readonly acceptOldBlock?: boolean;
};

/**
 * Installs what a file proves, by the checks and steps of `install`; no server is asked, nor any address that the file names.
 * Who brings a file asks for it now: only a hold outweighs that.
 * @throws FirmproofError `file-not-found`
 */
export async function installFromFile(
  agent: Agent,
  path: string,
  { acceptOldBlock = false, onProgress }: OfflineInstallOptions = {},
): Promise<InstallResult> {
  let file: OfflineFile;
  try {
    file = await OfflineFile.open(path);
  } catch (error) {
    if (!isFirmproofError(error) || !isDeviceCode(error.code)) throw error;
    return refuse(agent, error);
  }
  try {
    const offline = { ...agent, offline: { file, acceptOldBlock } };
    return await install(offline, { askedForNow: true, ...(onProgress && { onProgress }) });
  } finally {
    await file.close();
  }
}

async function refuse({ journal }: Agent, { code, message }: FirmproofError): Promise<InstallResult> {
  if (!isDeviceCode(code)) throw new TypeError(`${code} is no verdict`);
  const verdict = { outcome: outcomeOf(code), code, message };
  await journal.write({ lastVerdict: verdict });
  return verdict;
}
