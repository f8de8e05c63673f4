export { type ApprovalSignature, FirmproofClient, type UploadProgress } from './api-client.ts';
export { signAction, signLogin } from './approve.ts';
export { buildStatement, signAttestation } from './attest.ts';
export { signTrustRoot } from './trust-root-document.ts';
export { everybodyAtOnce, type PreparedRelease, type ReleaseOptions, type Rollout, Vendor } from './vendor.ts';
