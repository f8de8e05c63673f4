import { join } from 'node:path';
import { type DeviceCode, type FirmproofError, isDeviceCode } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { isStorageFull } from '@firmproof/protocol/node/system-error';
import * as z from 'zod';
import { readDataFile } from '../data-directory.ts';

const momentSchema = z.object({ code: z.string().max(64), message: z.string().max(500), atSeconds: z.number() });

const healthSchema = z.object({
  /** What it has on its slate, as of `atSeconds`; it is halved every six hours. */
  penalty: z.number().min(0),
  atSeconds: z.number(),
  lastFailure: momentSchema.nullable(),
  certificateProblem: momentSchema.nullable(),
});
export type Health = z.infer<typeof healthSchema>;

const maximumSources = 32;
const bookSchema = z.record(z.string(), healthSchema);

const halfLifeSeconds = 6 * 3600;
const maximumPenalty = 64;
/** Below this nothing is held against a source: it is asked in its turn again. */
const forgottenPenalty = 0.25;
/** A source that lies is worse than one that is slow or behind, and that is worse than one that is away. */
const penalties: Partial<Record<DeviceCode, number>> = {
  unavailable: 1,
  'redirect-refused': 1,
  'download-too-slow': 2,
  stale: 2,
  'no-quorum': 2,
};
const penaltyForLies = 16;

const unblemished: Health = { penalty: 0, atSeconds: 0, lastFailure: null, certificateProblem: null };

/** What is left of the penalty. A clock that went back takes nothing off. */
export function penaltyAt({ penalty, atSeconds }: Health, nowSeconds: number): number {
  const left = penalty * 2 ** (-Math.max(0, nowSeconds - atSeconds) / halfLifeSeconds);
  return left < forgottenPenalty ? 0 : left;
}

export function afterFailure(health: Health, code: DeviceCode, message: string, nowSeconds: number): Health {
  const penalty = Math.min(maximumPenalty, penaltyAt(health, nowSeconds) + (penalties[code] ?? penaltyForLies));
  const lastFailure = { code, message: message.slice(0, 500), atSeconds: nowSeconds };
  return { ...health, penalty, atSeconds: nowSeconds, lastFailure };
}

/** What works is forgiven quickly: half of it each time. */
export function afterSuccess(health: Health, nowSeconds: number): Health {
  if (health.penalty === 0) return health;
  return {
    ...health,
    penalty: penaltyAt({ ...health, penalty: health.penalty / 2 }, nowSeconds),
    atSeconds: nowSeconds,
  };
}

/** The healthiest first; among equals the order that they were named in. */
export function byHealth(
  sources: readonly string[],
  healthOf: (source: string) => Health,
  nowSeconds: number,
): readonly string[] {
  const penalty = new Map(sources.map((source) => [source, penaltyAt(healthOf(source), nowSeconds)]));
  return [...sources].sort((one, other) => (penalty.get(one) ?? 0) - (penalty.get(other) ?? 0));
}

/** What the device remembers of the sources that it has asked, over restarts. Nothing is decided by it but the order (D42). */
export class SourceHealth {
  readonly #file: string;
  readonly #now: () => number;
  readonly #book: Map<string, Health>;
  readonly #certificateProblems = new Map<string, string>();
  #isSaved = true;

  private constructor(file: string, now: () => number, book: Map<string, Health>) {
    this.#file = file;
    this.#now = now;
    this.#book = book;
  }

  static open(dataDirectory: string, nowSeconds: () => number): SourceHealth {
    const file = join(dataDirectory, 'sources.json');
    return new SourceHealth(file, nowSeconds, new Map(Object.entries(readBook(file))));
  }

  order(sources: readonly string[]): readonly string[] {
    return byHealth(sources, (source) => this.#healthOf(source), this.#now());
  }

  worked(source: string): void {
    this.#remember(source, afterSuccess(this.#healthOf(source), this.#now()));
  }

  failed(source: string, { code, message }: Pick<FirmproofError, 'code' | 'message'>): void {
    if (isDeviceCode(code)) this.#remember(source, afterFailure(this.#healthOf(source), code, message, this.#now()));
  }

  /** What is wrong with its certificate now, or null. */
  certificate(source: string, problem: string | null): void {
    if (problem !== null) this.#certificateProblems.set(source, problem);
    const health = this.#healthOf(source);
    if ((health.certificateProblem?.message ?? null) === problem) return;
    const certificateProblem =
      problem === null ? null : { code: 'certificate-invalid', message: problem, atSeconds: this.#now() };
    this.#remember(source, { ...health, certificateProblem });
  }

  /** The problems that this process has met. */
  get certificateProblems(): ReadonlyMap<string, string> {
    return this.#certificateProblems;
  }

  entries(): readonly (Health & { readonly source: string; readonly penaltyNow: number })[] {
    const now = this.#now();
    return [...this.#book].map(([source, health]) => ({ source, ...health, penaltyNow: penaltyAt(health, now) }));
  }

  /** Writes what has changed, if anything has. */
  async save(): Promise<void> {
    if (this.#isSaved) return;
    try {
      await writeFileAtomically(this.#file, JSON.stringify(Object.fromEntries(this.#book)));
      this.#isSaved = true;
    } catch (error) {
      // A full disk is told by what has to be written, not by what would be good to know.
      if (!isStorageFull(error)) throw error;
    }
  }

  #healthOf(source: string): Health {
    return this.#book.get(source) ?? unblemished;
  }

  #remember(source: string, health: Health): void {
    const before = this.#healthOf(source);
    if (health === before) return;
    this.#isSaved = false;
    // Again at the end: who has been quiet for longest is forgotten first.
    this.#book.delete(source);
    this.#book.set(source, health);
    const [oldest] = this.#book.keys();
    if (this.#book.size > maximumSources && oldest !== undefined) this.#book.delete(oldest);
  }
}

function readBook(file: string): Record<string, Health> {
  const text = readDataFile(file);
  if (text === null) return {};
  try {
    return bookSchema.parse(JSON.parse(text));
  } catch {
    // It is no more than a hint on whom to ask first.
    return {};
  }
}
