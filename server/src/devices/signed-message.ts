import type { IncomingHttpHeaders } from 'node:http';

/** A message of a device, as it came. */
export type SignedMessage = {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};
