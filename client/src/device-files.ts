import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Channel, TrustRoot } from '@firmproof/protocol';
import { makeDirectory } from '@firmproof/protocol/node/directory';

export type DeviceFileOptions = {
  readonly hardware: string;
  readonly channels: readonly Channel[];
  readonly servers: readonly string[];
};

/**
 * Writes what a device image must contain: the trust root, and a configuration of the agent to start from. Answers the
 * names of the files.
 */
export function writeDeviceFiles(
  directory: string,
  trustRoot: TrustRoot,
  options: DeviceFileOptions,
): readonly string[] {
  makeDirectory(directory);
  const { hardware, channels, servers } = options;
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
  return Object.entries(files).map(([name, content]) => {
    const file = join(directory, name);
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
    return file;
  });
}
