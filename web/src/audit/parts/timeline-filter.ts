import type { HistoryEvent } from '@firmproof/protocol/audit';
import type { Query } from '../route.ts';
import { groupOf, searchTextOf } from './event-words.ts';

const rowsAPage = 25;

/** Newest first, those that the filters of the address let through. A search for `#12` is for entry 12. */
export function filterEvents(events: readonly HistoryEvent[], { kinds, channel, search }: Query): HistoryEvent[] {
  const groups = kinds ? kinds.split(',') : [];
  const text = (search ?? '').trim().toLowerCase();
  const entry = /^#([0-9]+)$/.exec(text)?.[1];
  return events
    .filter((event) => {
      if (groups.length > 0 && !groups.includes(groupOf(event))) return false;
      if (channel && !('channel' in event && event.channel === channel)) return false;
      if (entry !== undefined) return event.sequence === Number(entry);
      return text === '' || searchTextOf(event).includes(text);
    })
    .reverse();
}

/** The rows of the page that the address names; a page that is none is the nearest. */
export function pagesOf(events: readonly HistoryEvent[], query: Query) {
  const pages = Math.max(1, Math.ceil(events.length / rowsAPage));
  const page = Math.min(Math.max(1, Math.floor(Number(query['page'])) || 1), pages);
  return { shown: events.slice((page - 1) * rowsAPage, page * rowsAPage), page, pages };
}
