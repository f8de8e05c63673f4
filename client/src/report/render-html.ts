import { type Html, headOf, html } from '../audit/output/html.ts';
import { stateWords } from './render-text.ts';
import type { Cell, Clause, ClauseState, Report, ReportTable } from './report.ts';

const tones: Readonly<Record<ClauseState, string>> = { shown: 'good', partly: 'warn', missing: 'bad', outside: 'info' };

/** The report as one HTML file: no script, nothing loaded from anywhere. */
export function* renderHtml(report: Report): Generator<string> {
  const { title, regulation, product, audit, clauses, notice, createdAt } = report;
  yield headOf(title).text;
  yield html`<header><h1>${title}</h1><p class="soft">${regulation}</p></header>
<section class="verdict ${audit.complete ? 'good' : 'bad'}" aria-label="What it rests on"><strong>${
    audit.complete ? 'The history is complete' : 'THE HISTORY IS INCOMPLETE'
  }</strong><p>${audit.summary}</p></section>
<p><strong>${notice}</strong></p>
<section aria-labelledby="product"><h2 id="product">Product</h2><div class="card"><dl>
<dt>Name</dt><dd>${product.name}</dd><dt>Id</dt><dd><code>${product.id}</code></dd>
<dt>Registry</dt><dd><code>${product.registry}</code> on chain ${product.chainId}</dd>
<dt>History</dt><dd><code>${audit.history}</code></dd>
<dt>Made</dt><dd>${new Date(createdAt * 1000).toISOString()}</dd></dl></div></section>
<section aria-labelledby="overview"><h2 id="overview">Clauses</h2><div class="card"><ul class="list">${clauses.map(
    ({ clause, state }, index) => html`<li><a href="#clause-${index}">${clause}</a> ${tag(state)}</li>`,
  )}</ul></div></section>
`.text;
  for (const [index, clause] of clauses.entries()) yield clauseHtml(clause, index).text;
  yield '</main></body></html>\n';
}

const tag = (state: ClauseState) => html`<span class="tag ${tones[state]}">${stateWords[state]}</span>`;

function clauseHtml({ clause, asks, state, answer, table, gaps }: Clause, index: number): Html {
  const todo = gaps.length > 0 ? html`<ul>${gaps.map((gap) => html`<li>${gap}</li>`)}</ul>` : html``;
  return html`<section aria-labelledby="clause-${index}"><h2 id="clause-${index}">${clause} ${tag(state)}</h2>
<p class="soft">${asks}</p><p>${answer}</p>${todo}${table ? tableHtml(table, clause) : html``}</section>
`;
}

const tableHtml = ({ header, rows }: ReportTable, name: string) =>
  html`<div class="scroll" tabindex="0" role="region" aria-label="${name}"><table><thead><tr>${header.map(
    (title) => html`<th scope="col">${title}</th>`,
  )}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map(cellHtml)}</tr>`)}</tbody></table></div>`;

const cellHtml = (cell: Cell): Html =>
  typeof cell === 'string' ? html`<td>${cell}</td>` : html`<td class="wrap mono">${cell.digest}</td>`;
