import type { Envelope, Evidence, TrustRoot } from '@firmproof/protocol';
import type { Agent } from './agent.ts';
import { fetchEvidence, fetchTrustRoots } from './evidence-source.ts';
import { accessTo } from './network/access.ts';
import { serversOf } from './trust.ts';

/** Where evidence comes from; what it says is believed no more for that. */
export type Source = {
  /** Its address; null for a file. */
  readonly server: string | null;
  evidence(
    root: TrustRoot,
    options: { readonly nowSeconds: number; readonly unconditional: boolean },
  ): Promise<Evidence>;
  /** The roots that follow on the one held, or all. */
  trustRoots(root: TrustRoot): Promise<readonly Envelope[]>;
};

/** The servers, in the order that trust root and configuration name them; or one file, and then no server (D30). */
export function sourcesOf(agent: Agent): readonly Source[] {
  if (agent.offline === null) return serversOf(agent).map((server) => serverSource(agent, server));
  const { file } = agent.offline;
  return [
    {
      server: null,
      evidence: (root) => file.evidence(root, agent.config.channel),
      trustRoots: () => file.trustRoots(),
    },
  ];
}

/** The same, the healthiest first. */
export function sourcesByHealth(agent: Agent): readonly Source[] {
  if (agent.offline !== null) return sourcesOf(agent);
  return agent.sources.order(serversOf(agent)).map((server) => serverSource(agent, server));
}

export function serverSource(agent: Agent, server: string): Source {
  const network = accessTo(agent, server);
  return {
    server,
    evidence: (root, options) =>
      fetchEvidence(agent.config, server, root, { network, keep: !agent.isView, ...options }),
    trustRoots: (root) => fetchTrustRoots(server, root, network),
  };
}
