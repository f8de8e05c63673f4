import { randomBytes, randomUUID } from 'node:crypto';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import * as z from 'zod';
import { readDataFile } from '../data-directory.ts';
import { type DeviceKey, deviceKeyAlgorithms, deviceKeyFile, deviceKeyOf, generateDeviceKey } from './device-key.ts';
import { markOfMachine } from './machine.ts';
import { storageOf } from './storage.ts';

export const identityConfigSchema = z
  .object({
    /** Of a key that is made; one that is there stays what it is. */
    algorithm: z.enum(deviceKeyAlgorithms).default('ed25519'),
    /** What tells machines apart: a copy of the data directory on another one is found by it. */
    machineIdFile: z.string().min(1).default('/etc/machine-id'),
  })
  .strict();

/** What makes this device itself. Made at first boot on the data partition; an image never holds any of it. */
export type Identity = {
  readonly id: string;
  readonly key: DeviceKey;
  readonly rolloutSecret: Uint8Array;
  /** The identity was made on another machine: it signs nothing here (docs/spec/device.md K2). */
  readonly cloned: boolean;
  /** Whether it is on disk; one that is not was made up to look at a device that has not started yet. */
  readonly isStored: boolean;
};

const identitySchema = z.object({
  id: z.uuid(),
  rolloutSecret: z.string().regex(/^[0-9a-f]{64}$/),
  /** The machine that it was made on, as its mark; null where that cannot be told. */
  machine: z.string().nullable().default(null),
});

const identityFile = (dataDirectory: string): string => join(dataDirectory, 'identity.json');

type IdentityOptions = {
  readonly dataDirectory: string;
  readonly identity: z.output<typeof identityConfigSchema>;
};

/**
 * Opens the device's identity, or makes what is missing (docs/spec/device.md K1). Damaged files never stop the agent: they are put aside.
 * @throws FirmproofError `identity-in-image`, `data-unreadable`
 */
export async function openIdentity(options: IdentityOptions): Promise<Identity> {
  const { dataDirectory } = options;
  requireWritable(dataDirectory);
  makeDirectory(dataDirectory, 0o700);
  const { key, identity } = filesOf(options);
  if (!key.isStored) await store(key);
  if (!identity.isStored) await store(identity);
  return viewIdentity(options);
}

/** The device's identity to look at: nothing is written. @throws FirmproofError `identity-in-image`, `data-unreadable` */
export function viewIdentity(options: IdentityOptions): Identity {
  requireWritable(options.dataDirectory);
  const { key, identity, mark } = filesOf(options);
  const { id, rolloutSecret, machine } = identity.value;
  return {
    id,
    key: key.value,
    rolloutSecret: Uint8Array.from(Buffer.from(rolloutSecret, 'hex')),
    cloned: machine !== null && mark !== null && machine !== mark,
    isStored: key.isStored && identity.isStored,
  };
}

function filesOf({ dataDirectory, identity: { algorithm, machineIdFile } }: IdentityOptions) {
  const mark = markOfMachine(machineIdFile);
  const key = readOrMake(deviceKeyFile(dataDirectory), deviceKeyOf, () => generateDeviceKey(algorithm));
  const identity = readOrMake(
    identityFile(dataDirectory),
    (text) => identitySchema.parse(JSON.parse(text)),
    () => JSON.stringify({ id: randomUUID(), rolloutSecret: randomBytes(32).toString('hex'), machine: mark }),
  );
  return { key, identity, mark };
}

/** What cannot be written was not made at first boot: it came with an image, and every device has it. */
function requireWritable(dataDirectory: string): void {
  const storage = storageOf(dataDirectory);
  if (!storage?.readOnly) return;
  throw new FirmproofError(
    'identity-in-image',
    `${dataDirectory} is on ${storage.mountPoint} (${storage.type}), which is read-only`,
  );
}

type IdentityFile<Value> = {
  readonly file: string;
  readonly text: string;
  readonly value: Value;
  readonly isStored: boolean;
  readonly isDamaged: boolean;
};

function readOrMake<Value>(file: string, parse: (text: string) => Value, make: () => string): IdentityFile<Value> {
  const stored = readDataFile(file);
  if (stored !== null) {
    try {
      return { file, text: stored, value: parse(stored), isStored: true, isDamaged: false };
    } catch {
      // Damaged, and so made anew.
    }
  }
  const text = make();
  return { file, text, value: parse(text), isStored: false, isDamaged: stored !== null };
}

async function store({ file, text, isDamaged }: IdentityFile<unknown>): Promise<void> {
  if (isDamaged) renameSync(file, `${file}.damaged`);
  await writeFileAtomically(file, text, 0o600);
}
