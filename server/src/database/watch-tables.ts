import type { Generated } from 'kysely';

/** Tables of the log of the server and of webhooks. */
export interface WatchTables {
  /** Each start of the server, with what its owners may know of the configuration. */
  server_starts: { id: Generated<number>; time: number; details: string };
  /** Where each owner's log ends; `last_start`: the newest start that is in it. */
  server_logs: { owner: string; entries: number; hash: string; last_start: number };
  server_log_entries: { owner: string; position: number; document: string };
  /** `from_block`: events of the chain up to this block came before it was added. `events` is a document. */
  webhooks: {
    id: string;
    publisher: string;
    url: string;
    events: string;
    secret: string;
    previous_secret: string | null;
    previous_secret_until: number | null;
    disabled_reason: string | null;
    failing_since: number | null;
    from_block: number;
    created_at: number;
  };
  /** The outbox. `sequence` and `history`, of an event of the chain: what the product's history was right after it. `withdrawn`: it is on
   * the chain no more. Of an old one only the row is left, so that it is never told twice. */
  webhook_messages: {
    id: string;
    publisher: string;
    product: string | null;
    type: string;
    body: string;
    created_at: number;
    sequence: number | null;
    history: string | null;
    withdrawn: number;
  };
  webhook_sequences: { publisher: string; last: number };
  webhook_deliveries: {
    position: Generated<number>;
    id: string;
    webhook: string;
    message: string;
    state: string;
    next_attempt_at: number;
    first_attempt_at: number | null;
    attempt_count: number;
    attempts: string;
    created_at: number;
  };
}
