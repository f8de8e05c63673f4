import type { Availability, ProductFacts, ReleaseFacts } from './facts.ts';
import { type Clause, notice, type Report, stateOf } from './report.ts';
import {
  availabilityText,
  dayOf,
  listOrDash,
  ofReleases,
  releaseTable,
  rolloutText,
  yearsBetween,
} from './report-text.ts';

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

const securityReleases = ({ releases }: ProductFacts) =>
  releases.filter(({ stated }) => stated?.purpose === 'security' || (stated?.fixedVulnerabilities.length ?? 0) > 0);
const supportEnd = ({ releases }: ProductFacts) =>
  releases
    .filter(({ revokedAt }) => revokedAt === null)
    .map(({ stated }) => stated?.supportUntil ?? null)
    .filter((day) => day !== null)
    .sort()
    .at(-1) ?? null;
/** Whether every release is known with its statement: what none of them says then, nobody has said. */
const isWhole = ({ audit, releases }: ProductFacts) =>
  audit.complete && releases.every(({ stated }) => stated !== null);
const noSecurityUpdate = (facts: ProductFacts) =>
  isWhole(facts)
    ? 'No release is a security update: there was none to show this of.'
    : 'No release whose statement could be read is a security update.';
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

const noFixes = (facts: ProductFacts) =>
  isWhole(facts)
    ? 'No release names a vulnerability that it fixes: there was none to show this of.'
    : 'No release whose statement could be read names a vulnerability that it fixes.';

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

function securityUpdates(facts: ProductFacts): Clause {
  const fixing = facts.releases.filter(({ stated }) => (stated?.fixedVulnerabilities.length ?? 0) > 0);
  const marked = fixing.filter(({ stated }) => stated?.purpose === 'security');
  return {
    clause: 'Annex I, Part I (2)(c)',
    asks: 'Vulnerabilities can be addressed by security updates: automatic by default where that fits, with an opt-out, notice of available updates, and a way to postpone them.',
    state: stateOf(marked.length, fixing.length, isWhole(facts)),
    answer: `The agent installs security updates by itself unless it is told otherwise, and can be held, postponed and given maintenance windows. ${
      fixing.length === 0
        ? noFixes(facts)
        : `${marked.length} of ${fixing.length} releases that fix vulnerabilities are marked as security updates.`
    }`,
    gaps: [
      ...fixing
        .filter((release) => !marked.includes(release))
        .map(({ version }) => `${version} fixes vulnerabilities and is not marked as a security update.`),
      'How the product tells its users is the product’s: the agent’s status has what to show.',
    ],
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

function billsOfMaterials({ audit, releases }: ProductFacts): Clause {
  const sboms = ({ stated }: ReleaseFacts) => stated?.documents.filter(({ kind }) => kind === 'sbom') ?? [];
  const listed = releases.filter((release) => sboms(release).length > 0);
  return {
    clause: 'Annex I, Part II (1)',
    asks: 'Components are documented in a bill of materials in a common, machine-readable format that covers at least the top-level dependencies.',
    state: stateOf(listed.length, releases.length, audit.complete),
    answer: ofReleases(
      releases,
      `${listed.length} of ${releases.length} releases name a bill of materials; its digest is signed with the release.`,
    ),
    ...(listed.length > 0 && {
      table: {
        header: ['release', 'format', 'sha-256', 'fetched now'],
        rows: listed.flatMap((release) =>
          sboms(release).map(({ format, digest, availability }) => [
            release.version,
            format,
            { digest },
            availabilityText(availability),
          ]),
        ),
      },
    }),
    gaps: releases.filter((release) => !listed.includes(release)).map(({ version }) => `${version} has none.`),
  };
}

function separateAndPrompt(facts: ProductFacts): Clause {
  const updates = securityReleases(facts);
  return {
    clause: 'Annex I, Part II (2)',
    asks: 'Vulnerabilities are remedied without delay, by security updates that come apart from new functions where that is feasible.',
    state: updates.length === 0 ? stateOf(0, 0, isWhole(facts)) : 'partly',
    answer: updates.length === 0 ? noSecurityUpdate(facts) : `${updates.length} security updates, with their times.`,
    ...(updates.length > 0 && {
      table: {
        header: ['release', 'severity', 'recorded', 'installable from', 'offered to all from', 'marked security'],
        rows: updates.map((release) => [
          release.version,
          release.stated?.severity ?? '–',
          dayOf(release.publishedAt),
          dayOf(release.installableFrom),
          rolloutText(release.rollouts),
          release.stated?.purpose === 'security' ? 'yes' : 'no',
        ]),
      },
    }),
    gaps: ['When a vulnerability became known is not recorded here: set these times against your own register.'],
  };
}

function fixedVulnerabilities(facts: ProductFacts): Clause {
  const rows = facts.releases.flatMap((release) =>
    (release.stated?.fixedVulnerabilities ?? []).map((id) => {
      const about = release.advisories.filter(({ vulnerabilities }) => vulnerabilities.includes(id));
      const everywhere = facts.releases.flatMap(({ advisories }) =>
        advisories.filter(({ vulnerabilities }) => vulnerabilities.includes(id)),
      );
      return { id, release, advisories: about.length > 0 ? about : everywhere };
    }),
  );
  const told = rows.filter(({ advisories, release }) => advisories.length > 0 && release.stated?.severity);
  return {
    clause: 'Annex I, Part II (4)',
    asks: 'Once an update is there, the fixed vulnerabilities are made public: what they are, which product, how severe, and what to do.',
    state: stateOf(told.length, rows.length, isWhole(facts)),
    answer:
      rows.length === 0
        ? noFixes(facts)
        : `${rows.length} fixed vulnerabilities are named, ${told.length} of them with a severity and an advisory.`,
    ...(rows.length > 0 && {
      table: {
        header: ['vulnerability', 'fixed in', 'severity', 'advisories'],
        rows: rows.map(({ id, release, advisories }) => [
          id,
          release.version,
          release.stated?.severity ?? '–',
          listOrDash([...new Set(advisories.map((advisory) => advisory.id))]),
        ]),
      },
    }),
    gaps: [...rows.filter((row) => !told.includes(row)).map(({ id }) => `${id} has no severity or no advisory.`)],
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

function advisoryMessages(facts: ProductFacts): Clause {
  const updates = securityReleases(facts);
  const accompanied = updates.filter(({ stated, advisories }) => stated?.hasNotes || advisories.length > 0);
  return {
    clause: 'Annex I, Part II (8)',
    asks: 'Security updates are disseminated without delay and free of charge, with messages that tell users what to do.',
    state:
      updates.length > 0 && accompanied.length === updates.length
        ? 'partly'
        : stateOf(accompanied.length, updates.length, isWhole(facts)),
    answer:
      updates.length === 0
        ? noSecurityUpdate(facts)
        : `${accompanied.length} of ${updates.length} security updates come with release notes or an advisory.`,
    gaps: [
      ...updates
        .filter((release) => !accompanied.includes(release))
        .map(({ version }) => `${version} has neither notes nor an advisory.`),
      'That updates are free of charge is not recorded here.',
    ],
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

function vulnerabilityHandling({ releases }: ProductFacts): Clause {
  const vex = releases.filter(({ stated }) => stated?.documents.some(({ kind }) => kind === 'vex'));
  return {
    clause: 'Annex VII (2)(b), (8)',
    asks: 'The technical documentation has the bills of materials, the disclosure policy, the contact address and how updates are distributed securely.',
    state: 'partly',
    answer: `Bills of materials are under Annex I, Part II (1); ${vex.length} releases carry VEX documents; updates are distributed as said under Annex I, Part I (2)(f) and Part II (7). What the design withstands, and what not, is in the threat model of the documentation of Firmproof.`,
    gaps: ['The disclosure policy and the contact address are yours to add.'],
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
