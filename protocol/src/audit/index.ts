export { accountAddressOf } from './account-address.ts';
export * from './account-code.ts';
export * from './account-events.ts';
export * from './account-record.ts';
export {
  type AccountProof,
  accountProofSchema,
  accountSlots,
  type ProvenAccount,
  proveAccountState,
  signerSlots,
} from './account-storage.ts';
export * from './approvals.ts';
export * from './entry.ts';
export { decodeEntry, type EventDetails, type EventOf, type HistoryEvent } from './event.ts';
export { type EventKind, eventTopics } from './event-ids.ts';
export * from './findings.ts';
export * from './history.ts';
export * from './history-model.ts';
export * from './node-places.ts';
export * from './product-proof.ts';
export * from './replay.ts';
export * from './settled-findings.ts';
export * from './signer-history.ts';
export * from './state.ts';
export * from './transaction.ts';
export * from './verdict.ts';
export * from './vouching.ts';
