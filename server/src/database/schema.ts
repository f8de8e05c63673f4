import type { Generated } from 'kysely';

/** Times are seconds since 1970; booleans are 0 and 1; big numbers and documents are text, alike on every database. */
export interface Tables {
  meta: { key: string; value: string };
  /** `product`: the only one that the token is for; null where it is for all of the publisher's. */
  tokens: { hash: string; publisher: string; scopes: string; expires_at: number; product: string | null };
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
  /** The last report of each device key. */
  device_reports: {
    product: string;
    device: string;
    version: string;
    image: string;
    outcome: string;
    code: string | null;
    counter: number;
    time: number;
    received_at: number;
  };
  /** Every block of every image, and whether the world may have it yet. */
  image_blocks: { cid: string; product: string; image: string; open: number };
  images: { digest: string; product: string; cid: string; size: string; open: number };
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
  'anchored_batches',
  'revoked_devices',
] as const satisfies readonly (keyof Tables)[];
