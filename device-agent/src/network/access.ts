import type { Agent } from '../agent.ts';
import { serversOf } from '../trust.ts';
import type { FetchOptions } from './http.ts';

/** How this device may ask a source, and what it notes on the way. */
export function accessTo(agent: Agent, source: string): FetchOptions {
  return {
    ownOrigins: ownOriginsOf(agent),
    onCertificate: (problem) => agent.sources.certificate(source, problem),
  };
}

/** Where the device's own files lead: its configuration, and the trust root that it holds. */
export const ownOriginsOf = (agent: Agent): ReadonlySet<string> =>
  new Set(serversOf(agent).map((server) => new URL(server).origin));
