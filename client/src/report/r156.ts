import { durationOf } from '../audit/output/words.ts';
import { auditSummary } from './cra.ts';
import type { ProductFacts, ReceiptFacts, StatedFacts, UpdateFacts } from './facts.ts';
import { lastKnown, registerOf } from './register.ts';
import { type Cell, type Clause, notice, type Report, stateOf } from './report.ts';
import { availabilityText, dayOf, listOrDash, ofReleases, releaseTable, rolloutText } from './report-text.ts';

/**
 * What UN Regulation No. 156 asks to be recorded of software and its updates, answered from the release history and from the
 * receipts that devices have signed. Paragraphs that neither can answer are listed as such.
 */
export function r156Report(facts: ProductFacts, updates: ReceiptFacts): Report {
  const { audit } = facts;
  return {
    reportVersion: 1,
    kind: 'r156',
    regulation: 'UN Regulation No. 156 (software update and software update management system)',
    title: `Register of the software of ${facts.name}`,
    product: { id: facts.product, name: facts.name, chainId: facts.chainId, registry: facts.registry },
    createdAt: facts.at,
    notice,
    audit: { complete: audit.complete, summary: auditSummary(facts), block: audit.block, history: audit.history },
    clauses: [
      identified(facts),
      numbersBeforeAndAfter(facts),
      compatibility(),
      handedOver(updates),
      configuration(updates),
      register(facts, updates),
      targets(updates),
      eachUpdate(facts),
      protectedFromManipulation(facts),
      authentic(facts),
      failedUpdates(updates),
      ...outside,
    ],
  };
}

function identified(facts: ProductFacts): Clause {
  return {
    clause: '7.1.1.2',
    asks: 'Every version of software, with the data that validates its integrity, is identified uniquely.',
    state: facts.audit.complete ? stateOf(facts.releases.length, facts.releases.length, true) : 'missing',
    answer: ofReleases(
      facts.releases,
      `${facts.releases.length} versions were ever recorded; a version is recorded once, with the sha-256 of its image.`,
    ),
    ...(facts.releases.length > 0 && { table: releaseTable(facts.releases) }),
    gaps: [],
  };
}

function numbersBeforeAndAfter({ audit, releases }: ProductFacts): Clause {
  const numbered = releases.filter(({ stated }) => (stated?.rxswins.length ?? 0) > 0);
  const rows = numbered.map((release) => {
    const at = releases.indexOf(release);
    const before = releases.slice(0, at).findLast((earlier) => earlier.stated !== null);
    return [
      release.version,
      listOrDash(before?.stated?.rxswins ?? []),
      listOrDash(release.stated?.rxswins ?? []),
      { digest: release.image },
    ];
  });
  return {
    clause: '7.1.1.3, 7.1.1.4',
    asks: 'What an RXSWIN stands for can be looked up before and after an update, and checked against the software that is there.',
    state: stateOf(numbered.length, releases.length, audit.complete),
    answer: ofReleases(
      releases,
      `${numbered.length} of ${releases.length} releases carry RX software identification numbers, signed with the release.`,
    ),
    ...(rows.length > 0 && {
      table: { header: ['release', 'numbers of the release before', 'numbers', 'image, sha-256'], rows },
    }),
    gaps: releases.filter((release) => !numbered.includes(release)).map(({ version }) => `${version} carries none.`),
  };
}

const software = ({ version, image }: { readonly version: string; readonly image: string | null }): readonly Cell[] => [
  version,
  image === null ? 'not known to the device' : { digest: image },
];

const whyNoReceipts = {
  'not-asked': 'Receipts of devices were not asked for when this report was made.',
  'not-readable': 'Receipts of devices are the vendor’s and could not be read by whoever made this report.',
} as const;
const isAbsent = (updates: ReceiptFacts): updates is keyof typeof whyNoReceipts => typeof updates === 'string';

const handedOver = (updates: ReceiptFacts): Clause =>
  partlyByReceipts(updates, {
    clause: '7.1.1.12',
    asks: 'What 7.1.2.3 and 7.1.2.4 ask for can be made available to authorities and technical services.',
    answer:
      'This report can be handed over, as a page, as data or as a table; the history that it rests on can be verified again by whoever gets it.',
    gap: 'To whom it is given, and when, is yours to arrange.',
  });

const configuration = (updates: ReceiptFacts): Clause =>
  partlyByReceipts(updates, {
    clause: '7.1.2.2',
    asks: 'The configuration of type approved systems before and after an update is documented: hardware, software and parameters.',
    answer: 'The software before and after each update is in the register of 7.1.2.3, from receipts.',
    gap: 'Which hardware and which parameters a system has is yours to add.',
  });

function partlyByReceipts(
  updates: ReceiptFacts,
  { answer, gap, ...rest }: Pick<Clause, 'clause' | 'asks' | 'answer'> & { readonly gap: string },
): Clause {
  return isAbsent(updates)
    ? { ...rest, state: 'missing', answer: whyNoReceipts[updates], gaps: [gap] }
    : { ...rest, state: 'partly', answer, gaps: [gap] };
}

const noUpdate = 'No device has confirmed an update in a receipt yet: there was none to show this of.';

function register(facts: ProductFacts, updates: ReceiptFacts): Clause {
  const base = {
    clause: '7.1.2.3',
    asks: 'For every RXSWIN there is an auditable register of the software before and after an update: versions and integrity validation data.',
  };
  if (isAbsent(updates)) return { ...base, state: 'missing', answer: whyNoReceipts[updates], gaps: [] };
  const lines = registerOf(facts, updates);
  const recorded = new Map(facts.releases.map(({ version, image }) => [version as string, image as string]));
  const unrecorded = lines.filter(({ after }) => recorded.get(after.version) !== after.image);
  return {
    ...base,
    state: stateOf(lines.filter(({ rxswin }) => rxswin !== null).length, lines.length, true),
    answer:
      lines.length === 0
        ? noUpdate
        : `${lines.length} lines, from receipts that devices have signed; each signature was verified here. Times are the devices’.`,
    ...(lines.length > 0 && {
      table: {
        header: [
          'RXSWIN',
          'before',
          'sha-256 before',
          'numbers before',
          'after',
          'sha-256 after',
          'devices',
          'from',
          'to',
        ],
        rows: lines.map(({ rxswin, before, rxswinsBefore, after, devices, firstAt, lastAt }) => [
          rxswin ?? '–',
          ...software(before),
          listOrDash(rxswinsBefore),
          ...software(after),
          String(devices),
          dayOf(firstAt),
          dayOf(lastAt),
        ]),
      },
    }),
    gaps: [
      ...unrecorded.map(
        ({ after, devices }) =>
          `${devices} devices report ${after.version} with an image that the history does not record: look at them.`,
      ),
    ],
  };
}

function targets(updates: ReceiptFacts): Clause {
  const running = isAbsent(updates) ? [] : lastKnown(updates);
  return {
    clause: '7.1.2.4',
    asks: 'The vehicles that an update is for are listed, with the last known configuration of each.',
    state: isAbsent(updates) ? 'missing' : 'partly',
    answer: isAbsent(updates)
      ? whyNoReceipts[updates]
      : running.length === 0
        ? noUpdate
        : 'By their newest confirmed update. A register device by device can be had besides.',
    ...(running.length > 0 && {
      table: {
        header: ['software', 'sha-256', 'devices'],
        rows: running.map(({ devices, ...rest }) => [...software(rest), String(devices)]),
      },
    }),
    gaps: ['Which vehicle a device sits in is not recorded here.'],
  };
}

/** Each kind once, with its formats: notes are in the statement, in a document, or in both. */
function documentsText(stated: StatedFacts | null): string {
  const formats = new Map<string, Set<string>>(stated?.hasNotes ? [['notes', new Set()]] : []);
  for (const { kind, format } of stated?.documents ?? [])
    formats.set(kind, (formats.get(kind) ?? new Set()).add(format));
  return listOrDash([...formats].map(([kind, of]) => (of.size === 0 ? kind : `${kind} (${[...of].join(', ')})`)));
}

function eachUpdate({ audit, releases }: ProductFacts): Clause {
  return {
    clause: '7.1.2.5',
    asks: 'Each update is documented: its purpose, what it affects, how it is executed safely, whether its approval was sought, and that it passed verification.',
    state: releases.some(({ stated }) => stated !== null) ? 'partly' : stateOf(0, releases.length, audit.complete),
    answer: ofReleases(releases, 'What the signed statements and the history say; the audit lists who approved each.'),
    ...(releases.length > 0 && {
      table: {
        header: ['release', 'purpose', 'numbers', 'documents', 'offered to all from', 'fetched now'],
        rows: releases.map(({ version, stated, rollouts, availability }) => [
          version,
          stated?.purpose ?? '–',
          listOrDash(stated?.rxswins ?? []),
          documentsText(stated),
          rolloutText(rollouts),
          availabilityText(availability),
        ]),
      },
    }),
    gaps: ['The systems it affects, their type approvals, and the tests that it passed are yours to add.'],
  };
}

function compatibility(): Clause {
  return {
    clause: '7.1.1.6, 7.1.1.7',
    asks: 'Target vehicles are identified, and the update is confirmed to fit their last known configuration before it is issued.',
    state: 'partly',
    answer:
      'Each statement lists the hardware revisions and the versions that it may be installed over; a device refuses what is not for it before a byte is written.',
    gaps: ['That the vendor has confirmed it beforehand is not recorded here.'],
  };
}

function protectedFromManipulation({ audit, delaySeconds, releases }: ProductFacts): Clause {
  return {
    clause: '7.1.3.1, 7.1.3.2',
    asks: 'Updates are protected against manipulation before they are executed, and so is the process that delivers them.',
    state: audit.complete ? stateOf(releases.length, releases.length, true) : 'missing',
    answer: `${ofReleases(releases, 'Each release was approved on chain by the account of its publisher.')} ${
      delaySeconds === 0
        ? 'By the settings of today a release can be installed at once.'
        : `By the settings of today a release waits ${durationOf(delaySeconds)}, in which it can be revoked, before it can be installed.`
    } ${audit.restsOn}`,
    gaps: audit.complete ? [] : audit.differences,
  };
}

function authentic({ audit, releases }: ProductFacts): Clause {
  const verified = releases.filter(({ stated }) => stated !== null);
  return {
    clause: '7.2.1.1',
    asks: 'The authenticity and integrity of software updates is protected.',
    state: stateOf(verified.length, releases.length, audit.complete),
    answer: ofReleases(
      releases,
      `${verified.length} of ${releases.length} attestations are signed by a build key or an identity of the trust root, and name the recorded image.`,
    ),
    gaps: releases
      .filter(({ statedProblem }) => statedProblem !== null)
      .map(({ version, statedProblem }) => `${version}: ${statedProblem}`),
  };
}

function failedUpdates(updates: ReceiptFacts): Clause {
  const failed = isAbsent(updates) ? [] : updates.filter(({ result }) => result !== 'confirmed');
  const versions = [...new Set(failed.map(({ version }) => version))];
  return {
    clause: '7.2.2.1.1',
    asks: 'After an update over the air that failed or was interrupted, the system goes back to the version before or into a safe state.',
    state: isAbsent(updates) ? 'missing' : stateOf(failed.length, failed.length, true),
    answer: isAbsent(updates)
      ? whyNoReceipts[updates]
      : failed.length === 0
        ? `No update failed or was rolled back, by ${updates.length} signed receipts: there was none to show this of.`
        : `${failed.filter(({ result }) => result === 'rolled-back').length} updates were rolled back and ${failed.filter(({ result }) => result === 'failed').length} failed, by signed receipts; the device kept or took back the software before.`,
    ...(versions.length > 0 && {
      table: {
        header: ['release', 'rolled back', 'failed'],
        rows: versions.map((version) => {
          const of = (result: UpdateFacts['result']) =>
            failed.filter((update) => update.version === version && update.result === result).length;
          return [version, String(of('rolled-back')), String(of('failed'))];
        }),
      },
    }),
    gaps: [],
  };
}

const outside: readonly Clause[] = [
  ['7.1.1.1, 7.1.2.1', 'The description of your processes, and that it is held securely.'],
  ['7.1.1.5', 'Which other systems depend on the one that is updated.'],
  ['7.1.1.8 to 7.1.1.10', 'The assessment of effects on type-approved systems and on their parameters.'],
  ['7.1.1.11, 7.2.2.2, 7.2.2.4', 'What the user of the vehicle is told before and after an update.'],
  ['7.1.3.3', 'That the processes which verify and validate software are appropriate.'],
  ['7.1.4', 'The assessment that an update over the air is safe while driving, and needs no skilled person.'],
  ['7.2.1.2', 'That each number is unique, can be read from the vehicle, and is protected there.'],
  [
    '7.2.2.1.2, 7.2.2.1.3, 7.2.2.3, 7.2.2.5',
    'Power for the whole update, execution in a safe state only, no driving meanwhile, and preconditions that are met.',
  ],
].map(([clause = '', asks = '']) => ({
  clause,
  asks,
  state: 'outside' as const,
  answer: 'Neither the release history nor receipts can show this.',
  gaps: [],
}));
