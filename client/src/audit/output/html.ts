import { zeroAddress } from '@firmproof/protocol';
import type { Audit } from '../audit.ts';
import type {
  AuditedEvent,
  AuditedRelease,
  AuditedSaidLater,
  AuditSummary,
  PublishedAdvisory,
  StatementFacts,
} from '../report.ts';
import { reportStyle } from './html-style.ts';
import {
  approvalText,
  availabilityText,
  basisLines,
  besidesVerdict,
  detailOf,
  durationOf,
  isAsking,
  isGood,
  rebuiltText,
  short,
  signatureText,
  subjectOf,
  timeOf,
  uncheckedText,
  verdictText,
} from './words.ts';

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** For text and for quoted attributes. Marks that would turn the direction of text around are made visible. */
export const escapeHtml = (text: string): string =>
  text
    .replace(/[&<>"']/g, (mark) => entities[mark] ?? '')
    .replace(/[\u202a-\u202e\u2066-\u2069\u200e\u200f]/g, '\ufffd');

/** Text that is safe to stand in the page. Only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
type Value = string | number | Html | readonly Html[];

/** A template whose values are escaped unless they are HTML already. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  const shown = (value: Value | undefined): string => {
    if (value === undefined) return '';
    if (value instanceof Html) return value.text;
    return typeof value === 'object' ? value.map(({ text }) => text).join('') : escapeHtml(String(value));
  };
  return new Html(parts.map((part, index) => part + shown(values[index])).join(''));
}

const nothing = html``;
const hex = (text: string) => html`<code title="${text}">${short(text)}</code>`;
/** A date, and below it the time. */
function moment(seconds: number): Html {
  const [date = '', time = ''] = timeOf(seconds).split('T');
  return html`<time datetime="${timeOf(seconds)}">${date}<br><span class="soft">${time}</span></time>`;
}
const isWrong = (text: string) => /NOT TRUSTED|MISSING|DISAGREES|INVALID|MISSED|WRONG/.test(text);
const told = (text: string) => (isWrong(text) ? html`<span class="tag bad">${text}</span>` : html`${text}`);

/** The report as one HTML file: no script, nothing loaded from anywhere; piece by piece. */
export function* htmlOf(audit: Audit): Generator<string> {
  const { summary } = audit;
  const title = `Audit of ${summary.name ?? summary.product}`;
  yield headOf(title).text;
  yield introduction(summary, title).text;
  yield findingsOf(summary).text;
  yield settingsOf(summary).text;
  if (summary.complete) {
    const { saidLater, releaseCount } = summary;
    const shown = rows(audit.releases(), (release) => releaseRow(release, saidLater));
    yield* section('releases', 'Releases', releaseTitles(saidLater), shown, releaseCount);
    const advisories = saidLater.advisories ?? [];
    if (advisories.length > 0)
      yield* section('advisories', 'Advisories', advisoryTitles, rows(advisories, advisoryRow), advisories.length);
    yield* section('events', 'All events', eventTitles, rows(audit.events(), eventRow), summary.sequence);
  }
  yield '</main></body></html>\n';
}

export const headOf = (title: string) => html`<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${title}</title><style>${new Html(reportStyle)}</style></head><body><main>
`;

function introduction(summary: AuditSummary, title: string): Html {
  const { block } = summary;
  const good = isGood(summary);
  const serious = summary.findings.filter(({ severity }) => severity === 'bad').length;
  const verdict = verdictText(summary);
  const counted = `${serious} serious finding${serious === 1 ? '' : 's'}`;
  const unchecked = summary.complete ? uncheckedText(summary.saidLater) : null;
  const lines = [...basisLines(summary.basis), ...(unchecked === null ? [] : [unchecked])];
  const heading =
    summary.complete && !good ? html`<strong>${counted}</strong><p>${verdict}</p>` : html`<strong>${verdict}</strong>`;
  return html`<header><h1>${title}</h1><p class="soft">Firmproof audit at block ${block.number}, ${timeOf(block.timestamp)}</p></header>
<section class="verdict ${good ? 'good' : 'bad'}" aria-label="Verdict">${heading}
${lines.map((line) => html`<p>${line}</p>`)}</section>
<nav aria-label="Sections"><a href="#findings">Findings</a><a href="#product">Product</a>${
    summary.complete
      ? html`<a href="#releases">Releases</a>${summary.saidLater.advisories?.length ? html`<a href="#advisories">Advisories</a>` : nothing}<a href="#events">Events</a>`
      : nothing
  }</nav>
`;
}

function findingsOf(summary: AuditSummary): Html {
  const { complete, moreFindings } = summary;
  const findings = besidesVerdict(summary);
  const order = ['bad', 'warn', 'info'] as const;
  const words = { bad: 'serious', warn: 'look at', info: 'note' } as const;
  const items = order
    .flatMap((severity) => findings.filter((finding) => finding.severity === severity))
    .map(
      ({ severity, message, code, sequence }) =>
        html`<li><span class="tag ${severity}">${words[severity]}</span> ${message} <span class="soft">[${code}]${
          sequence === undefined ? '' : ` event ${sequence}`
        }</span></li>`,
    );
  const more = moreFindings > 0 ? html`<p class="soft">and ${moreFindings} more</p>` : nothing;
  const list =
    items.length > 0
      ? html`<ul class="list">${items}</ul>${more}`
      : html`<p>${complete ? 'No findings.' : 'None besides the verdict.'}</p>`;
  return html`<section aria-labelledby="findings"><h2 id="findings">Findings</h2><div class="card">${list}</div></section>
`;
}

function settingsOf(summary: AuditSummary): Html {
  const channels = summary.channels.map(
    ({ channel, version, halted }) =>
      html`${channel} is <b>${version}</b>${halted ? html` <span class="tag warn">halted</span>` : nothing}<br>`,
  );
  const { pending } = summary;
  const waiting = pending
    ? html`<span class="tag warn">since event ${pending.sequence}, until ${timeOf(pending.pendingFrom)}</span>`
    : html`nothing`;
  const guardian = summary.guardian === zeroAddress ? html`nobody` : html`<code>${summary.guardian}</code>`;
  const pairs: readonly (readonly [string, Html])[] = [
    ['Product', html`<code>${summary.product}</code>`],
    ['Registry', html`<code>${summary.registry}</code> on chain ${summary.chainId}`],
    ['Channels', channels.length > 0 ? html`${channels}` : html`none`],
    ['Publisher', html`<code>${summary.publisher}</code>`],
    ['Guardian', guardian],
    ['Veto window', html`${durationOf(summary.delaySeconds)}`],
    ['Trust root', html`<code>${summary.trustRoot}</code>`],
    ['Change that waits', waiting],
    ['Block', html`<code>${summary.block.hash}</code>`],
    ['Proven history', html`<code>${summary.history}</code>`],
    ['Replayed', html`<code>${summary.replayedHistory ?? '–'}</code>`],
  ];
  return html`<section aria-labelledby="product"><h2 id="product">Product</h2><dl class="card">${pairs.map(
    ([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`,
  )}</dl></section>
`;
}

function* section(
  id: string,
  heading: string,
  titles: readonly string[],
  bodies: Iterable<Html>,
  count: number,
): Generator<string> {
  yield html`<section aria-labelledby="${id}"><h2 id="${id}">${heading} (${count})</h2><div class="scroll" role="region" aria-labelledby="${id}" tabindex="0"><table>
<thead><tr>${titles.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>
`.text;
  for (const row of bodies) yield row.text;
  yield '</tbody></table></div></section>\n';
}

function* rows<Row>(items: Iterable<Row>, row: (item: Row) => Html): Generator<Html> {
  for (const item of items) yield row(item);
}

const releaseTitles = ({ rebuilders }: AuditedSaidLater) => [
  'Release',
  'Status',
  'Published',
  'Veto window',
  'Index',
  'Image',
  'Signed by',
  'Available',
  ...(rebuilders.length === 0 ? [] : ['Rebuilt by']),
  'Approved by',
];

function releaseRow(release: AuditedRelease, saidLater: AuditedSaidLater): Html {
  const { version, status, publishedAt, installableFrom, rollbackIndex, image, signature, approval, revoked } = release;
  const heads = release.headOf.map((channel) => html` <span class="tag good">${channel}</span>`);
  const advisories = (release.advisories ?? []).map(
    (advisory) =>
      html`<br><span class="tag ${isAsking(advisory) ? 'warn' : 'info'}">${advisory.id} ${advisory.status.replaceAll('_', ' ')}</span>`,
  );
  const rebuilt = saidLater.rebuilders.length === 0 ? nothing : html`<td>${rebuiltText(release, saidLater)}</td>`;
  const state = revoked ? html`<span class="tag bad">${status}</span><br>${moment(revoked.at)}` : html`${status}`;
  return html`<tr><th scope="row">${version}${heads}${advisories}${statementOf(release)}</th><td>${state}</td>
<td class="time">${moment(publishedAt)}</td><td>${durationOf(installableFrom - publishedAt)}</td><td class="number">${rollbackIndex}</td>
<td>${hex(image)}</td><td class="wrap">${told(signatureText(signature))}</td><td>${told(availabilityText(release))}</td>${rebuilt}<td class="wrap">${told(approvalText(approval))}</td></tr>
`;
}

function statementOf({ statement, image, attestation, availability, transaction, rebuilds }: AuditedRelease): Html {
  const signed = statement
    ? html`<div>${statement.sizeBytes} bytes, ${statement.purpose}, for ${statement.hardware.join(', ')}, over ${statement.precursors.join(', ')}</div>
<div>CID <code>${statement.cid}</code></div>${supplyChainOf(statement)}${statement.notes === null ? nothing : html`<div>${statement.notes}</div>`}`
    : nothing;
  const places = availability.map(
    ({ source, attestation: state, image: bytes }) =>
      html`<div>${source}: attestation ${state}${bytes === null ? '' : `, image ${bytes}`}</div>`,
  );
  const rebuilt = (rebuilds ?? []).map(
    ({ rebuilder, rebuiltAt, source, environment }) =>
      html`<div>rebuilt by ${rebuilder}, ${timeOf(rebuiltAt)}, from ${source.uri} ${Object.values(source.digest).join(' ')}, ${environment}</div>`,
  );
  return html`<details><summary class="soft">details</summary><div class="soft">${signed}<div>image <code>${image}</code></div>
<div>attestation <code>${attestation}</code></div><div>transaction <code>${transaction}</code></div>${places}${rebuilt}</div></details>`;
}

function supplyChainOf({ severity, fixedVulnerabilities, supportUntil, documents }: StatementFacts): Html {
  const lines = [
    ...(severity === null ? [] : [`severity ${severity}`]),
    ...(fixedVulnerabilities.length === 0 ? [] : [`fixes ${fixedVulnerabilities.join(', ')}`]),
    ...(supportUntil === null ? [] : [`supported until ${supportUntil}`]),
    ...documents.map(({ kind, format, name, digest, availableIn }) => {
      const places = availableIn === null ? '' : `, in ${availableIn} source${availableIn === 1 ? '' : 's'}`;
      return `${kind} (${format}) ${name}, sha-256 ${digest}${places}`;
    }),
  ];
  return html`${lines.map((line) => html`<div>${line}</div>`)}`;
}

const advisoryTitles = ['Advisory', 'Of', 'Severity', 'Status', 'Versions', 'Fixed in', 'What it says'];

function advisoryRow(advisory: PublishedAdvisory): Html {
  const { id, revision, publishedAt, severity, status, versions, fixedIn, title, text, vulnerabilities } = advisory;
  const known = vulnerabilities.length === 0 ? nothing : html`<div>${vulnerabilities.join(', ')}</div>`;
  const state = html`<span class="tag ${isAsking(advisory) ? 'warn' : 'info'}">${status.replaceAll('_', ' ')}</span>`;
  return html`<tr><th scope="row">${id}<br><span class="soft">revision ${revision}</span></th><td class="time">${moment(publishedAt)}</td>
<td>${severity}</td><td>${state}</td><td class="wrap">${versions.join(', ')}</td><td>${fixedIn ?? '–'}</td>
<td class="wrap">${title}<div class="soft lines">${text}</div>${known}</td></tr>
`;
}

const eventTitles = ['Event', 'Time', 'Kind', 'About', 'Block', 'Approved by', 'Detail'];

function eventRow({ event, approval }: AuditedEvent): Html {
  return html`<tr><td class="number">${event.sequence}</td><td class="time">${timeOf(event.time)}</td><td>${event.kind}</td>
<td>${subjectOf(event)}</td><td class="number">${event.block.number}</td><td>${told(approvalText(approval))}</td><td>${detailOf(event)}</td></tr>
`;
}
