import type { Availability, ReleaseFacts } from './facts.ts';
import type { ReportTable } from './report.ts';

/** UTC, as all days here. */
export const dayOf = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);

const yearSeconds = 365.2425 * 86_400;
export const yearsBetween = (fromSeconds: number, toSeconds: number): number => (toSeconds - fromSeconds) / yearSeconds;

export const listOrDash = (items: readonly string[]): string => items.join(', ') || '–';

/** What is counted of releases; where there is none, nothing can be. */
export const ofReleases = (releases: readonly ReleaseFacts[], text: string): string =>
  releases.length === 0 ? 'No release was recorded yet: there was none to show this of.' : text;

export const availabilityText = (availability: Availability | null): string =>
  availability === null ? 'not looked for' : `${availability.intact} of ${availability.sources} sources`;

/** All releases with what identifies their bytes. */
export const releaseTable = (releases: readonly ReleaseFacts[]): ReportTable => ({
  header: ['release', 'recorded', 'state', 'image, sha-256', 'attestation, sha-256'],
  rows: releases.map(({ version, publishedAt, revokedAt, image, attestation }) => [
    version,
    dayOf(publishedAt),
    revokedAt === null ? 'active' : `revoked ${dayOf(revokedAt)}`,
    { digest: image },
    { digest: attestation },
  ]),
});

export const rolloutText = (rollouts: ReleaseFacts['rollouts']): string =>
  listOrDash(
    rollouts.map(({ channel, complete }) => `${channel} ${complete === null ? 'cut short' : dayOf(complete)}`),
  );
