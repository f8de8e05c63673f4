import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { FirmproofError, type PublicKey, parsePublicKey, publicKeySchema } from '@firmproof/protocol';

/** @throws FirmproofError `file-not-found` */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const isDirectory = cause instanceof Error && 'code' in cause && cause.code === 'EISDIR';
    throw new FirmproofError('file-not-found', `${file} ${isDirectory ? 'is a directory' : 'cannot be read'}`, {
      cause,
    });
  }
}

/** A private key in PEM. @throws FirmproofError `file-not-found`, `key-invalid` */
export function readPrivateKey(file: string): KeyObject {
  const text = readText(file);
  try {
    return createPrivateKey(text);
  } catch (cause) {
    throw new FirmproofError('key-invalid', `${file} is no private key in PEM`, { cause });
  }
}

/** A public key as base64 of its SPKI, or the PEM file that has it. @throws FirmproofError `file-not-found`, `key-invalid` */
export function readPublicKey(keyOrFile: string): PublicKey {
  const given = publicKeySchema.safeParse(keyOrFile);
  if (given.success) return given.data;
  const text = readText(keyOrFile);
  let spki: Buffer;
  try {
    spki = createPublicKey(text).export({ format: 'der', type: 'spki' });
  } catch (cause) {
    throw new FirmproofError('key-invalid', `${keyOrFile} is no public key in PEM`, { cause });
  }
  return parsePublicKey(spki.toString('base64'));
}
