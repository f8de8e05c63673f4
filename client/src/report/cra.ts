import { isWhole, noSecurityUpdate, securityReleases } from './cra-facts.ts';
import {
  advisoryMessages,
  billsOfMaterials,
  fixedVulnerabilities,
  securityUpdates,
  separateAndPrompt,
  vulnerabilityHandling,
} from './cra-vulnerabilities.ts';
import type { Availability, ProductFacts, ReleaseFacts } from './facts.ts';
import { type Clause, notice, type Report, stateOf } from './report.ts';
import { availabilityText, dayOf, ofReleases, releaseTable, yearsBetween } from './report-text.ts';

/** Article 13(8): shorter where the product is expected to be in use for less. */
const minimumSupportYears = 5;
/** Article 13(9). */
const minimumAvailabilityYears = 10;

/**
 * What Regulation (EU) 2024/2847, the Cyber Resilience Act, asks of updates and of what is said about them, answered from the
 * release history. Clauses that no release history can answer are listed as such: nothing is left out in silence.
 */
export function craReport(facts: ProductFacts): Report {
  const { audit } = facts;
  return {
    reportVersion: 1,
    kind: 'cra',
    regulation: 'Regulation (EU) 2024/2847 (Cyber Resilience Act)',
    title: `Updates and support of ${facts.name}`,
    product: { id: facts.product, name: facts.name, chainId: facts.chainId, registry: facts.registry },
    createdAt: facts.at,
    notice,
    audit: {
      complete: audit.complete,
      summary: auditSummary(facts),
      block: audit.block,
      history: audit.history,
    },
    clauses: [
      supportPeriod(facts),
      updatesStayAvailable(facts),
      endOfSupport(facts),
      securityUpdates(facts),
      integrity(facts),
      billsOfMaterials(facts),
      separateAndPrompt(facts),
      fixedVulnerabilities(facts),
      secureDistribution(facts),
      advisoryMessages(facts),
      versionsOfSoftware(facts),
      vulnerabilityHandling(facts),
      ...outside,
    ],
  };
}

/** One sentence on what the whole report stands on. */
export function auditSummary({ audit }: ProductFacts): string {
  return audit.complete
    ? `Complete: all ${audit.entries} entries of the history replay to the hash that the contract's storage holds at block ${audit.block.number}. ${audit.restsOn}`
    : `INCOMPLETE: ${audit.differences.join('; ')}. What follows may leave out releases. ${audit.restsOn}`;
}

const supportEnd = ({ releases }: ProductFacts) =>
  releases
    .filter(({ revokedAt }) => revokedAt === null)
    .map(({ stated }) => stated?.supportUntil ?? null)
    .filter((day) => day !== null)
    .sort()
    .at(-1) ?? null;
const secondsOfDay = (day: string) => Date.parse(`${day}T00:00:00Z`) / 1000;

function supportPeriod(facts: ProductFacts): Clause {
  const base = {
    clause: 'Article 13(8)',
    asks: 'Vulnerabilities are handled for a support period of at least five years, or for as long as the product is expected to be in use if that is less.',
  };
  const [first] = facts.releases;
  const end = supportEnd(facts);
  if (first === undefined || end === null)
    return {
      ...base,
      state: 'missing',
      answer: 'No release says until when it is supported.',
      gaps: ['A release has to name the last day of its support.'],
    };
  const years = yearsBetween(first.publishedAt, secondsOfDay(end));
  const isOver = secondsOfDay(end) < facts.at;
  return {
    ...base,
    state: years >= minimumSupportYears && !isOver ? 'shown' : 'partly',
    answer: `First release ${dayOf(first.publishedAt)}, supported until ${end}: ${years.toFixed(1)} years.`,
    gaps: [
      ...(years < minimumSupportYears
        ? [`Less than ${minimumSupportYears} years: say why the product is expected to be in use for less.`]
        : []),
      ...(isOver ? ['The support period is over.'] : []),
    ],
  };
}

function updatesStayAvailable(facts: ProductFacts): Clause {
  const updates = securityReleases(facts).filter(({ revokedAt }) => revokedAt === null);
  const end = supportEnd(facts);
  const until = ({ publishedAt }: ReleaseFacts) => {
    const tenYears = new Date(publishedAt * 1000);
    tenYears.setUTCFullYear(tenYears.getUTCFullYear() + minimumAvailabilityYears);
    const day = tenYears.toISOString().slice(0, 10);
    return end !== null && end > day ? end : day;
  };
  const looked = updates.filter(({ availability }) => availability !== null);
  const there = looked.filter(({ availability }) => (availability?.intact ?? 0) > 0);
  return {
    clause: 'Article 13(9)',
    asks: 'Each security update stays available for ten years after it was issued, or for the rest of the support period if that is longer.',
    state: stateOf(there.length, updates.length, isWhole(facts)),
    answer:
      updates.length === 0
        ? noSecurityUpdate(facts)
        : `${there.length} of ${updates.length} security updates were fetched whole and had the recorded digest.`,
    ...(updates.length > 0 && {
      table: {
        header: ['release', 'issued', 'to be kept until', 'fetched now'],
        rows: updates.map((release) => [
          release.version,
          dayOf(release.publishedAt),
          until(release),
          availabilityText(release.availability),
        ]),
      },
    }),
    gaps: [
      ...(looked.length < updates.length ? ['Not all were looked for when this report was made.'] : []),
      ...looked.filter((release) => !there.includes(release)).map(({ version }) => `${version} is at no source.`),
      ...looked
        .filter(({ availability }) => isScarce(availability))
        .map(({ version }) => `${version} is at one source only.`),
    ],
  };
}

const isScarce = (availability: Availability | null) => availability?.intact === 1 && availability.sources > 1;

function endOfSupport(facts: ProductFacts): Clause {
  const end = supportEnd(facts);
  return {
    clause: 'Article 13(19), Annex II (7)',
    asks: 'Buyers are told the month and year in which support ends, and users are told when it has ended.',
    state: end === null ? 'missing' : 'partly',
    answer:
      end === null
        ? 'No release says until when it is supported.'
        : `Support ends in ${end.slice(0, 7)}, signed into the releases; devices and audit pages show it.`,
    gaps: ['Say it at the point of sale and in the user information: no record here shows that.'],
  };
}

function integrity({ audit, releases }: ProductFacts): Clause {
  return {
    clause: 'Annex I, Part I (2)(f)',
    asks: 'Programs and configuration are protected against changes that nobody authorised, and corruption is reported.',
    state: audit.complete ? 'shown' : 'missing',
    answer: `The digest of each of ${releases.length} images is recorded on chain, under approvals that the audit lists. A device installs bytes of exactly that digest, reads them back, and reports what became of them in signed receipts.`,
    gaps: audit.complete ? [] : ['The history could not be proved complete.'],
  };
}

function secureDistribution({ audit, releases }: ProductFacts): Clause {
  const verified = releases.filter(({ stated }) => stated !== null);
  return {
    clause: 'Annex I, Part II (7)',
    asks: 'There are mechanisms to distribute updates securely, automatic ones where they apply.',
    state: audit.complete ? stateOf(verified.length, releases.length, true) : 'missing',
    answer: `${ofReleases(releases, `${verified.length} of ${releases.length} attestations are signed by a build key or an identity of the trust root.`)} Devices take nothing that the contract does not record; servers only carry.`,
    gaps: releases
      .filter(({ statedProblem }) => statedProblem !== null)
      .map(({ version, statedProblem }) => `${version}: ${statedProblem}`),
  };
}

function versionsOfSoftware(facts: ProductFacts): Clause {
  return {
    clause: 'Annex VII (1)(b)',
    asks: 'The technical documentation names the versions of software that matter for compliance.',
    state: facts.audit.complete ? stateOf(facts.releases.length, facts.releases.length, true) : 'missing',
    answer: ofReleases(facts.releases, `${facts.releases.length} versions were ever recorded.`),
    ...(facts.releases.length > 0 && { table: releaseTable(facts.releases) }),
    gaps: [],
  };
}

const outside: readonly Clause[] = [
  ['Article 13(2) to (4)', 'The assessment of cybersecurity risks.'],
  ['Article 14', 'Reporting of actively exploited vulnerabilities and severe incidents to the authorities.'],
  ['Annex I, Part II (3)', 'Regular tests and reviews of security.'],
  ['Annex I, Part II (5), (6)', 'A policy of coordinated disclosure, and an address for reports.'],
].map(([clause = '', asks = '']) => ({
  clause,
  asks,
  state: 'outside' as const,
  answer: 'No release history can show this.',
  gaps: [],
}));
