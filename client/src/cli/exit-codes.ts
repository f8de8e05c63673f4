import type { ErrorCode } from '@firmproof/protocol';

/** What `firmproof` exits with; `--help` shows the same table. */
export const exitCodes = {
  done: 0,
  /** A mistake in Firmproof itself. */
  internal: 1,
  /** Command line, files or configuration. */
  usage: 2,
  /** The server or the registry refuses what was asked. */
  refused: 3,
  /** Key, passphrase, token or identity of CI. */
  keys: 4,
  /** verify, audit, server-log: not proven, incomplete, changed since, or something bad was found. monitor --once: alerts. */
  unproven: 5,
  /** The server, the chain, the wallet or Sigstore does not answer, or lacks what is needed. */
  unreachable: 7,
  /** Ctrl-C at a prompt, as a shell has it. */
  interrupted: 130,
} as const;

const usage: readonly ErrorCode[] = [
  'usage-invalid',
  'config-invalid',
  'file-not-found',
  'file-differs',
  'image-empty',
  'version-invalid',
  'name-invalid',
  'bytes32-invalid',
  'address-invalid',
  'digest-invalid',
  'cid-invalid',
  'setup-exists',
  'evidence-malformed',
  'trust-root-malformed',
  'relay-file-malformed',
  'device-list-malformed',
  'factory-list-malformed',
  'sbom-malformed',
  'rebuild-malformed',
  'advisory-malformed',
  'provenance-malformed',
  'provenance-subject',
  'vex-malformed',
  'notes-malformed',
  'document-too-large',
  'document-empty',
  'vulnerability-invalid',
  'sigstore-root-malformed',
  'port-in-use',
  'signer-invalid',
  'signers-invalid',
  'announcements-unreadable',
  'monitor-running',
  'monitor-state-damaged',
  'webhook-secret-invalid',
  'audit-file-malformed',
];
const keys: readonly ErrorCode[] = [
  'key-not-found',
  'key-invalid',
  'passphrase-wrong',
  'token-invalid',
  'token-scope',
  'authentication-required',
  'login-invalid',
  'ci-identity-missing',
  'oidc-token-invalid',
  'oidc-issuer-unknown',
  'oidc-identity-unknown',
  'signer-command-failed',
  'signer-unknown',
];
const unproven: readonly ErrorCode[] = [
  'server-lied',
  'rebuild-differs',
  'document-digest-mismatch',
  'server-log-rewritten',
  'chain-incomplete',
  'account-proof-invalid',
  'storage-proof-invalid',
  'registry-absent',
  'nodes-disagree',
  'history-incomplete',
  'chain-mismatch',
];
const unreachable: readonly ErrorCode[] = [
  'server-unreachable',
  'chain-unreachable',
  'chain-unsuitable',
  'no-quorum',
  'deployment-proxy-missing',
  'signer-unreachable',
  'unavailable',
  'evidence-not-ready',
  'sigstore-unavailable',
  'oidc-issuer-unreachable',
];

export function exitCodeOf(code: ErrorCode): number {
  if (code === 'internal') return exitCodes.internal;
  if (usage.includes(code)) return exitCodes.usage;
  if (keys.includes(code)) return exitCodes.keys;
  if (unproven.includes(code)) return exitCodes.unproven;
  if (unreachable.includes(code)) return exitCodes.unreachable;
  return exitCodes.refused;
}

export const exitCodeTable = `
Exit codes
  0  done
  1  a mistake in Firmproof itself
  2  command line, files or configuration
  3  the server or the registry refuses what was asked
  4  key, passphrase, token or identity of CI
  5  verify, audit, server-log: not proven, incomplete, changed since, or something bad was found;
     monitor --once: there are alerts
  7  the server, the chain, the wallet or Sigstore does not answer, or lacks what is needed
  130  ended by Ctrl-C; 6 is not used
`;

export const environmentTable = `
Environment
  FIRMPROOF_HOME        keys, settings and device files (default ~/.firmproof)
  FIRMPROOF_SERVER      address of the server (default http://127.0.0.1:8440, or the one that setup was run with)
  FIRMPROOF_PASSPHRASE  opens the keys, for CI; without it you are asked
  FIRMPROOF_TOKEN       API token, instead of the one that login keeps
  FIRMPROOF_ID_TOKEN    ID token for login --oidc and publish --keyless, where CI gives none by itself
  SIGSTORE_ID_TOKEN     ID token for Fulcio, likewise
`;
