import { isWhole, noSecurityUpdate, securityReleases } from './cra-facts.ts';
import type { ProductFacts, ReleaseFacts } from './facts.ts';
import { type Clause, stateOf } from './report.ts';
import { availabilityText, dayOf, listOrDash, ofReleases, rolloutText } from './report-text.ts';

// The clauses about vulnerabilities and what is said of them; the others are in cra.ts.

export function securityUpdates(facts: ProductFacts): Clause {
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

export function billsOfMaterials({ audit, releases }: ProductFacts): Clause {
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

export function separateAndPrompt(facts: ProductFacts): Clause {
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

const noFixes = (facts: ProductFacts) =>
  isWhole(facts)
    ? 'No release names a vulnerability that it fixes: there was none to show this of.'
    : 'No release whose statement could be read names a vulnerability that it fixes.';

export function fixedVulnerabilities(facts: ProductFacts): Clause {
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

export function advisoryMessages(facts: ProductFacts): Clause {
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

export function vulnerabilityHandling({ releases }: ProductFacts): Clause {
  const vex = releases.filter(({ stated }) => stated?.documents.some(({ kind }) => kind === 'vex'));
  return {
    clause: 'Annex VII (2)(b), (8)',
    asks: 'The technical documentation has the bills of materials, the disclosure policy, the contact address and how updates are distributed securely.',
    state: 'partly',
    answer: `Bills of materials are under Annex I, Part II (1); ${vex.length} releases carry VEX documents; updates are distributed as said under Annex I, Part I (2)(f) and Part II (7). What the design withstands, and what not, is in the threat model of the documentation of Firmproof.`,
    gaps: ['The disclosure policy and the contact address are yours to add.'],
  };
}
