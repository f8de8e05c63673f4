import { join } from 'node:path';
import {
  type Envelope,
  type Evidence,
  FirmproofError,
  maximumEvidenceBytes,
  maximumTrustRootsBytes,
  parseEvidence,
  parseTrustRoots,
  redactUrl,
  type TrustRoot,
  utf8Text,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import type { AgentConfig } from './config.ts';
import { readDataFile } from './data-directory.ts';
import { type FetchOptions, fetchBounded } from './network/http.ts';

const limits = {
  maximumBytes: maximumEvidenceBytes,
  tooLargeCode: 'evidence-malformed',
  minimumBytesPerSecond: 0,
  timeoutSeconds: 120,
} as const;
const trustRootLimits = {
  maximumBytes: maximumTrustRootsBytes,
  tooLargeCode: 'trust-root-malformed',
  minimumBytesPerSecond: 0,
  timeoutSeconds: 120,
} as const;
/** What a server answers that knows the product by its successor only. */
const gone = 410;
/** A stored block older than this is renewed even if the decision has not changed. */
const renewalSeconds = 86_400;

const cacheableSeconds = 60;

type Stored = { readonly url: string; readonly etag: string; readonly text: string };

/**
 * Evidence from one server. With a stored copy whose block is fresh enough, a server that has nothing new answers 304 and
 * the copy is judged again.
 * @throws FirmproofError `unavailable`, `redirect-refused`, `download-too-slow`, `evidence-malformed`
 */
export async function fetchEvidence(
  config: AgentConfig,
  server: string,
  root: TrustRoot,
  options: {
    readonly network: FetchOptions;
    readonly nowSeconds: number;
    readonly unconditional?: boolean;
    /** Whether what it answers is stored. */
    readonly keep: boolean;
  },
): Promise<Evidence> {
  const file = join(config.dataDirectory, 'evidence.json');
  const url = `${server}/v1/products/${root.product}/channels/${config.channel}/evidence`;
  const stored = options.unconditional ? null : readStored(file, url, options.nowSeconds);
  // A poll may be answered by a cache on the way; what is asked before an activation may not.
  const headers: Record<string, string> = {
    'cache-control': options.unconditional ? 'no-cache' : `max-age=${cacheableSeconds}`,
    ...(stored && { 'if-none-match': stored.etag }),
  };
  const { status, etag, bytes } = await fetchBounded(url, limits, { ...options.network, headers });
  if (status === 304 && stored) return parseEvidence(stored.text);
  if (status === gone) {
    // No more than a hint to ask for the trust roots: what a server says of the product proves nothing.
    throw new FirmproofError('unavailable', `${redactUrl(server)} says that the product has moved`, {
      details: { saysMoved: true },
    });
  }
  if (status !== 200) throw new FirmproofError('unavailable', `${redactUrl(server)} answers ${status}`);
  const text = utf8Text(bytes, 'evidence-malformed', 'the evidence');
  const evidence = parseEvidence(text);
  if (options.keep && etag !== null && etag.length < 200)
    await writeFileAtomically(file, JSON.stringify({ url, etag, text }));
  return evidence;
}

/**
 * The trust roots that follow on the one held, as far as a server has them. Nothing of it is believed before the signatures
 * are checked.
 * @throws FirmproofError `unavailable`, `trust-root-malformed`
 */
export async function fetchTrustRoots(
  server: string,
  held: TrustRoot,
  network: FetchOptions,
): Promise<readonly Envelope[]> {
  const url = `${server}/v1/products/${held.product}/trust-roots?after=${held.digest}`;
  const { status, bytes } = await fetchBounded(url, trustRootLimits, network);
  if (status !== 200) throw new FirmproofError('unavailable', `${redactUrl(server)} answers ${status}`);
  return parseTrustRoots(utf8Text(bytes, 'trust-root-malformed', 'the chain of trust roots'));
}

function readStored(file: string, url: string, nowSeconds: number): Stored | null {
  const content = readDataFile(file);
  if (content === null) return null;
  try {
    const stored = JSON.parse(content) as Stored;
    const fresh = nowSeconds - parseEvidence(stored.text).block.timestamp < renewalSeconds;
    return stored.url === url && fresh ? stored : null;
  } catch {
    // Only a cache: what is damaged is fetched again.
    return null;
  }
}
