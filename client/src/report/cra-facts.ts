import type { ProductFacts } from './facts.ts';

/** Those that are marked as such, and those that fix a vulnerability. */
export const securityReleases = ({ releases }: ProductFacts) =>
  releases.filter(({ stated }) => stated?.purpose === 'security' || (stated?.fixedVulnerabilities.length ?? 0) > 0);

/** Whether every release is known with its statement: what none of them says then, nobody has said. */
export const isWhole = ({ audit, releases }: ProductFacts) =>
  audit.complete && releases.every(({ stated }) => stated !== null);

export const noSecurityUpdate = (facts: ProductFacts) =>
  isWhole(facts)
    ? 'No release is a security update: there was none to show this of.'
    : 'No release whose statement could be read is a security update.';
