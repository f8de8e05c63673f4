import { FirmproofError, isFirmproofError, parseTrustRoot, type TrustRoot } from '@firmproof/protocol';
import { readText } from './files.ts';

/**
 * A trust root that somebody was given as a file.
 * @throws FirmproofError `file-not-found`, `trust-root-malformed`, `trust-root-signature-invalid`, which name the file
 */
export function readTrustRootFile(file: string): TrustRoot {
  const text = readText(file);
  try {
    return parseTrustRoot(text);
  } catch (cause) {
    if (!isFirmproofError(cause)) throw cause;
    const isForged = cause.code === 'trust-root-signature-invalid';
    throw new FirmproofError(cause.code, `${file}: ${cause.message}`, {
      cause,
      hint: isForged
        ? 'Do not believe this file. Get the trust root again, from the vendor or from a device image, and tell the vendor.'
        : 'The file is damaged or another one. Get it again: the vendor has it from `firmproof product trust`, a device beside its agent.json.',
    });
  }
}
