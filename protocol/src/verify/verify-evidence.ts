import { type DeviceCode, isDeviceCode } from '../error-codes.ts';
import { isFirmproofError } from '../errors.ts';
import type { Evidence } from '../evidence.ts';
import type { KeylessVerifier } from '../keyless.ts';
import type { TrustRoot } from '../trust-root.ts';
import * as check from './checks.ts';
import { enoughRebuilders } from './rebuilders.ts';
import { type DeviceState, outcomeOf, type ProvenState, type Verdict } from './verdict.ts';

/**
 * Decides what a device does with evidence: pure, no I/O, no clock of its own. The numbers are those of
 * docs/spec/device.md. Checks 12 to 14, on the bytes and the slot, are the agent's.
 * @param nowSeconds the device's trusted time: max(build time, persisted time) plus what has passed since
 * @param keyless verifies keyless attestations; without it they are refused (`keyless-unsupported`)
 */
export async function verifyEvidence(
  evidence: Evidence,
  trustRoot: TrustRoot,
  device: DeviceState,
  nowSeconds: number,
  keyless?: KeylessVerifier,
): Promise<Verdict> {
  let proven: ProvenState | undefined;
  try {
    check.witnessQuorum(evidence, trustRoot); // 1
    check.freshness(evidence.block, trustRoot, nowSeconds, device); // 2, the age
    check.proofSizes(evidence); // 4, the bounds: before any hashing
    const storageRoot = await check.registryAccount(evidence, trustRoot); // 3
    const storage = await check.productAndHead(evidence, trustRoot.product, device.channel, storageRoot); // 4
    const root = check.namedTrustRoot(evidence, trustRoot, storage, device); // 9, the root; 2, the sequence
    proven = {
      sequence: storage.product.sequence,
      history: storage.history,
      timestampSeconds: evidence.block.timestamp,
      block: { number: evidence.block.number, hash: evidence.block.hash },
      trustRoot: root,
    };
    check.stillHere(root, trustRoot); // 9, the place
    const head = check.channelIsOpen(storage); // 5
    const recorded = await check.recordedRelease(evidence, trustRoot.product, head, storageRoot); // 4
    check.releaseIsInstallable(recorded.state, evidence.block); // 6
    check.rollbackFloor(recorded.state, device); // 7
    const attestation = check.commitment(recorded); // 8
    await check.attestationSignature(attestation, root, evidence, keyless); // 9, the signature
    check.statement(attestation.statement, trustRoot, recorded, device); // 10
    check.itsTurn(recorded, storage, trustRoot.product, device, evidence.block); // 11
    enoughRebuilders(evidence, root, { ...recorded, attestation }, device); // 17
    return {
      outcome: 'update',
      proven,
      release: { version: head, image: recorded.image, attestation, state: recorded.state, schedule: storage.schedule },
    };
  } catch (error) {
    if (!isFirmproofError(error) || !isDeviceCode(error.code)) throw error;
    return refusal(error.code, error.message, proven);
  }
}

function refusal(code: DeviceCode, message: string, proven: ProvenState | undefined): Verdict {
  return { outcome: outcomeOf(code), code, message, ...(proven && { proven }) };
}
