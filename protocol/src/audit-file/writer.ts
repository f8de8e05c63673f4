import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import type { Sha256Digest } from '../digest.ts';
import { type AuditLine, type AuditLineOf, auditFileVersion } from './line.ts';

/** The lines of an audit file in the order of X2, as text with line feeds; the last one sums up those before it. */
export function* auditFileText(
  header: Omit<AuditLineOf<'header'>, 'kind' | 'auditFileVersion'>,
  lines: Iterable<Exclude<AuditLine, { readonly kind: 'header' | 'end' }>>,
): Generator<string, void> {
  const sum = sha256.create();
  let count = 0;
  const written = (line: AuditLine): string => {
    const text = `${JSON.stringify(line)}\n`;
    sum.update(utf8ToBytes(text));
    count += 1;
    return text;
  };
  yield written({ kind: 'header', auditFileVersion, ...header });
  for (const line of lines) yield written(line);
  const digest = bytesToHex(sum.digest()) as Sha256Digest;
  yield `${JSON.stringify({ kind: 'end', lines: count + 1, sha256: digest } satisfies AuditLine)}\n`;
}
