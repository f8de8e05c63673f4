import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Channel, FirmproofError, type TrustRoot } from '@firmproof/protocol';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { z } from 'zod';

export type DeviceFileOptions = {
  readonly hardware: string;
  readonly channels: readonly Channel[];
  readonly servers: readonly string[];
  /** Files that say something else are replaced. */
  readonly overwrite?: boolean;
};

/**
 * Writes what a device image must contain: the trust root, and a configuration of the agent to start from. Answers the
 * names of the files. Files that say the same already stay as they are.
 * @throws FirmproofError `file-differs` before anything is written
 */
export function writeDeviceFiles(
  directory: string,
  trustRoot: TrustRoot,
  options: DeviceFileOptions,
): readonly string[] {
  makeDirectory(directory);
  const { hardware, channels, servers, overwrite = false } = options;
  const agentConfig = {
    trustRoot: 'trust-root.json',
    hardware,
    channels,
    channel: channels[0],
    image: { version: '0.0.1', rollbackIndex: 0, buildTimeSeconds: Math.floor(Date.now() / 1000) },
    servers,
    installer: { kind: 'files', directory: 'slots' },
    dataDirectory: 'data',
  };
  const files = { 'trust-root.json': trustRoot.envelope, 'agent.json': agentConfig };
  const missing = Object.entries(files).filter(
    ([name, content]) => overwrite || !isThere(join(directory, name), content),
  );
  for (const [name, content] of missing) writeFileSync(join(directory, name), `${JSON.stringify(content, null, 2)}\n`);
  return Object.keys(files).map((name) => join(directory, name));
}

/** @throws FirmproofError `file-differs` */
function isThere(file: string, content: unknown): boolean {
  if (!existsSync(file)) return false;
  if (isDeepStrictEqual(timeless(readJson(file)), timeless(JSON.parse(JSON.stringify(content))))) return true;
  throw new FirmproofError('file-differs', `${file} is there already and says something else`);
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** The time of building is that of writing: by it alone files do not differ. */
function timeless(content: unknown): unknown {
  const { success, data } = builtSchema.safeParse(content);
  return success ? { ...data, image: { ...data.image, buildTimeSeconds: 0 } } : content;
}

const builtSchema = z.looseObject({ image: z.looseObject({ buildTimeSeconds: z.number() }) });
