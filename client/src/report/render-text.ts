import { table } from '../cli/output.ts';
import type { Cell, Clause, ClauseState, Report } from './report.ts';

/** In words, for people and screen readers alike. */
export const stateWords: Readonly<Record<ClauseState, string>> = {
  shown: 'shown',
  partly: 'shown in part',
  missing: 'NOT SHOWN',
  outside: 'not from these records',
};

const cellText = (cell: Cell): string => (typeof cell === 'string' ? cell : cell.digest);

/** The report as text: whole digests, so that it can be compared and searched. */
export function renderText(report: Report): string {
  const { product, audit } = report;
  return [
    report.title,
    report.regulation,
    '',
    `product   ${product.name} (${product.id})`,
    `registry  ${product.registry} on chain ${product.chainId}`,
    `made      ${new Date(report.createdAt * 1000).toISOString()}`,
    `history   ${audit.summary}`,
    '',
    report.notice,
    ...report.clauses.flatMap(clauseText),
  ].join('\n');
}

function clauseText({ clause, asks, state, answer, table: rows, gaps }: Clause): readonly string[] {
  return [
    '',
    `${clause}: ${stateWords[state]}`,
    `  asks  ${asks}`,
    `  here  ${answer}`,
    ...(rows
      ? [
          indented(
            table(
              rows.header,
              rows.rows.map((row) => row.map(cellText)),
            ),
          ),
        ]
      : []),
    ...gaps.map((gap) => `  to do ${gap}`),
  ];
}

const indented = (text: string) => text.replaceAll(/^/gm, '    ');
