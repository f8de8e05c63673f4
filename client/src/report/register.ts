import type { Sha256Digest, Version } from '@firmproof/protocol';
import type { ProductFacts, UpdateFacts } from './facts.ts';

export type Software = { readonly version: Version; readonly image: Sha256Digest | null };

/** One line of the register: devices that went from one software to another under a number. */
export type RegisterLine = {
  /** null: of releases that carry no number. */
  readonly rxswin: string | null;
  readonly before: Software;
  /** The numbers that the software before carried. */
  readonly rxswinsBefore: readonly string[];
  readonly after: Software;
  readonly devices: number;
  /** Seconds since 1970, as the devices say. */
  readonly firstAt: number;
  readonly lastAt: number;
};

/**
 * The register of UN R156, 7.1.2.3: for each number, the software before and after each update that devices have confirmed in
 * signed receipts, with its digests. In the order of numbers, then of time.
 */
export function registerOf(
  { releases }: Pick<ProductFacts, 'releases'>,
  updates: readonly UpdateFacts[],
): readonly RegisterLine[] {
  const numbers = new Map(releases.map(({ version, stated }) => [version, stated?.rxswins ?? []]));
  const lines = new Map<string, { line: RegisterLine; devices: Set<string> }>();
  for (const update of updates) {
    if (update.result !== 'confirmed') continue;
    const carried = numbers.get(update.version) ?? [];
    for (const rxswin of carried.length > 0 ? carried : [null]) {
      const key = [rxswin, update.before.version, update.before.image, update.version, update.image].join('\n');
      const known = lines.get(key);
      const devices = known?.devices ?? new Set();
      devices.add(update.keyDigest);
      const line = {
        rxswin,
        before: update.before,
        rxswinsBefore: numbers.get(update.before.version) ?? [],
        after: { version: update.version, image: update.image },
        devices: devices.size,
        firstAt: Math.min(known?.line.firstAt ?? update.at, update.at),
        lastAt: Math.max(known?.line.lastAt ?? update.at, update.at),
      };
      lines.set(key, { line, devices });
    }
  }
  // Releases without a number come last: `~` is the highest printable character.
  const text = ({ rxswin }: RegisterLine) => rxswin ?? '~';
  return [...lines.values()]
    .map(({ line }) => line)
    .sort((one, other) => (text(one) === text(other) ? one.firstAt - other.firstAt : text(one) < text(other) ? -1 : 1));
}

/** The software that each device has last confirmed, and how many run it. */
export function lastKnown(updates: readonly UpdateFacts[]): readonly (Software & { readonly devices: number })[] {
  const newest = new Map<string, UpdateFacts>();
  for (const update of updates) {
    const before = newest.get(update.keyDigest);
    if (update.result === 'confirmed' && (before === undefined || before.counter < update.counter))
      newest.set(update.keyDigest, update);
  }
  const counts = new Map<string, Software & { devices: number }>();
  for (const { version, image } of newest.values()) {
    const key = `${version}\n${image}`;
    counts.set(key, { version, image, devices: (counts.get(key)?.devices ?? 0) + 1 });
  }
  return [...counts.values()].sort((one, other) => other.devices - one.devices);
}
