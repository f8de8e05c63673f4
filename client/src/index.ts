export {
  cancelRecovery,
  completeRecovery,
  proposeChange,
  scheduleRecovery,
  setRecovery,
  setSigners,
} from './account-change.ts';
export { Administration } from './administration.ts';
export { type AdvisoryDraft, advisoryRevisions, listAdvisories, sendAdvisory, signAdvisory } from './advisory.ts';
export { FirmproofClient, type UploadProgress } from './api-client.ts';
export { signAction } from './approve.ts';
export { type ApprovalSignature, type Approver, SignerApprover, WalletApprover } from './approver.ts';
export { type Attest, attest, buildStatement, type SignStatement, signAttestation, signStatement } from './attest.ts';
export {
  Audit,
  type AuditedApproval,
  type AuditedEvent,
  type AuditedRelease,
  type AuditOptions,
  type AuditSummary,
  auditFile,
  auditProduct,
  ContentSource,
  writeAuditFile,
} from './audit/index.ts';
export { checkChain } from './chain-check.ts';
export { writeDeviceFiles } from './device-files.ts';
export { type DocumentFiles, type PreparedDocuments, prepareDocuments } from './documents/prepare-documents.ts';
export { type ExportedRelease, exportRelease } from './export-release.ts';
export { Home } from './home.ts';
export { keylessAttester, keylessSigner, type SigstoreServices, sigstoreWitnesses } from './keyless.ts';
export { type Move, registerSuccessor } from './move-product.ts';
export type { ReleaseOptions } from './prepare-release.ts';
export { firstTrustRoot, majorityOf, type ProductOptions, registerProduct } from './product-setup.ts';
export { attestRebuild, type ListedRebuilds, listRebuilds, type RebuildOptions } from './rebuild.ts';
export { recordedImage } from './recorded-image.ts';
export { everybodyAtOnce, type Rollout } from './rollout.ts';
export { readServerLog } from './server-log.ts';
export { p256Key, type SignerKey, walletKey } from './signer-key.ts';
export { parseTeamRule, reserveOf, type SignerSet } from './team.ts';
export {
  addBuildKey,
  addRebuilder,
  addWitness,
  changeQuorum,
  changeRootKeys,
  dropBuildKey,
  dropRebuilder,
  dropWitness,
  type LiveAttestation,
  liveAttestations,
  moveTo,
  nextDocument,
  nextTrustRoot,
  type Place,
  setKeyless,
  type TrustRootChange,
} from './trust-root-change.ts';
export { signTrustRoot } from './trust-root-document.ts';
export { type ConfigurationChange, type PreparedRelease, Vendor } from './vendor.ts';
export { verifyImage } from './verify-image.ts';
