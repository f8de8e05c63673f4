import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { FirmproofError } from '../errors.ts';
import { utf8Text } from '../json.ts';
import {
  type AuditLine,
  type AuditLineOf,
  maximumAccountChangesInFile,
  maximumAccountsInFile,
  maximumAdvisoriesInFile,
  maximumAuditLine,
  maximumProofsInFile,
  maximumRebuildsOfEntry,
  maximumSigstoreRootsInFile,
  maximumTrustRootsInFile,
  parseAuditLine,
} from './line.ts';

/** What an entry brings, in this order. */
type Attachment = 'transaction' | 'attestation' | 'rebuild';
type Stage = 'start' | 'documents' | 'entries' | 'end';

/**
 * Takes the lines of an audit file one after the other and refuses what is out of order, too many, or not as the last line sums it up
 * (X1 to X3 of docs/spec/audit.md). It proves nothing about what the lines say. Memory is one line.
 */
export class AuditFileReader {
  #stage: Stage = 'start';
  #lines = 0;
  #header: AuditLineOf<'header'> | null = null;
  #counts = { proof: 0, 'trust-root': 0, 'sigstore-root': 0, account: 0, 'account-change': 0, advisory: 0 };
  #sequence = 0;
  /** What the current entry has brought last; null before any. */
  #attached: 'entry' | Attachment | null = null;
  #rebuilds = 0;
  readonly #sum = sha256.create();

  /** @param bytes one line without its line feed @throws FirmproofError `audit-file-malformed` */
  take(bytes: Uint8Array): AuditLine {
    this.#lines += 1;
    if (bytes.length > maximumAuditLine) throw malformed(`line ${this.#lines} is too long`);
    const line = parseAuditLine(utf8Text(bytes, 'audit-file-malformed', `line ${this.#lines}`), this.#lines);
    this.#follow(line);
    if (line.kind === 'end') this.#close(line);
    this.#sum.update(bytes).update(lineFeed);
    return line;
  }

  /** To be called after the last line. @throws FirmproofError `audit-file-malformed` where the file is cut off */
  end(): void {
    if (this.#stage !== 'end') throw malformed(`it is cut off after line ${this.#lines}`);
  }

  #follow(line: AuditLine): void {
    if (this.#stage === 'end') throw malformed('something follows on the last line');
    if ((line.kind === 'header') !== (this.#stage === 'start')) throw this.#outOfOrder(line);
    switch (line.kind) {
      case 'header':
        this.#header = line;
        this.#stage = 'documents';
        return;
      case 'proof':
      case 'trust-root':
      case 'sigstore-root':
      case 'account':
      case 'account-change':
      case 'advisory':
        if (this.#stage !== 'documents') throw this.#outOfOrder(line);
        if (line.kind === 'account-change' && this.#counts.account === 0) throw this.#outOfOrder(line);
        this.#counts[line.kind] += 1;
        if (this.#counts[line.kind] > maxima[line.kind]) throw malformed(`it has too many lines of ${line.kind}`);
        return;
      case 'entry':
        this.#takeEntry(line);
        return;
      case 'transaction':
      case 'attestation':
      case 'rebuild':
        this.#attach(line);
        return;
      case 'end':
    }
  }

  #takeEntry({ entry }: AuditLineOf<'entry'>): void {
    if (this.#counts.proof === 0) throw malformed('entries come before any proof');
    if (entry.sequence !== this.#sequence + 1) throw malformed(`entry ${entry.sequence} follows on ${this.#sequence}`);
    this.#stage = 'entries';
    this.#sequence = entry.sequence;
    this.#attached = 'entry';
    this.#rebuilds = 0;
  }

  #attach(line: AuditLineOf<Attachment>): void {
    const order = ['entry', 'transaction', 'attestation', 'rebuild'] as const;
    const before = this.#attached === null ? order.length : order.indexOf(this.#attached);
    const isNext = order.indexOf(line.kind) > before || (line.kind === 'rebuild' && this.#attached === 'rebuild');
    if (!isNext) throw this.#outOfOrder(line);
    if (line.kind === 'rebuild') this.#rebuilds += 1;
    if (this.#rebuilds > maximumRebuildsOfEntry) throw malformed('an entry has too many lines of rebuild');
    this.#attached = line.kind;
  }

  #close({ lines, sha256: sum }: AuditLineOf<'end'>): void {
    if (this.#sequence !== this.#header?.entries)
      throw malformed(`it holds ${this.#sequence} entries, ${this.#header?.entries} are announced`);
    if (lines !== this.#lines) throw malformed(`it has ${this.#lines} lines, ${lines} were written`);
    if (bytesToHex(this.#sum.clone().digest()) !== sum) throw malformed('its bytes are not those that were written');
    this.#stage = 'end';
  }

  #outOfOrder = ({ kind }: AuditLine) => malformed(`line ${this.#lines} (${kind}) is out of order`);
}

const lineFeed = Uint8Array.of(10);
const maxima = {
  proof: maximumProofsInFile,
  'trust-root': maximumTrustRootsInFile,
  'sigstore-root': maximumSigstoreRootsInFile,
  account: maximumAccountsInFile,
  'account-change': maximumAccountChangesInFile,
  advisory: maximumAdvisoriesInFile,
} as const;

const malformed = (why: string) => new FirmproofError('audit-file-malformed', `the audit file is malformed: ${why}`);
