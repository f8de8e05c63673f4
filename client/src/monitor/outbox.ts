import { parseJson, sha256 } from '@firmproof/protocol';
import { type Alert, alertSchema } from './alert.ts';
import type { MonitorState } from './state.ts';

/** What goes to a sink in one piece: one alert, or several folded into a summary. Its id is that of the attempt before. */
export type Message = { readonly id: string; readonly alerts: readonly Alert[]; readonly attempts: number };

export type RateLimit = { readonly messages: number; readonly perSeconds: number };

/** A summary is read by people; what does not fit goes into the next one. */
const maximumSummarised = 100;
const maximumAlertBytes = 64 * 1024;
/** How long what was delivered is kept, for whoever wants to look. */
const keptSeconds = 90 * 86_400;

/**
 * The alerts that have not reached everybody yet. An alert is put in for every sink within the transaction that found it, and
 * leaves when the sink has taken it: nothing in between can lose it. A message is formed, with its id, before it is sent for the
 * first time, so that every attempt bears the same id.
 */
export class Outbox {
  readonly #state: MonitorState;
  readonly #sinks: readonly string[];
  readonly #onRaise: (alert: Alert) => void;

  /**
   * @param sinks names of those that get all alerts from now on
   * @param onRaise told of each alert that is put in
   */
  constructor(state: MonitorState, sinks: readonly string[], onRaise: (alert: Alert) => void = () => undefined) {
    this.#state = state;
    this.#sinks = sinks;
    this.#onRaise = onRaise;
  }

  /** Within a transaction of the caller. False, and nothing done, where this alert was raised before. */
  raise(alert: Alert): boolean {
    const { database } = this.#state;
    const insert = database.prepare('insert into alerts (id, body, raised_at) values (?, ?, ?) on conflict do nothing');
    if (insert.run(alert.id, JSON.stringify(alert), alert.at).changes === 0) return false;
    const put = database.prepare('insert into outbox (sink, alert) values (?, ?)');
    for (const sink of this.#sinks) put.run(sink, alert.id);
    this.#onRaise(alert);
    return true;
  }

  find(id: string): Alert | null {
    const row = this.#state.database.prepare('select body from alerts where id = ?').get(id);
    return row ? readAlert(row['body']) : null;
  }

  /**
   * Makes messages of what waits for a sink, as far as the rate allows: one for each alert while there is room, and the last
   * one that is allowed holds all the others. What finds no room waits for the window to move on.
   */
  form(sink: string, rate: RateLimit | null, now: number): void {
    this.#state.transaction(() => {
      const { database } = this.#state;
      const waiting = database
        .prepare('select place, alert from outbox where sink = ? and message is null order by place')
        .all(sink) as { place: number; alert: string }[];
      if (waiting.length === 0) return;
      for (const group of groupsOf(
        waiting,
        rate === null ? waiting.length : rate.messages - this.#formed(sink, rate, now),
      )) {
        const id = messageId(group.map(({ alert }) => alert));
        database.prepare('insert into messages (id, sink, formed_at) values (?, ?, ?)').run(`${sink}/${id}`, sink, now);
        const assign = database.prepare('update outbox set message = ? where place = ?');
        for (const { place } of group) assign.run(`${sink}/${id}`, place);
      }
    });
  }

  #formed(sink: string, { perSeconds }: RateLimit, now: number): number {
    const count = this.#state.database.prepare(
      'select count(*) as formed from messages where sink = ? and formed_at > ? and formed_at <= ?',
    );
    return Number(count.get(sink, now - perSeconds, now)?.['formed']);
  }

  /** What the sink should get next: the one that was tried least, and of those the oldest. */
  next(sink: string): Message | null {
    const { database } = this.#state;
    const row = database
      .prepare(
        `select id, attempts from messages where sink = ? and delivered_at is null
         order by attempts, formed_at, (select min(place) from outbox where message = messages.id) limit 1`,
      )
      .get(sink);
    if (!row) return null;
    const bodies = database
      .prepare('select body from outbox join alerts on alerts.id = outbox.alert where message = ? order by place')
      .all(String(row['id']));
    const id = String(row['id']).slice(sink.length + 1);
    return { id, alerts: bodies.map(({ body }) => readAlert(body)), attempts: Number(row['attempts']) };
  }

  delivered(sink: string, { id }: Message, now: number): void {
    this.#state.transaction(() =>
      this.#state.database
        .prepare('update messages set delivered_at = ?, trouble = null, attempts = attempts + 1 where id = ?')
        .run(now, `${sink}/${id}`),
    );
  }

  failed(sink: string, { id }: Message, trouble: string): void {
    this.#state.transaction(() =>
      this.#state.database
        .prepare('update messages set attempts = attempts + 1, trouble = ? where id = ?')
        .run(trouble, `${sink}/${id}`),
    );
  }

  /** Alerts that this sink has not got yet. */
  waiting(sink: string): number {
    const count = this.#state.database.prepare(
      `select count(*) as waiting from outbox left join messages on messages.id = outbox.message
       where outbox.sink = ? and delivered_at is null`,
    );
    return Number(count.get(sink)?.['waiting']);
  }

  /** Forgets what all have got long ago, and what waits for sinks that are not configured any more. Answers how much that was. */
  tidy(now: number): { readonly dropped: number } {
    const names = JSON.stringify(this.#sinks);
    return this.#state.transaction(() => {
      const { database } = this.#state;
      const gone = 'sink not in (select value from json_each(?))';
      const dropped = Number(
        database
          .prepare(
            `select count(*) as dropped from outbox left join messages on messages.id = outbox.message
             where outbox.${gone} and delivered_at is null`,
          )
          .get(names)?.['dropped'],
      );
      database.prepare(`delete from outbox where ${gone}`).run(names);
      const old = 'select id from messages where delivered_at < ?';
      database.prepare(`delete from outbox where message in (${old})`).run(now - keptSeconds);
      database.exec('delete from messages where id not in (select message from outbox where message is not null)');
      database
        .prepare(
          `delete from alerts where raised_at < ? and id not in (select alert from outbox)
           and id not in (select alert from conditions where alert is not null)`,
        )
        .run(now - keptSeconds);
      return { dropped };
    });
  }
}

const readAlert = (body: unknown): Alert =>
  parseJson(String(body), alertSchema, {
    code: 'monitor-state-damaged',
    maximumBytes: maximumAlertBytes,
    what: 'an alert in the state',
  });

/** Of one alert its own id; of several an id that follows from theirs. */
function messageId(alerts: readonly string[]): string {
  const [only = ''] = alerts;
  return alerts.length === 1 ? only : `msg_${sha256(new TextEncoder().encode(alerts.join('\n'))).slice(0, 32)}`;
}

/** At most so many groups: single ones, and the last one holds as many as are left. */
export function groupsOf<Item>(items: readonly Item[], room: number): readonly (readonly Item[])[] {
  if (room <= 0) return [];
  if (items.length <= room) return items.map((item) => [item]);
  const singles = items.slice(0, room - 1).map((item) => [item]);
  return [...singles, items.slice(room - 1, room - 1 + maximumSummarised)];
}
