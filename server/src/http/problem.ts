import { type ErrorCode, FirmproofError, isFirmproofError, type Problem } from '@firmproof/protocol';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import type { Logger } from 'pino';

/** HTTP status of each code that a request can meet; everything else that is the client's mistake is 422. */
const statuses: Partial<Record<ErrorCode, number>> = {
  'request-invalid': 400,
  'cid-invalid': 400,
  'gateway-format-unsupported': 406,
  'upload-malformed': 400,
  'upload-part-missing': 400,
  'upload-part-unexpected': 400,
  'upload-truncated': 400,
  'upload-aborted': 400,
  'length-mismatch': 400,
  'image-empty': 400,
  'upload-timeout': 408,
  'image-too-large': 413,
  'document-too-large': 413,
  'document-empty': 400,
  'range-not-satisfiable': 416,
  'quota-exceeded': 429,
  'product-moved': 410,
  'nothing-scheduled': 409,
  'too-late-to-stop': 409,
  'receipt-replayed': 409,
  'clone-suspected': 409,
  'device-exists': 409,
  'receipt-malformed': 400,
  'enrolment-malformed': 400,
  'message-unsigned': 401,
  'message-digest-mismatch': 401,
  'message-signature-invalid': 401,
  'message-expired': 401,
  'claim-token-invalid': 403,
  'device-not-enrolled': 403,
  'device-not-found': 404,
  'rebuild-malformed': 400,
  'advisory-malformed': 400,
  'rebuilder-unknown': 403,
  'advisory-not-found': 404,
  'advisory-revision-old': 409,
  'authentication-required': 401,
  'token-invalid': 401,
  'login-invalid': 401,
  'oidc-token-invalid': 401,
  'oidc-issuer-unknown': 403,
  'oidc-identity-unknown': 403,
  'token-scope': 403,
  'not-found': 404,
  'block-not-found': 404,
  'not-installable-yet': 404,
  'product-not-found': 404,
  'token-not-found': 404,
  'webhook-not-found': 404,
  'release-not-found': 404,
  'channel-not-found': 404,
  'proposal-not-found': 404,
  'device-list-missing': 404,
  'document-missing': 404,
  'account-not-found': 404,
  'version-exists': 409,
  'product-exists': 409,
  'release-revoked': 409,
  'already-halted': 409,
  'guardian-missing': 409,
  'approval-epoch': 409,
  'approval-counter': 409,
  'configuration-pending': 409,
  'recovery-pending': 409,
  'proposal-closed': 409,
  'devices-anchored': 409,
  'device-revoked': 403,
  'signer-unknown': 403,
  internal: 500,
  'chain-unreachable': 503,
  'device-anchor-missing': 503,
  'oidc-issuer-unreachable': 503,
  'evidence-not-ready': 503,
  unavailable: 503,
  'channel-stopped': 503,
  'relayer-out-of-gas': 503,
  'storage-full': 507,
};

function statusOf(code: ErrorCode): number {
  return statuses[code] ?? 422;
}

/** RFC 9457. The type is the code's entry in the error catalogue. */
function problemOf(error: FirmproofError): Problem {
  return {
    type: `https://firmproof.dev/errors#${error.code}`,
    title: error.code,
    status: statusOf(error.code),
    detail: error.message,
    code: error.code,
    hint: error.hint,
    ...(error.details && { details: error.details }),
  };
}

export const notFound: RequestHandler = (request) => {
  throw new FirmproofError('not-found', `nothing is at ${request.method} ${request.path.slice(0, 200)}`);
};

/** The one place where errors become answers. A mistake of our own is logged whole and told in one word. */
export function problemHandler(log: Logger): ErrorRequestHandler {
  return (error: unknown, request, response, next) => {
    const failure = isFirmproofError(error) ? error : fromExpress(error);
    if (failure.code === 'internal') log.error({ err: error, path: request.path }, 'internal error');
    if (response.headersSent) return next(error);
    const problem = problemOf(failure);
    if (problem.status === 503) response.setHeader('retry-after', '5');
    response.removeHeader('etag');
    response
      .status(problem.status)
      .setHeader('cache-control', 'no-store')
      .type('application/problem+json')
      .send(JSON.stringify(problem));
  };
}

function fromExpress(error: unknown): FirmproofError {
  const status = typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500;
  if (status >= 400 && status < 500)
    return new FirmproofError('request-invalid', 'the request cannot be read', { cause: error });
  return new FirmproofError('internal', 'something went wrong in the server', { cause: error });
}
