/** Everything from these files, and connections to those hosts: no other host, nothing inline, no frame, no form. */
const policy = (connections: readonly string[]) =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "worker-src 'self'",
    `connect-src ${["'self'", ...connections].join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');

/** The approval pages talk to one server, which the build names. */
export const approvalPolicy = (server: string | undefined) => policy(server === undefined ? [] : [server]);

/**
 * Visitors of the audit pages bring servers and RPC nodes of their own, which nobody knows when the pages are built (ADR 19).
 * Without TLS only on the visitor's own machine, or where the operator names it so.
 */
export const auditPolicy = (named: readonly string[]) =>
  policy([
    'https:',
    'http://localhost:*',
    'http://127.0.0.1:*',
    ...new Set(named.map((url) => new URL(url).origin).filter((origin) => origin.startsWith('http:'))),
  ]);
