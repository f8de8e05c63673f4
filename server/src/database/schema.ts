import type { Generated } from 'kysely';
import type { WatchTables } from './watch-tables.ts';

/** Times are seconds since 1970; booleans are 0 and 1; big numbers and documents are text, alike on every database. */
export interface Tables extends WatchTables {
  meta: { key: string; value: string };
  /** `scopes`: with commas between. `product`: the only one that the token is for; null where it is for all of the publisher's. */
  tokens: {
    hash: string;
    id: string;
    publisher: string;
    scopes: string;
    product: string | null;
    label: string | null;
    origin: string;
    created_at: number;
    expires_at: number;
    last_used_at: number | null;
  };
  login_nonces: { nonce: string; deadline: number };
  uploads: { publisher: string; day: number; bytes: string };
  proposals: {
    id: string;
    kind: string;
    product: string;
    publisher: string;
    state: string;
    request: string;
    reason_code: string | null;
    reason_message: string | null;
    version: string | null;
    channel: string | null;
    image_digest: string | null;
    image_cid: string | null;
    image_size: string | null;
    transaction_hash: string | null;
    raw_transaction: string | null;
    /** Empty where nobody has to approve. */
    approver: string;
    /** Documents: StoredApproval[], StoredRejection[], Requirements as they were last seen. */
    approvals: string;
    rejections: string;
    requirements: string | null;
    held: number;
    created_at: number;
    updated_at: number;
  };
  proposal_events: { position: Generated<number>; proposal: string; document: string };
  attestations: { digest: string; text: string };
  sigstore_roots: { digest: string; text: string };
  /** `previous`: the digest of the root that it steps from. */
  trust_roots: { digest: string; product: string; version: number; envelope: string; previous: string | null };
  /**
   * Devices by the digests of their keys, with what their newest receipt says; `flags`, `outcome` and `seen` are documents.
   * `leaf` is what the chain knows a device by; `view_judged` is 0 while the chain is not as far as the device has seen it.
   */
  devices: {
    product: string;
    key_digest: string;
    device: string;
    public_key: string | null;
    salt: string;
    leaf: string;
    state: string;
    enrolled_by: string | null;
    hardware: string | null;
    asked_at: number;
    last_seen_at: number | null;
    counter: number | null;
    running_version: string | null;
    running_image: string | null;
    outcome: string | null;
    seen: string | null;
    view_judged: number;
    agent_version: string | null;
    flags: string;
  };
  /** The newest receipts and all outcomes of each device as they were signed, and those that speak of a second one with its key. */
  device_receipts: {
    product: string;
    key_digest: string;
    counter: number;
    kind: string;
    digest: string;
    body: string;
    signature_input: string;
    signature: string;
    received_at: number;
    clone_suspected: number;
  };
  /** So many devices of a product more, or fewer, run a version from a day (since 1970) on. */
  fleet_changes: { product: string; day: number; version: string; devices: number };
  /** How often one thing became of a release; `code` is empty where the device named none. */
  fleet_outcomes: { product: string; version: string; result: string; code: string; receipts: number };
  claim_tokens: { hash: string; id: string; product: string; remaining: number; expires_at: number };
  /** Lists that are being imported: they become devices all at once, or not at all. */
  device_imports: {
    import: string;
    line: number;
    device: string;
    key_digest: string;
    public_key: string | null;
    salt: string;
    leaf: string;
    /** The list gave the salt. */
    salted: number;
  };
  /** Every block of every image, and of the attestations about it (`attestation`: which), and whether the world may have it yet. */
  image_blocks: { cid: string; product: string; image: string; attestation: string | null; open: number };
  images: { digest: string; product: string; cid: string; size: string; open: number };
  /** Documents about releases, each block of them, and which attestations (of which images) name them. */
  documents: { digest: string; product: string; cid: string; size: number; received_at: number; open: number };
  document_blocks: { cid: string; product: string; document: string };
  release_documents: { attestation: string; product: string; document: string; image: string };
  /** Rebuilds that held when they came; `payload` is the sha-256 of what was signed. */
  rebuilds: {
    product: string;
    version: string;
    payload: string;
    key_id: string;
    text: string;
    received_at: number;
  };
  /**
   * Every revision that held when it came. `key_id` is empty for keyless ones; `versions` is a JSON list; `vex` the sha-256 of
   * the document that it names.
   */
  advisories: {
    product: string;
    id: string;
    revision: number;
    payload: string;
    key_id: string;
    versions: string;
    vex: string | null;
    text: string;
    received_at: number;
  };
  evidence: {
    product: string;
    channel: string;
    etag: string;
    block: number;
    block_timestamp: number;
    document: string;
  };
  /** The index: what the final events of the registry say. Rebuilt from the chain whenever that has changed. */
  products: {
    id: string;
    name: string;
    publisher: string;
    guardian: string;
    delay: number;
    epoch: number;
    sequence: number;
    top_index: number;
    trust_root: string;
    history: string;
    pending: string | null;
    pending_from: number;
    /** The scheduled Configure message. */
    pending_configuration: string | null;
    position: number;
  };
  /** Channels that this server offers to nobody, with the counter of the head that was stopped. */
  stops: {
    product: string;
    channel: string;
    version: string;
    counter: number;
    since: number;
  };
  heads: {
    product: string;
    channel: string;
    version: string;
    counter: number;
    start: number;
    duration: number;
    first_share: number;
    halted: number;
    halts: number;
  };
  /** The history hash after each event: what a device that saw this many has seen. */
  product_histories: { product: string; sequence: number; history: string };
  /** The final events as they were logged; topics are a document. */
  events: {
    product: string;
    sequence: number;
    topics: string;
    data: string;
    block_number: number;
    block_hash: string;
    transaction_hash: string;
  };
  /** The transactions behind events that somebody has asked for. */
  event_transactions: { hash: string; document: string };
  anchored_batches: { product: string; root: string; count: number; anchored_at: number };
  revoked_devices: { product: string; leaf: string; revoked_at: number };
  releases: {
    product: string;
    version: string;
    status: number;
    rollback_index: number;
    sequence: number;
    published_at: number;
    installable_from: number;
    image: string;
    attestation: string;
  };
}

export const indexTables = [
  'products',
  'heads',
  'releases',
  'product_histories',
  'events',
  'event_transactions',
  'anchored_batches',
  'revoked_devices',
] as const satisfies readonly (keyof Tables)[];
