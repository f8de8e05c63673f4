export { FirmproofClient, type UploadProgress } from './api-client.ts';
export { signAction } from './approve.ts';
export { type ApprovalSignature, type Approver, SignerApprover, WalletApprover } from './approver.ts';
export { buildStatement, signAttestation } from './attest.ts';
export { type AuditReport, auditProduct } from './audit.ts';
export { checkChain } from './chain-check.ts';
export { writeDeviceFiles } from './device-files.ts';
export { Home } from './home.ts';
export { type Move, registerSuccessor } from './move-product.ts';
export { firstTrustRoot, majorityOf, type ProductOptions, registerProduct } from './product-setup.ts';
export { p256Key, type SignerKey, walletKey } from './signer-key.ts';
export {
  addBuildKey,
  addWitness,
  changeQuorum,
  changeRootKeys,
  dropBuildKey,
  dropWitness,
  type LiveAttestation,
  liveAttestations,
  moveTo,
  nextDocument,
  nextTrustRoot,
  type Place,
  type TrustRootChange,
} from './trust-root-change.ts';
export { signTrustRoot } from './trust-root-document.ts';
export {
  type ConfigurationChange,
  everybodyAtOnce,
  type PreparedRelease,
  type ReleaseOptions,
  type Rollout,
  Vendor,
} from './vendor.ts';
export { verifyImage } from './verify-image.ts';
