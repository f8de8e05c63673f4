import { type Signer, signerKind, zeroAddress } from '@firmproof/protocol';
import type { HistoryEvent } from '@firmproof/protocol/audit';
import type {
  AuditBasis,
  AuditedAdvisory,
  AuditedApproval,
  AuditedRelease,
  AuditedSaidLater,
  AuditedSignature,
  AuditSummary,
} from '../report.ts';

const shownHex = 8;

/** The beginning of a digest, a key or an address: enough to tell it from others in one report. */
export const short = (hex: string): string =>
  hex.length > shownHex + 6 ? `${hex.slice(0, hex.startsWith('0x') ? shownHex + 2 : shownHex)}…` : hex;

export const timeOf = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');

export function durationOf(seconds: number): string {
  if (seconds === 0) return 'none';
  const units: readonly (readonly [string, number])[] = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  const [unit, size] = units.find(([, length]) => seconds % length === 0 && seconds >= length) ?? ['s', 1];
  return `${seconds / size} ${unit}`;
}

const percent = (basisPoints: number): string => `${basisPoints / 100} %`;

/** What an event is about, in a few words. */
export function subjectOf(event: HistoryEvent): string {
  switch (event.kind) {
    case 'registered':
      return event.name;
    case 'published':
    case 'revoked':
      return event.version;
    case 'promoted':
      return `${event.channel} → ${event.version}`;
    case 'halted':
      return event.channel;
    case 'scheduled':
    case 'applied':
    case 'vetoed':
      return `change ${short(event.pending)}`;
  }
}

const guardianOf = (address: string) => (address === zeroAddress ? 'nobody' : address);

/** What else it says. */
export function detailOf(event: HistoryEvent): string {
  switch (event.kind) {
    case 'registered':
    case 'applied':
    case 'scheduled': {
      const { publisher, guardian, delaySeconds, trustRoot } = event;
      const values = `publisher ${publisher}, guardian ${guardianOf(guardian)}, delay ${durationOf(delaySeconds)}, trust root ${short(trustRoot)}`;
      if (event.kind === 'scheduled') return `${values}; may be applied from ${timeOf(event.pendingFrom)}`;
      if (event.kind === 'registered' && event.predecessor) return `${values}; follows on ${event.predecessor}`;
      return values;
    }
    case 'published':
      return `image ${short(event.image)}, rollback index ${event.rollbackIndex}, installable from ${timeOf(event.installableFrom)}`;
    case 'promoted': {
      const { start, durationSeconds, firstShareBasisPoints, counter } = event;
      const ramp =
        durationSeconds === 0
          ? 'to all'
          : `from ${percent(firstShareBasisPoints)} to all in ${durationOf(durationSeconds)}`;
      return `move ${counter}, ${ramp}, from ${timeOf(start)}`;
    }
    case 'revoked':
      return `by ${event.approver}`;
    case 'halted':
      return `halt ${event.halts}, by ${event.approver}`;
    case 'vetoed':
      return `by guardian ${event.guardian}`;
  }
}

/** A signer as people know it: a wallet's address, or the beginning of a key. */
function signerName(signer: Signer): string {
  return signerKind(signer) === 'wallet' ? short(signer) : `${signerKind(signer)} ${short(`0x${signer.slice(42)}`)}`;
}

/** Whether those are enough, and whose word that is. */
function quorumText({ quorum, signersBy }: Pick<AuditedApproval, 'quorum' | 'signersBy'>): string {
  switch (quorum) {
    case 'reached':
      return signersBy === 'shown' ? 'quorum reached, as nodes show' : 'quorum reached';
    case 'missed':
      return 'QUORUM MISSED';
    case 'unknown':
      return 'quorum unknown';
  }
}

export function approvalText({ form, approver, signers, epoch, quorum, signersBy }: AuditedApproval): string {
  switch (form) {
    case 'key':
      return `key ${short(approver ?? '')}`;
    case 'vendor-account': {
      const names = signers.map(({ signer, valid }) => `${signerName(signer)}${valid ? '' : ' (INVALID)'}`).join(' + ');
      return `${signers.length} of account ${short(approver ?? '')}${epoch === null ? '' : ` epoch ${epoch}`}: ${names}, ${quorumText({ quorum, signersBy })}`;
    }
    case 'contract':
      return `contract ${short(approver ?? '')}, not checked`;
    case 'none':
      return 'none needed';
    case 'unknown':
      return 'through another contract, not checked';
    case 'unavailable':
      return 'transaction not found';
    case 'contradicted':
      return 'TRANSACTION DISAGREES';
    case 'skipped':
      return 'not looked at';
  }
}

export function signatureText(signature: AuditedSignature): string {
  switch (signature.state) {
    case 'trusted':
      if (signature.by.kind === 'identity') return `${signature.by.identity} (${signature.by.issuer})`;
      return signature.by.kind === 'listed' ? 'listed in the trust root' : `build key ${short(signature.by.keyId)}`;
    case 'untrusted':
      return `NOT TRUSTED: ${signature.code}`;
    case 'missing':
      return 'ATTESTATION MISSING';
    case 'unchecked':
      return 'not checked';
  }
}

/** `2 of 3`, with what is wrong; a dash where it was not looked for. */
export function availabilityText({ availability }: AuditedRelease): string {
  if (availability.length === 0) return '–';
  const fetched = availability.filter(({ image }) => image !== null);
  if (fetched.length === 0) {
    const count = availability.filter(({ attestation }) => attestation === 'available').length;
    return `attestation ${count} of ${availability.length}`;
  }
  const whole = fetched.filter(({ image, attestation }) => image === 'available' && attestation === 'available').length;
  const wrong = fetched.some(({ image }) => image === 'wrong');
  return `${whole} of ${fetched.length}${wrong ? ', WRONG BYTES' : ''}`;
}

/** `1 of 3`: how many of the rebuilders that the trust root names. */
export const rebuiltText = ({ rebuilds }: AuditedRelease, { rebuilders }: AuditedSaidLater): string =>
  rebuilds === null ? 'not checked' : `${rebuilds.length} of ${rebuilders.length}`;

export const rebuilderNames = ({ rebuilds }: AuditedRelease): readonly string[] =>
  (rebuilds ?? []).map(({ rebuilder }) => rebuilder);

/** Whether somebody has to do something about it, or may have to. */
export const isAsking = ({ status }: AuditedAdvisory): boolean =>
  status === 'affected' || status === 'under_investigation';

export function advisoryText({ id, severity, status, fixedIn, title }: AuditedAdvisory): string {
  const remedy = fixedIn === null ? '' : `, fixed in ${fixedIn}`;
  return `${id} (${severity}) ${status.replaceAll('_', ' ')}${remedy}: ${title}`;
}

/** Why rebuilds and advisories were not looked at, or not all of them. */
export function uncheckedText({ unchecked, advisories }: AuditedSaidLater): string | null {
  if (unchecked === null) return null;
  return `Rebuilds and advisories were not ${advisories === null ? '' : 'all '}checked: ${unchecked}.`;
}

/** Whose word all of it is, said plainly. */
export function basisLines({ entries, nodes, witnesses, unwitnessed }: AuditBasis): readonly string[] {
  const lines: string[] = [];
  if (nodes) {
    const { agree, asked, quorum } = nodes;
    lines.push(
      asked === 1
        ? `This is the word of one node: that the block is the chain’s own, ${agree[0] ?? 'it'} alone says. Give more with --rpc.`
        : `${agree.length} of ${asked} nodes show this block alike (quorum ${quorum}): ${agree.join(', ')}.`,
    );
  }
  if (witnesses) {
    const { operators, quorum, sequence, block, trustRoot } = witnesses;
    const whose = trustRoot === 'held' ? 'of the trust root given' : 'of the trust root that the chain itself names';
    lines.push(
      `${operators.length} witnesses (quorum ${quorum}) ${whose} vouch for the history up to event ${sequence}, at block ${block}: ${operators.join(', ')}.`,
    );
  } else if (nodes === null) {
    lines.push(
      `No quorum of witnesses vouches for the block in the file: it is the word of the nodes that the exporter asked, and not vouched for here (${unwitnessed}).`,
    );
  } else lines.push(`No witness was compared with: ${unwitnessed}.`);
  if (entries === 'server') lines.push('The server carried the entries; they were replayed against the proof.');
  return lines;
}

/** The verdict in one line. */
export function verdictText(summary: AuditSummary): string {
  const { complete, sequence, block, firstDifference } = summary;
  if (complete) return `complete: ${sequence} events replay to the history that block ${block.number} proves`;
  const { message = '', sequence: at = 0 } = firstDifference ?? {};
  const namesIt = /^(?:first difference|some entry|entry|entries) /.test(message);
  const where = namesIt ? message : `first difference at event ${at}: ${message}`;
  return `INCOMPLETE: ${where}`;
}

/** Findings that say something else than the verdict does. */
export const besidesVerdict = ({ findings, firstDifference }: AuditSummary): AuditSummary['findings'] =>
  findings.filter(({ code, message }) => code !== 'history-incomplete' || message !== firstDifference?.message);

export const isGood = ({ complete, findings }: AuditSummary): boolean =>
  complete && !findings.some(({ severity }) => severity === 'bad');
