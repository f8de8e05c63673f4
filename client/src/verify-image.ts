import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import {
  anyOf,
  type Channel,
  type Evidence,
  FirmproofError,
  outcomeOf,
  parseAttestation,
  parseVersion,
  type Sha256Digest,
  type TrustRoot,
  type Verdict,
  verifyEvidence,
} from '@firmproof/protocol';
import { type ImportedImage, importImage } from '@firmproof/protocol/node';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';

export type ImageVerdict = {
  readonly image: ImportedImage;
  /** Whether the chain records exactly these bytes as the head of the channel, signed by a build key or an identity. */
  readonly proven: boolean;
  readonly version: string | null;
  readonly verdict: Pick<Exclude<Verdict, { outcome: 'update' }>, 'outcome' | 'code' | 'message'>;
};

/**
 * Checks an image file as a device would, against evidence that may come from anywhere. The trust root must not: it is
 * what all else is measured by.
 * @throws FirmproofError `file-not-found`, `image-empty`
 */
export async function verifyImage(
  file: string,
  evidence: Evidence,
  trustRoot: TrustRoot,
  options: {
    readonly channel: Channel;
    readonly hardware?: string;
    readonly nowSeconds: number;
    readonly onProgress?: (sizeBytes: number) => void;
  },
): Promise<ImageVerdict> {
  const image = await importImage(readable(file), options.onProgress ? { onProgress: options.onProgress } : {});
  // A device that runs this very image asks: every check but the last, on the rollout, has to pass.
  const verdict = await verifyEvidence(
    evidence,
    trustRoot,
    {
      channel: options.channel,
      hardware: options.hardware ?? hardwareOf(evidence),
      installed: { version: parseVersion('0.0.0'), image: image.digest },
      rollbackFloor: 0,
      lastProven: null,
      rolloutSecret: randomBytes(32),
    },
    options.nowSeconds,
    keylessVerifier,
  );
  const head = evidence.release;
  const version = head ? parseAttestation(head.attestation).statement.predicate.version : null;
  if (verdict.outcome === 'current') return { image, proven: true, version, verdict };
  return { image, proven: false, version, verdict: explained(verdict, image.digest, head?.image) };
}

function explained(verdict: Verdict, image: Sha256Digest, head: Sha256Digest | undefined): ImageVerdict['verdict'] {
  const isAboutTheHead =
    verdict.outcome === 'update' || ['outside-rollout', 'precursor-mismatch'].includes(verdict.code);
  if (isAboutTheHead) {
    const code = 'image-digest-mismatch';
    return { outcome: outcomeOf(code), code, message: `the file has sha-256 ${image}, the chain records ${head}` };
  }
  const { outcome, code, message } = verdict;
  return { outcome, code, message };
}

/** Without a hardware revision to ask for, any that the release is for. */
function hardwareOf({ release }: Evidence): string {
  try {
    return (release && parseAttestation(release.attestation).statement.predicate.hardware[0]) ?? anyOf;
  } catch {
    return anyOf;
  }
}

async function* readable(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { highWaterMark: 1 << 20 });
  } catch (cause) {
    throw new FirmproofError('file-not-found', `the image ${file} cannot be read`, { cause });
  }
}
