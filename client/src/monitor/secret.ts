import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { FirmproofError } from '@firmproof/protocol';
import { z } from 'zod';

const maximumSecretBytes = 64 * 1024;

/** Where a secret is. Never the secret itself: a configuration is copied, committed and shown. */
export const secretReferenceSchema = z.union(
  [
    z.strictObject({ file: z.string().min(1).max(4096) }),
    z.strictObject({ environment: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/) }),
  ],
  { error: 'say where the secret is: {"file": "…"} or {"environment": "NAME"}' },
);
export type SecretReference = z.infer<typeof secretReferenceSchema>;

/** What secrets are looked up in: the directory of the configuration, the environment of the process. */
export type SecretPlace = {
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
};

/** Reads a secret, without the white space around it. @throws FirmproofError `config-invalid`, which never shows it */
export function readSecret(reference: SecretReference, { directory, environment }: SecretPlace): string {
  if ('environment' in reference) {
    const value = environment[reference.environment]?.trim();
    if (value) return value;
    throw new FirmproofError('config-invalid', `the environment variable ${reference.environment} is empty`);
  }
  const value = readBounded(resolve(directory, reference.file)).trim();
  if (value !== '') return value;
  throw new FirmproofError('config-invalid', `${reference.file} is empty`);
}

function readBounded(file: string): string {
  try {
    if (statSync(file).size <= maximumSecretBytes) return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FirmproofError('config-invalid', `${file} cannot be read`, { cause });
  }
  throw new FirmproofError('config-invalid', `${file} is too large for a secret`);
}
