import { rmSync } from 'node:fs';
import type { ProductId } from '@firmproof/protocol';
import {
  type AccountRecord,
  decodeEntry,
  type Entry,
  type ProductHistory,
  type ProductProof,
} from '@firmproof/protocol/audit';
import type { AuditState } from './audit-state.ts';
import type { ReleaseFacts } from './examine-release.ts';
import type { AuditedApproval, AuditedEvent, AuditedRelease, AuditSummary } from './report.ts';
import type { Sidecar } from './sidecar.ts';

/** What was found out about one event; on disk until the report is written. */
export type EventFacts = { readonly approval: AuditedApproval; readonly release?: Omit<ReleaseFacts, 'text'> };

/** What an export needs besides entries. */
export type AuditMaterial = {
  readonly proofs: readonly ProductProof[];
  readonly trustRoots: readonly string[];
  readonly sigstoreRoots: readonly string[];
  /** Whose keys the vendor accounts have had, proven at the block of the first proof. */
  readonly accounts: readonly AccountRecord[];
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
  }> {
    if (this.#model === null) return;
    const transaction = this.#state.transactions.reader();
    const attestation = this.#state.attestations.reader();
    for (const entry of this.#state.entries()) {
      yield { entry, transaction: transaction(entry.sequence), attestation: attestation(entry.sequence) };
    }
  }

  *events(): Generator<AuditedEvent> {
    for (const { event, facts } of this.#examined()) yield { event, approval: facts.approval };
  }

  /** In the order in which they were published. */
  *releases(): Generator<AuditedRelease> {
    const heads = [...(this.#model?.channels.values() ?? [])];
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
