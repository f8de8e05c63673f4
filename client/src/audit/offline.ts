import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Address,
  type BlockStatement,
  FirmproofError,
  isFirmproofError,
  type Sha256Digest,
  sigstoreRootDigest,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import {
  type AccountRecord,
  type Finding,
  type KnownSet,
  type ProductPlace,
  type ProductProof,
  type ProvenProduct,
  proveProduct,
  type SignerHistory,
  signerHistoryOf,
} from '@firmproof/protocol/audit';
import { AuditFileReader, type AuditLineOf, maximumAuditLine } from '@firmproof/protocol/audit-file';
import type { SignerHistories } from './account-reader.ts';
import { Audit } from './audit.ts';
import { contradictions, summarize } from './audit-product.ts';
import { AuditState } from './audit-state.ts';
import { transactionsFrom } from './examine-approval.ts';
import { examineHistory } from './examine-history.ts';
import { FindingList } from './finding-list.ts';
import { attempt } from './prove-history.ts';
import type { AuditBasis } from './report.ts';
import { SaidLater, type SaidLaterCarrier } from './said-later.ts';
import { witnessedProof } from './server-carrier.ts';
import { Sidecar } from './sidecar.ts';

type Documents = {
  readonly proofs: ProductProof[];
  readonly trustRoots: Map<Sha256Digest, TrustRoot>;
  readonly sigstoreRoots: Map<Sha256Digest, string>;
  readonly accounts: Map<Address, AccountRecord>;
  readonly advisories: string[];
  /** On disk: there is no telling how many. */
  readonly rebuilds: Sidecar;
};

/**
 * Verifies an audit file without asking anybody (X4 of docs/spec/audit.md): form, proofs, replay, approvals, attestations. With a trust root that the auditor has
 * from elsewhere, a quorum of its witnesses has to vouch for the block; without one, whose block it is stays open, and that is said.
 * Whoever calls has to close it.
 * @throws FirmproofError `audit-file-malformed`, `file-not-found`, `usage-invalid` for a trust root of something else, and what a
 * false proof is: `account-proof-invalid`, `storage-proof-invalid`, `registry-absent`, `product-unknown`
 */
export async function auditFile(
  file: string,
  options: {
    readonly trustRoot?: TrustRoot | null;
    readonly onProgress?: (step: 'entries' | 'approvals', done: number, total: number) => void;
  } = {},
): Promise<Audit> {
  const { trustRoot: held = null, onProgress } = options;
  const temporary = mkdtempSync(join(tmpdir(), 'firmproof-audit-'));
  let state: AuditState | null = null;
  let carried: Sidecar | null = null;
  try {
    const lines = linesOf(file);
    const header = await firstLine(lines);
    const place: ProductPlace = { chainId: header.chainId, registry: header.registry, product: header.product };
    if (held) requireSamePlace(place, held);
    state = AuditState.open(temporary, place);
    carried = new Sidecar(join(state.directory, 'carried-rebuilds'));
    const documents = await takeLines(lines, state, carried, held, (done) =>
      onProgress?.('entries', done, header.entries),
    );
    const [main] = documents.proofs;
    if (main === undefined) throw malformed('it holds no proof');
    const findings = new FindingList();
    const proven = await proveProduct(main, place);
    if (proven.sequence !== header.entries) throw malformed('its proof is of another number of entries');
    const others = await Promise.all(documents.proofs.slice(1).map((proof) => proveProduct(proof, place)));
    const all = [proven, ...others];
    const last = attempt(
      state,
      proven,
      all.map(({ sequence }) => sequence),
    );
    const firstDifference = last.difference ?? null;
    const vouching = await vouched(documents.proofs, proven, place, held);
    const facts = new Sidecar(join(state.directory, 'facts'));
    const later =
      firstDifference === null
        ? await SaidLater.read(carriedByFile(documents), proven.trustRoot, documents, findings)
        : null;
    const model =
      later !== null
        ? await examineHistory(state, facts, place, {
            transactions: transactionsFrom([], state.transactions),
            signers: signersFrom(documents.accounts, main.block, findings, held === null || vouching.isOfMain),
            means: { sources: [], isFile: true, atSeconds: newest(all), fetch: false, ...documents },
            later,
            findings,
            total: header.entries,
            onProgress: (done, total) => onProgress?.('approvals', done, total),
          })
        : null;
    for (const { sequence, history } of others) {
      if (last.replay === null || last.replay.at(sequence) === history) continue;
      const message = `another proof in the file shows history ${history} at event ${sequence}`;
      findings.add({ code: 'history-differs', severity: 'bad', sequence, message });
    }
    if (model) findings.add(...contradictions(model, proven, place));
    if (vouching.finding) findings.add(vouching.finding);
    const { witnesses, unwitnessed } = vouching;
    const basis = { entries: 'file', nodes: null, witnesses, unwitnessed } as const;
    const summary = summarize(place, {
      proven,
      history: { replay: last.replay, firstDifference },
      model,
      later,
      findings,
      basis,
    });
    const material = { proofs: documents.proofs, trustRoots: [], sigstoreRoots: [], accounts: [], advisories: [] };
    return new Audit({ summary, material, state, facts, model, temporary });
  } catch (error) {
    state?.close();
    rmSync(temporary, { recursive: true, force: true });
    throw error;
  } finally {
    carried?.close();
  }
}

/** As it was in the file: verified again, for anybody can write one (X4.6). */
function carriedByFile({ advisories, rebuilds }: Documents): SaidLaterCarrier {
  const read = rebuilds.readerOfAll();
  return {
    from: 'file',
    advisories: () => Promise.resolve(advisories),
    rebuilds: ({ sequence }) => Promise.resolve(read(sequence)),
  };
}

/** The time of the newest block: an older one excuses nothing that is missing (X4.2). */
const newest = (proven: readonly ProvenProduct[]) => Math.max(...proven.map(({ block }) => block.timestamp));

/**
 * Accounts are proved under the block of the first proof, as its product is (X4).
 * @param isStorageBelieved whether what storage of that block holds is as good as what vouches for the rest
 */
function signersFrom(
  records: Documents['accounts'],
  block: BlockStatement,
  findings: FindingList,
  isStorageBelieved: boolean,
): SignerHistories {
  const known = new Map<Address, SignerHistory | null>();
  return async (account) => {
    const record = records.get(account);
    if (record === undefined) return null;
    const before = known.get(account);
    if (before !== undefined) return before;
    const found = await signerHistoryOf(record, block).catch((error: unknown) => {
      if (!isFirmproofError(error)) throw error;
      const message = `the file's proof of account ${account} is false: ${error.message}`.slice(0, 500);
      findings.add({ code: 'approval-unproven', severity: 'bad', message });
      return null;
    });
    const history = found && (isStorageBelieved ? found : withoutStorage(found));
    for (const dispute of history?.disputes ?? []) {
      const message = `what the file says of account ${account} is not so: ${dispute}`.slice(0, 500);
      findings.add({ code: 'approval-unproven', severity: 'bad', message });
    }
    known.set(account, history);
    return history;
  };
}

/** Whoever makes up a block makes up what it holds: a set that only storage has is their word then, and not proven. */
function withoutStorage(history: SignerHistory): SignerHistory {
  const demoted = <Known extends KnownSet>(set: Known): Known =>
    set.basis === 'storage' ? { ...set, basis: 'shown' } : set;
  return { ...history, sets: history.sets.map(demoted), changes: history.changes.map(demoted) };
}

type Vouched = Pick<AuditBasis, 'witnesses' | 'unwitnessed'> & {
  /** Whether they vouch for the block of the first proof itself, and not only for an earlier one. */
  readonly isOfMain: boolean;
  readonly finding: Finding | null;
};

/** The newest block in the file that a quorum of the held trust root's witnesses vouches for. */
async function vouched(
  proofs: readonly ProductProof[],
  { sequence, block }: ProvenProduct,
  place: ProductPlace,
  held: TrustRoot | null,
): Promise<Vouched> {
  const nobody = (unwitnessed: string, severity: Finding['severity'], message: string): Vouched => {
    const finding: Finding = { code: 'no-quorum', severity, message };
    return { witnesses: null, unwitnessed, isOfMain: false, finding };
  };
  if (held === null) {
    const message = 'no trust root was given, so nobody vouches here for the block that the file rests on';
    return nobody('no trust root was given: give it with --trust-root', 'warn', message);
  }
  const newestFirst = [...proofs].sort((one, other) => other.block.number - one.block.number);
  let why = 'no proof in the file brings signatures of witnesses';
  for (const proof of newestFirst) {
    if (proof.cosignatures.length === 0) continue;
    const found = await witnessedProof(proof, place, held);
    if (!('witnesses' in found)) {
      why = found.message;
      continue;
    }
    const { witnesses } = found;
    const isOfMain = proof.block.stateRoot === block.stateRoot;
    if (witnesses.sequence >= sequence) return { witnesses, unwitnessed: null, isOfMain, finding: null };
    // A genuine beginning proves nothing of what somebody has put behind it (V6.2, X4.3).
    const message = `witnesses vouch for ${witnesses.sequence} of the ${sequence} events in the file: what comes after them is the word of whoever exported it`;
    return { witnesses, unwitnessed: null, isOfMain, finding: { code: 'no-quorum', severity: 'bad', message } };
  }
  return nobody(why, 'bad', why);
}

function requireSamePlace(place: ProductPlace, root: TrustRoot): void {
  const differs = (['chainId', 'registry', 'product'] as const).find((name) => place[name] !== root[name]);
  if (differs === undefined) return;
  throw new FirmproofError(
    'usage-invalid',
    `the file is about ${differs} ${place[differs]}, the trust root about ${root[differs]}`,
    { hint: 'Give the trust root of the product that the file is about.' },
  );
}

type Lines = AsyncGenerator<ReturnType<AuditFileReader['take']>>;

async function firstLine(lines: Lines): Promise<AuditLineOf<'header'>> {
  const { value } = await lines.next();
  if (value?.kind !== 'header') throw malformed('it does not begin with a header');
  return value;
}

async function takeLines(
  lines: Lines,
  state: AuditState,
  rebuilds: Sidecar,
  held: TrustRoot | null,
  onEntry: (done: number) => void,
): Promise<Documents> {
  const documents: Documents = {
    proofs: [],
    trustRoots: new Map(),
    sigstoreRoots: new Map(),
    accounts: new Map(),
    advisories: [],
    rebuilds,
  };
  if (held) documents.trustRoots.set(held.digest, held);
  let sequence = 0;
  let account: Address | null = null;
  for await (const line of lines) {
    if (line.kind === 'proof') documents.proofs.push(line.proof);
    else if (line.kind === 'trust-root') {
      const root = readRoot(line.envelope);
      if (root) documents.trustRoots.set(root.digest, root);
    } else if (line.kind === 'sigstore-root') documents.sigstoreRoots.set(sigstoreRootDigest(line.text), line.text);
    else if (line.kind === 'entry') {
      ({ sequence } = line.entry);
      state.take(line.entry);
      if (sequence % 256 === 0) onEntry(sequence);
    } else if (line.kind === 'account') {
      ({ account } = line.account);
      documents.accounts.set(account, { ...line.account, changes: [] });
    } else if (line.kind === 'account-change') {
      const record = account && documents.accounts.get(account);
      if (record) documents.accounts.set(record.account, { ...record, changes: [...record.changes, line.change] });
    } else if (line.kind === 'transaction') state.transactions.add(sequence, JSON.stringify(line.transaction));
    else if (line.kind === 'attestation') state.attestations.add(sequence, line.text);
    else if (line.kind === 'rebuild') rebuilds.addAnother(sequence, line.text);
    else if (line.kind === 'advisory') documents.advisories.push(line.text);
  }
  return documents;
}

/** One that its own keys have not signed is none. */
function readRoot(envelope: AuditLineOf<'trust-root'>['envelope']): TrustRoot | null {
  try {
    return trustRootOfEnvelope(envelope);
  } catch (error) {
    if (isFirmproofError(error)) return null;
    throw error;
  }
}

const lineFeed = 10;

async function* linesOf(file: string): Lines {
  const reader = new AuditFileReader();
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of readable(file)) {
    let bytes: Buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let end = bytes.indexOf(lineFeed); end >= 0; end = bytes.indexOf(lineFeed)) {
      yield reader.take(bytes.subarray(0, end));
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > maximumAuditLine) throw malformed('a line is too long');
    rest = bytes;
  }
  if (rest.length > 0) throw malformed('it does not end with a whole line');
  reader.end();
}

async function* readable(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file, { highWaterMark: 1 << 20 });
  } catch (cause) {
    throw new FirmproofError('file-not-found', `the audit file ${file} cannot be read`, { cause });
  }
}

const malformed = (why: string) => new FirmproofError('audit-file-malformed', `the audit file is malformed: ${why}`);
