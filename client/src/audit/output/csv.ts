import type { Audit } from '../audit.ts';
import type { AuditedRelease } from '../report.ts';
import {
  advisoryText,
  approvalText,
  availabilityText,
  detailOf,
  rebuilderNames,
  signatureText,
  subjectOf,
  timeOf,
} from './words.ts';

/** RFC 4180; a cell that a spreadsheet would take for a formula gets an apostrophe. */
function cell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const line = (cells: readonly (string | number)[]) => `${cells.map(cell).join(',')}\r\n`;

const header = [
  ...['event', 'time', 'kind', 'about', 'detail', 'block', 'transaction', 'approved by', 'signers', 'quorum'],
  ...[
    'version',
    'status',
    'rollback index',
    'installable from',
    'image sha-256',
    'attestation sha-256',
    'signed by',
    'available',
    'said later',
  ],
];

function saidLaterText(release: AuditedRelease): string {
  const names = rebuilderNames(release);
  const rebuilt = names.length === 0 ? [] : [`rebuilt by ${names.join(', ')}`];
  return [...rebuilt, ...(release.advisories ?? []).map(advisoryText)].join('; ');
}

/** One line for each event; those that publish carry their release. */
export function* csvOf(audit: Audit): Generator<string> {
  yield line(header);
  const releases = audit.releases();
  for (const { event, approval } of audit.events()) {
    const row = [
      event.sequence,
      timeOf(event.time),
      event.kind,
      subjectOf(event),
      detailOf(event),
      event.block.number,
      event.transaction,
      approvalText(approval),
      approval.signers.map(({ signer, valid }) => `${signer}${valid ? '' : ' invalid'}`).join(' '),
      approval.quorum,
    ];
    const release = event.kind === 'published' ? releases.next().value : undefined;
    const more = release
      ? [
          release.version,
          release.status,
          release.rollbackIndex,
          timeOf(release.installableFrom),
          release.image,
          release.attestation,
          signatureText(release.signature),
          availabilityText(release),
          saidLaterText(release),
        ]
      : Array.from({ length: header.length - row.length }, () => '');
    yield line([...row, ...more]);
  }
}
