import { type Alert, alertOfCondition, alertOfResolution, type Followed, type Notice } from './alert.ts';
import type { Outbox } from './outbox.ts';
import type { MonitorState } from './state.ts';

/** Something that lasts, as one look has seen it. */
export type Condition = Notice & {
  /** What it is about, for telling it from others of its code. */
  readonly subject: string;
  /** How long it has to last before anybody is told. */
  readonly patienceSeconds: number;
  /** Since when, where that is known better than by the first look. Seconds since 1970, or any number that is always the same. */
  readonly since?: number;
};

type Row = { readonly code: string; readonly subject: string; readonly since: number; readonly alert: string | null };

const keyOf = ({ code, subject }: { readonly code: string; readonly subject: string }) => `${code}\n${subject}`;

/**
 * Compares what one look at one thing (its scope) has seen with what was seen before: what has lasted longer than its
 * patience is told once, and once more when it is over. A thing that could not be looked at is not reported here: nothing
 * changes then. Within a transaction of the caller.
 * @param now seconds since 1970
 */
export function observe(
  { database }: MonitorState,
  outbox: Outbox,
  of: Followed,
  scope: string,
  conditions: readonly Condition[],
  now: number,
): readonly Alert[] {
  const product = of.product ?? '';
  const rows = database
    .prepare('select code, subject, since, alert from conditions where product = ? and scope = ?')
    .all(product, scope) as Row[];
  const before = new Map(rows.map((row) => [keyOf(row), row]));
  const raised: Alert[] = [];
  const raise = (alert: Alert) => {
    if (outbox.raise(alert)) raised.push(alert);
    return alert;
  };
  const seen = new Set<string>();
  const keep = database.prepare(
    `insert into conditions (product, scope, code, subject, since, alert) values (?, ?, ?, ?, ?, ?)
     on conflict do update set alert = excluded.alert`,
  );
  for (const condition of conditions) {
    if (seen.has(keyOf(condition))) continue;
    seen.add(keyOf(condition));
    const known = before.get(keyOf(condition));
    if (known?.alert) continue;
    const since = known?.since ?? condition.since ?? now;
    const told = now - since >= condition.patienceSeconds;
    const alert = told ? raise(alertOfCondition(of, condition, condition.subject, since, now)).id : null;
    keep.run(product, scope, condition.code, condition.subject, since, alert);
  }
  const forget = database.prepare(
    'delete from conditions where product = ? and scope = ? and code = ? and subject = ?',
  );
  for (const row of rows) {
    if (seen.has(keyOf(row))) continue;
    const told = row.alert === null ? null : outbox.find(row.alert);
    if (told !== null) raise(alertOfResolution(told, now));
    forget.run(product, scope, row.code, row.subject);
  }
  return raised;
}

/** Alerts about what still lasts, of these products and of the monitor itself. */
export function standing({ database }: MonitorState, outbox: Outbox, products: readonly string[]): readonly Alert[] {
  const rows = database
    .prepare(
      `select alert from conditions where alert is not null
       and (product = '' or product in (select value from json_each(?))) order by since`,
    )
    .all(JSON.stringify(products));
  return rows.map(({ alert }) => outbox.find(String(alert))).filter((alert) => alert !== null);
}

/** Within a transaction of the caller: what was known of ways that are not configured any more. */
export const forgetWays = ({ database }: MonitorState, names: readonly string[]): void =>
  void database
    .prepare(`delete from conditions where product = '' and subject not in (select value from json_each(?))`)
    .run(JSON.stringify(names));

/** What the conditions of one scope are about, told or not. */
export function scopeSubjects({ database }: MonitorState, product: string, scope: string): ReadonlySet<string> {
  const rows = database.prepare('select subject from conditions where product = ? and scope = ?').all(product, scope);
  return new Set(rows.map(({ subject }) => String(subject)));
}
