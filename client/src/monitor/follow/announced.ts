import { isFirmproofError } from '@firmproof/protocol';
import type { ProductHistory } from '@firmproof/protocol/audit';
import { type Announcements, announcementMistake, readAnnouncements } from '../announcements.ts';
import type { Condition } from '../conditions.ts';

/** The file itself, and the releases that are not in it. What was there before the monitor came needs no announcement. */
export function lookAtAnnouncements(
  file: string,
  history: ProductHistory,
  baseline: number,
): { readonly unreadable: readonly Condition[]; readonly unannounced: readonly Condition[] } {
  let announced: Announcements;
  try {
    announced = readAnnouncements(file);
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    const subject = { code: 'announcements-unreadable', severity: 'warn', subject: 'file' } as const;
    return { unreadable: [{ ...subject, message: error.message, patienceSeconds: 0 }], unannounced: [] };
  }
  const unannounced: Condition[] = [];
  for (const release of history.releases.values()) {
    const { version, sequence } = release;
    const message = sequence > baseline ? announcementMistake(announced, release) : null;
    if (message === null) continue;
    const subject = { code: 'release-unannounced', severity: 'bad', subject: version, version, sequence } as const;
    unannounced.push({ ...subject, message, patienceSeconds: 0 });
  }
  return { unreadable: [], unannounced };
}
