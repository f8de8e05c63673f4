import {
  parseAddress,
  parseBytes32,
  parseChannel,
  parseSha256Digest,
  parseVersion,
  productIdOf,
} from '@firmproof/protocol';
import type { AuditedAdvisory } from '../../client/src/audit/index.ts';
import type { ProductFacts, ReleaseFacts, StatedFacts, UpdateFacts } from '../../client/src/report/facts.ts';

export const day = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 1000;
const digest = (digit: string) => parseSha256Digest(digit.repeat(64));
export const imageOf = (version: string) => digest(version.slice(0, 1));

const stated: StatedFacts = {
  sizeBytes: 1000,
  purpose: 'feature',
  severity: null,
  fixedVulnerabilities: [],
  supportUntil: '2032-06-30',
  hasNotes: true,
  documents: [
    {
      kind: 'sbom',
      format: 'cyclonedx',
      name: 'bom.json',
      digest: digest('b'),
      availability: { intact: 2, sources: 2 },
    },
  ],
  rxswins: [],
};

export function releaseFacts(
  version: string,
  said: Partial<StatedFacts> | null = {},
  change: Partial<ReleaseFacts> = {},
): ReleaseFacts {
  return {
    version: parseVersion(version),
    sequence: 2,
    image: imageOf(version),
    attestation: digest('a'),
    publishedAt: day('2026-01-01'),
    installableFrom: day('2026-01-02'),
    revokedAt: null,
    stated: said && { ...stated, ...said },
    statedProblem: said === null ? 'no source has its attestation' : null,
    availability: { intact: 2, sources: 2 },
    rollouts: [{ channel: parseChannel('stable'), start: day('2026-01-02'), complete: day('2026-01-05') }],
    advisories: [],
    ...change,
  };
}

export const advisoryFacts = (vulnerabilities: readonly string[]): AuditedAdvisory => ({
  id: 'FPA-2026-1',
  revision: 1,
  severity: 'high',
  title: 'A hole',
  status: 'fixed',
  vulnerabilities,
  fixedIn: parseVersion('2.0.0'),
  publishedAt: day('2026-02-01'),
});

export function productFacts(releases: readonly ReleaseFacts[], change: Partial<ProductFacts> = {}): ProductFacts {
  const registry = parseAddress(`0x${'1'.repeat(40)}`);
  const publisher = parseAddress(`0x${'2'.repeat(40)}`);
  return {
    product: productIdOf(31337, registry, publisher, 'lamp' as never),
    name: 'lamp',
    chainId: 31337,
    registry,
    publisher,
    guardian: null,
    delaySeconds: 86_400,
    audit: {
      complete: true,
      differences: [],
      entries: releases.length + 1,
      history: parseBytes32(`0x${'3'.repeat(64)}`),
      block: { number: 12, hash: parseBytes32(`0x${'4'.repeat(64)}`) },
      restsOn: '2 of 3 witnesses vouch for this block.',
    },
    at: day('2026-11-25'),
    releases,
    ...change,
  };
}

export const updateFacts = (
  device: string,
  before: string,
  version: string,
  change: Partial<UpdateFacts> = {},
): UpdateFacts => ({
  device,
  keyDigest: parseSha256Digest(device.repeat(64)),
  counter: 1,
  at: day('2026-03-01'),
  result: 'confirmed',
  version: parseVersion(version),
  image: imageOf(version),
  before: { version: parseVersion(before), image: imageOf(before) },
  ...change,
});
