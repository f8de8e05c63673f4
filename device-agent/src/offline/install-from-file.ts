import type { Agent } from '../agent.ts';
import { install } from '../machine/engine.ts';
import { explain, type InstallResult } from '../machine/result.ts';
import type { InstallOptions } from '../machine/step.ts';
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
    const verdict = explain(error);
    await agent.journal.write({ lastVerdict: verdict });
    return verdict;
  }
  try {
    const offline = { ...agent, offline: { file, acceptOldBlock } };
    return await install(offline, { askedForNow: true, ...(onProgress && { onProgress }) });
  } finally {
    await file.close();
  }
}
