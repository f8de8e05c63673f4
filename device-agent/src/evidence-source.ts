import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Evidence,
  FirmproofError,
  maximumEvidenceBytes,
  parseEvidence,
  redactUrl,
  utf8Text,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import type { AgentConfig } from './config.ts';
import { fetchBounded } from './http.ts';

const limits = {
  maximumBytes: maximumEvidenceBytes,
  tooLargeCode: 'evidence-malformed',
  minimumBytesPerSecond: 0,
  timeoutSeconds: 30,
} as const;
/** A stored block older than this is renewed even if the decision has not changed. */
const renewalSeconds = 86_400;

const cacheableSeconds = 60;

type Stored = { readonly server: string; readonly etag: string; readonly text: string };

/**
 * Evidence from one server. With a stored copy whose block is fresh enough, a server that has nothing new answers 304 and
 * the copy is judged again.
 * @throws FirmproofError `unavailable`, `evidence-malformed`
 */
export async function fetchEvidence(
  config: AgentConfig,
  server: string,
  options: { readonly nowSeconds: number; readonly unconditional?: boolean },
): Promise<Evidence> {
  const file = join(config.dataDirectory, 'evidence.json');
  const stored = options.unconditional ? null : readStored(file, server, options.nowSeconds);
  const url = `${server}/v1/products/${config.imageTrustRoot.product}/channels/${config.channel}/evidence`;
  // A poll may be answered by a cache on the way; what is asked before an activation may not.
  const headers: Record<string, string> = {
    'cache-control': options.unconditional ? 'no-cache' : `max-age=${cacheableSeconds}`,
    ...(stored && { 'if-none-match': stored.etag }),
  };
  const { status, etag, bytes } = await fetchBounded(url, limits, headers);
  if (status === 304 && stored) return parseEvidence(stored.text);
  if (status !== 200) throw new FirmproofError('unavailable', `${redactUrl(server)} answers ${status}`);
  const text = utf8Text(bytes, 'evidence-malformed', 'the evidence');
  const evidence = parseEvidence(text);
  if (etag !== null && etag.length < 200) await writeFileAtomically(file, JSON.stringify({ server, etag, text }));
  return evidence;
}

function readStored(file: string, server: string, nowSeconds: number): Stored | null {
  if (!existsSync(file)) return null;
  try {
    const stored = JSON.parse(readFileSync(file, 'utf8')) as Stored;
    const fresh = nowSeconds - parseEvidence(stored.text).block.timestamp < renewalSeconds;
    return stored.server === server && fresh ? stored : null;
  } catch {
    // Only a cache: what cannot be read is fetched again.
    return null;
  }
}
