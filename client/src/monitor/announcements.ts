import { appendFileSync, closeSync, fsyncSync, openSync, readFileSync, statSync } from 'node:fs';
import {
  FirmproofError,
  isFirmproofError,
  parseSha256Digest,
  parseVersion,
  type Sha256Digest,
  type Version,
} from '@firmproof/protocol';

/** A hundred bytes a release: a hundred thousand of them. */
const maximumFileBytes = 16 * 1024 * 1024;

/** What the vendor has said that it publishes: for each version the images that it may be; none named: any. */
export type Announcements = ReadonlyMap<Version, ReadonlySet<Sha256Digest>>;

/**
 * Reads a file of announcements: a line for each release, `<version>` or `<version> <sha-256 of the image>`; `#` begins a
 * comment. Only lines with an end count, so that one that CI is still writing is never half read.
 * @throws FirmproofError `announcements-unreadable`, naming the lines
 */
export function readAnnouncements(file: string): Announcements {
  const text = readBounded(file);
  const announced = new Map<Version, Set<Sha256Digest>>();
  const mistakes: string[] = [];
  for (const [index, whole] of text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .entries()) {
    const line = whole.replace(/#.*$/, '').trim();
    if (line === '') continue;
    const read = readLine(line);
    if (read === null) mistakes.push(`line ${index + 1}`);
    else {
      const images = announced.get(read.version) ?? new Set();
      if (read.image !== null) images.add(read.image);
      announced.set(read.version, images);
    }
  }
  if (mistakes.length === 0) return announced;
  throw unreadable(file, `${mistakes.slice(0, 10).join(', ')} of it is no announcement`);
}

function readBounded(file: string): string {
  try {
    if (statSync(file).size <= maximumFileBytes) return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unreadable(file, 'cannot be read', cause);
  }
  throw unreadable(file, 'is too large');
}

const unreadable = (file: string, why: string, cause?: unknown) =>
  new FirmproofError('announcements-unreadable', `${file}: ${why}`, { cause });

function readLine(line: string): { version: Version; image: Sha256Digest | null } | null {
  const [version = '', image, ...more] = line.split(/\s+/);
  try {
    if (more.length > 0) return null;
    return { version: parseVersion(version), image: image === undefined ? null : parseSha256Digest(image) };
  } catch (error) {
    if (isFirmproofError(error)) return null;
    throw error;
  }
}

/** Appends an announcement; on the disk when it returns. Several may do so at once: a line is one write. */
export function announce(file: string, version: Version, image: Sha256Digest | null): void {
  appendFileSync(file, `${image === null ? version : `${version} ${image}`}\n`);
  const handle = openSync(file, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** What is wrong with a release, seen from the announcements; null where it is announced. */
export function announcementMistake(
  announced: Announcements,
  release: { readonly version: Version; readonly image: Sha256Digest },
): string | null {
  const images = announced.get(release.version);
  if (images === undefined) return `${release.version} was published and never announced (image ${release.image})`;
  if (images.size === 0 || images.has(release.image)) return null;
  return `${release.version} was published with image ${release.image}, announced with ${[...images].join(', ')}`;
}
