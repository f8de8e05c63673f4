/**
 * shown: the data answer the clause. partly: some of what it asks for is there. missing: it could be here and is not.
 * outside: no data of this kind can answer it; somebody else has to.
 */
export type ClauseState = 'shown' | 'partly' | 'missing' | 'outside';

/** A cell is text, or a digest: evidence, so that no rendering may shorten it. */
export type Cell = string | { readonly digest: string };

export type ReportTable = { readonly header: readonly string[]; readonly rows: readonly (readonly Cell[])[] };

export type Clause = {
  /** As the regulation numbers it. */
  readonly clause: string;
  /** What it asks for, in our words and shortened: the regulation's own text is what counts. */
  readonly asks: string;
  readonly state: ClauseState;
  readonly answer: string;
  readonly table?: ReportTable;
  /** What somebody has to do or to look at. */
  readonly gaps: readonly string[];
};

export type Report = {
  readonly reportVersion: 1;
  readonly kind: 'cra' | 'r156';
  readonly regulation: string;
  readonly title: string;
  readonly product: { readonly id: string; readonly name: string; readonly chainId: number; readonly registry: string };
  /** Seconds since 1970. */
  readonly createdAt: number;
  readonly notice: string;
  readonly audit: {
    readonly complete: boolean;
    readonly summary: string;
    readonly block: { readonly number: number; readonly hash: string };
    readonly history: string;
  };
  readonly clauses: readonly Clause[];
};

export const notice =
  'This report is made from records that were checked as it says. It is no legal advice and no assessment of conformity.';

/**
 * For clauses about each of something. Everything there: shown. Nothing: missing. Where there is nothing to show it of, nothing
 * has been shown and nothing is missing: partly, and the answer has to say that there was none.
 * @param isWhole whether everything that could be one of `all` was seen; where not, an empty list says nothing
 */
export function stateOf(have: number, all: number, isWhole: boolean): ClauseState {
  if (all === 0) return isWhole ? 'partly' : 'missing';
  if (have === 0) return 'missing';
  return have === all ? 'shown' : 'partly';
}
