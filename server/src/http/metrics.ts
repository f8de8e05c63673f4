import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** Prometheus metrics. Nothing in them names a device or a person. */
export function createMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Counter({
      name: 'firmproof_http_requests_total',
      help: 'Requests by status class',
      labelNames: ['status'],
      registers,
    }),
    proposals: new Gauge({
      name: 'firmproof_proposals_unfinished',
      help: 'Proposals that are not finished',
      registers,
    }),
    remainingReleases: new Gauge({
      name: 'firmproof_relayer_remaining_releases',
      help: 'Releases that the relayer can still pay for at the current gas price',
      registers,
    }),
    finalBlock: new Gauge({ name: 'firmproof_chain_final_block', help: 'The final block that is indexed', registers }),
    evidenceAgeSeconds: new Gauge({
      name: 'firmproof_evidence_age_seconds',
      help: 'Age of the oldest evidence served',
      registers,
    }),
  };
}
