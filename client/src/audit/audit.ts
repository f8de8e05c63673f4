import { rmSync } from 'node:fs';
import type { ProductId, Version } from '@firmproof/protocol';
import {
  type AccountRecord,
  decodeEntry,
  type Entry,
  type ProductHistory,
  type ProductProof,
} from '@firmproof/protocol/audit';
import type { AuditState } from './audit-state.ts';
import type { ReleaseFacts } from './examine-release.ts';
import type {
  AuditedAdvisory,
  AuditedApproval,
  AuditedEvent,
  AuditedRelease,
  AuditSummary,
  PublishedAdvisory,
} from './report.ts';
import type { Sidecar } from './sidecar.ts';

/** What was found out about one event; on disk until the report is written. */
export type EventFacts = {
  readonly approval: AuditedApproval;
  readonly release?: Omit<ReleaseFacts, 'text'> & Pick<AuditedRelease, 'rebuilds'>;
};

/** What an export needs besides entries. */
export type AuditMaterial = {
  readonly proofs: readonly ProductProof[];
  readonly trustRoots: readonly string[];
  readonly sigstoreRoots: readonly string[];
  /** Whose keys the vendor accounts have had, proven at the block of the first proof. */
  readonly accounts: readonly AccountRecord[];
  readonly advisories: readonly string[];
};

/**
 * A finished audit. Its rows are read from disk as often as they are asked for, so that an audit of any length fits into memory;
 * there are none where the history is not complete, since nothing of it is proven then.
 */
export class Audit {
  readonly summary: AuditSummary;
  readonly material: AuditMaterial;
  readonly #state: AuditState;
  readonly #facts: Sidecar;
  readonly #model: ProductHistory | null;
  readonly #temporary: string | null;

  constructor(parts: {
    readonly summary: AuditSummary;
    readonly material: AuditMaterial;
    readonly state: AuditState;
    readonly facts: Sidecar;
    readonly model: ProductHistory | null;
    /** A directory that goes when the audit is closed. */
    readonly temporary: string | null;
  }) {
    this.summary = parts.summary;
    this.material = parts.material;
    this.#state = parts.state;
    this.#facts = parts.facts;
    this.#model = parts.model;
    this.#temporary = parts.temporary;
  }

  get product(): ProductId {
    return this.summary.product;
  }

  /** The raw entries, oldest first, with what was fetched for them. */
  *entries(): Generator<{
    readonly entry: Entry;
    readonly transaction: string | null;
    readonly attestation: string | null;
    readonly rebuilds: readonly string[];
  }> {
    if (this.#model === null) return;
    const transaction = this.#state.transactions.reader();
    const attestation = this.#state.attestations.reader();
    const rebuilds = this.#state.rebuilds.readerOfAll();
    for (const entry of this.#state.entries()) {
      const { sequence } = entry;
      const attached = { attestation: attestation(sequence), rebuilds: rebuilds(sequence) };
      yield { entry, transaction: transaction(sequence), ...attached };
    }
  }

  *events(): Generator<AuditedEvent> {
    for (const { event, facts } of this.#examined()) yield { event, approval: facts.approval };
  }

  /** In the order in which they were published. */
  *releases(): Generator<AuditedRelease> {
    const heads = [...(this.#model?.channels.values() ?? [])];
    const advisories = advisoriesByVersion(this.summary.saidLater.advisories);
    for (const { event, facts } of this.#examined()) {
      if (event.kind !== 'published' || facts.release === undefined) continue;
      const { version, sequence, rollbackIndex, installableFrom, image, attestation, block, transaction, time } = event;
      const known = this.#model?.releases.get(version);
      yield {
        version,
        status: known?.revoked ? 'revoked' : 'active',
        sequence,
        rollbackIndex,
        publishedAt: time,
        installableFrom,
        revoked: known?.revoked ?? null,
        headOf: heads.filter((head) => head.version === version).map(({ channel }) => channel),
        promotions: known?.promotions.length ?? 0,
        image,
        attestation,
        block,
        transaction,
        approval: facts.approval,
        ...facts.release,
        advisories: advisories && (advisories.get(version) ?? []),
      };
    }
  }

  *#examined() {
    if (this.#model === null) return;
    const facts = this.#facts.reader();
    for (const entry of this.#state.entries()) {
      const text = facts(entry.sequence);
      if (text === null) throw new Error(`nothing was found out about event ${entry.sequence}`);
      yield { event: decodeEntry(entry), facts: JSON.parse(text) as EventFacts };
    }
  }

  /** Lets go of the files. Rows cannot be read afterwards. */
  close(): void {
    this.#facts.close();
    this.#state.close();
    if (this.#temporary !== null) rmSync(this.#temporary, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Few, however many releases there are: a carrier is read only so far. */
function advisoriesByVersion(
  advisories: readonly PublishedAdvisory[] | null,
): ReadonlyMap<Version, readonly AuditedAdvisory[]> | null {
  if (advisories === null) return null;
  const found = new Map<Version, AuditedAdvisory[]>();
  for (const { versions, text: _, ...advisory } of advisories) {
    for (const version of versions) {
      const before = found.get(version);
      if (before) before.push(advisory);
      else found.set(version, [advisory]);
    }
  }
  return found;
}
