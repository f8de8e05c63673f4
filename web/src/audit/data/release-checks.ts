import {
  type Attester,
  bytes32OfDigest,
  commitmentOf,
  type ReleaseResource,
  type Statement,
  type Version,
} from '@firmproof/protocol';
import { compareState, type EventApproval, type HistoryEvent, type ReleaseHistory } from '@firmproof/protocol/audit';
import { describeDuration, describeTime } from '@firmproof/protocol/review';
import { loadApproval } from './approvals.ts';
import { checkAttestation } from './attestation-checks.ts';
import type { ProductAudit } from './audit.ts';
import { type Check, check, onlyIf, reasonOf } from './check.ts';
import { isVouchedFor } from './judge.ts';
import { gatherSightings, type Sightings, voucherInWords } from './sightings.ts';
import { trustRootDigestAt, trustRootWithDigest } from './trust-root-at.ts';

export type ReleaseAudit = {
  readonly release: ReleaseHistory;
  readonly event: HistoryEvent;
  readonly checks: readonly Check[];
  readonly statement: Statement | null;
  /** Who has signed its attestation; null where that is not here. */
  readonly attester: Attester | null;
  readonly approval: EventApproval | null;
  /** Whether the entry of the release is one of those that somebody vouches for. */
  readonly isVouched: boolean;
};

/** Every check of one release, each with its own result; null where the replayed history has no such release. */
export async function auditRelease(audit: ProductAudit, version: Version): Promise<ReleaseAudit | null> {
  const release = audit.history.releases.get(version);
  const event = release && audit.events[release.sequence - 1];
  if (release === undefined || event === undefined) return null;
  const { place, carrier, product, trustRoot } = audit;
  const digest = trustRootDigestAt(audit.events, release.sequence);
  const [sightings, said, approval, text, rootThen] = await Promise.all([
    gatherSightings(place, [version], { trustRoot, settings: audit.settings }, carrier),
    carrier.release(product, version).catch(() => null),
    loadApproval(audit, event).catch((error: unknown) => new Error(reasonOf(error), { cause: error })),
    carrier.attestation(product, version).catch((error: unknown) => new Error(reasonOf(error), { cause: error })),
    digest === null ? null : trustRootWithDigest(audit, digest),
  ]);
  const isVouched = isVouchedFor(audit.verdict, release.sequence);
  const attestation = await checkAttestation({ place, release, text, trustRoot: rootThen });
  const checks = [
    checkEntry(audit, release),
    ...checkStorage(audit, release, sightings),
    ...attestation.checks.map((one) => onlyIf(isVouched, one)),
    onlyIf(isVouched, checkApproval(approval)),
    onlyIf(isVouched, checkVetoWindow(release)),
    onlyIf(isVouched, checkSaid(release, said)),
  ];
  return {
    release,
    event,
    checks,
    statement: attestation.statement,
    attester: attestation.attester,
    approval: approval instanceof Error ? null : approval,
    isVouched,
  };
}

function checkEntry({ verdict, events }: ProductAudit, { sequence }: ReleaseHistory): Check {
  const name = 'History';
  if (verdict.tone === 'bad') {
    const [worst] = verdict.problems;
    return check(name, 'failed', `The history that it stands in is not true. ${worst?.text ?? ''}`);
  }
  if (sequence <= verdict.vouchedUpTo) {
    const text = `It is entry ${sequence} of ${verdict.vouchedUpTo} that replay to the history hash in the registry's storage.`;
    return check(name, verdict.tone === 'good' ? 'passed' : 'unchecked', text);
  }
  return check(
    name,
    'unchecked',
    verdict.vouchedUpTo > 0
      ? `It is entry ${sequence} of ${events.length}, and not final yet.`
      : `It is entry ${sequence} of ${events.length} that the server gives, and nobody whom you believe vouches for them.`,
  );
}

/** What storage holds of the release, under a block that somebody vouches for. */
function checkStorage(audit: ProductAudit, release: ReleaseHistory, { list, problems }: Sightings): readonly Check[] {
  const [blockName, proofName, commitmentName, statusName] = ['Block', 'Storage proof', 'Commitment', 'Status'];
  const false_ = problems.find(({ severity }) => severity === 'bad');
  if (false_) return [check(proofName, 'failed', false_.text)];
  const sighting = list.find(({ vouchers }) => vouchers.length > 0) ?? list[0];
  const proven = sighting?.proven.releases.get(release.version);
  if (sighting === undefined || proven === undefined) {
    const why = problems[0]?.text ?? 'Nobody gives a proof of it.';
    return [blockName, proofName, commitmentName, statusName].map((name) => check(name, 'unchecked', why));
  }
  const { block } = sighting.proven;
  const isVouched = sighting.vouchers.length > 0;
  const number = block.number.toLocaleString('en');
  const vouching = isVouched
    ? check(
        blockName,
        'passed',
        `Block ${number} of ${describeTime(block.timestamp)}. ${sighting.vouchers.map(voucherInWords).join(' ')}`,
      )
    : check(
        blockName,
        'unchecked',
        `Nobody whom you believe vouches for block ${number}, under which the server proves it.`,
      );
  if (proven.status === 'none') {
    const text = `Storage holds no release ${release.version} at block ${number}.`;
    const outcome = sighting.proven.sequence < release.sequence ? 'unchecked' : 'failed';
    return [vouching, check(proofName, outcome, text)];
  }
  const commitment = commitmentOf(bytes32OfDigest(release.image), bytes32OfDigest(release.attestation));
  const isSameTime = sighting.proven.sequence === audit.events.length;
  const differing = isSameTime ? compareState(audit.history, sighting.proven) : [];
  const storage =
    differing.length > 0
      ? check(proofName, 'failed', `Storage contradicts the entries. ${differing.join('; ')}.`)
      : check(
          proofName,
          'passed',
          "Merkle proofs lead from the block's state root to the registry's record of this release.",
        );
  const bound =
    commitment === proven.commitment
      ? check(commitmentName, 'passed', 'The image and attestation digests of the entry hash to what storage holds.')
      : check(
          commitmentName,
          'failed',
          'The image and attestation digests of the entry do not hash to what storage holds.',
        );
  const status = check(
    statusName,
    'passed',
    proven.status === 'revoked' ? 'Storage holds that it was revoked.' : 'Storage holds that it was not revoked.',
  );
  return [vouching, ...[storage, bound, status].map((one) => onlyIf(isVouched, one))];
}

function checkApproval(approval: EventApproval | Error): Check {
  const name = 'Approvals';
  if (approval instanceof Error) {
    const lied =
      approval.cause instanceof Error && 'code' in approval.cause && approval.cause.code === 'transaction-mismatch';
    return lied
      ? check(name, 'failed', `The server gives another transaction: ${approval.message}.`)
      : check(name, 'unchecked', `The transaction does not come: ${approval.message}.`);
  }
  const { form, signers, quorum, approver } = approval;
  if (signers.length === 0 && quorum !== 'missed')
    return check(
      name,
      'unchecked',
      `How ${approver ?? 'the publisher'} approved cannot be seen from the transaction alone.`,
    );
  const invalid = signers.filter(({ valid }) => !valid).length;
  if (invalid > 0)
    return check(name, 'failed', `${invalid} of ${signers.length} signatures are not over this release.`);
  if (quorum === 'missed')
    return check(
      name,
      'failed',
      'Those who signed are not enough of the keys that the account has: the transaction is another one.',
    );
  const keys = signers.length === 1 ? 'One key has' : `${signers.length} keys have`;
  const signed = `${keys} signed exactly this release; the signatures were verified here`;
  if (form === 'key') return check(name, 'passed', `${signed}, and it is the publisher itself.`);
  return quorum === 'reached'
    ? check(name, 'passed', `${signed}, and they are enough of the keys that the account is made of.`)
    : check(
        name,
        'unchecked',
        `${signed}. Whose keys they are is not known here: firmproof audit proves it, or RPC nodes of your own where the account's keys have never changed.`,
      );
}

function checkVetoWindow({ publishedAt, installableFrom }: ReleaseHistory): Check {
  const name = 'Veto window';
  const wait = installableFrom - publishedAt;
  if (wait === 0) return check(name, 'passed', 'There was none: it was installable at once.');
  const now = Math.floor(Date.now() / 1000);
  const when = describeTime(installableFrom);
  return now < installableFrom
    ? check(name, 'passed', `It is open until ${when}: until then the guardian can stop it.`)
    : check(name, 'passed', `${describeDuration(wait)} long; it ended at ${when} without a veto.`);
}

/** What the server's own list says: other programs read that. */
function checkSaid(release: ReleaseHistory, said: ReleaseResource | null): Check {
  const name = "The server's list";
  if (said === null) return check(name, 'unchecked', 'The server does not list this release.');
  const status = release.revoked === null ? 'active' : 'revoked';
  const differing = [
    said.status !== status && `it says “${said.status}”, the history says “${status}”`,
    said.image !== release.image && 'it names another image',
    said.attestation !== release.attestation && 'it names another attestation',
    said.rollbackIndex !== release.rollbackIndex && 'it names another rollback index',
    said.installableFrom !== release.installableFrom && 'it says that it is installable at another time',
  ].filter((part) => part !== false);
  return differing.length === 0
    ? check(name, 'passed', 'The server lists it as the entries have it.')
    : check(name, 'failed', `The server lists it otherwise: ${differing.join('; ')}.`);
}
