import { join } from 'node:path';
import {
  type Advisory,
  type AdvisoryPredicate,
  type Evidence,
  isAbout,
  isFirmproofError,
  maximumAdvisoriesKept,
  maximumAdvisoryBytes,
  newestRevisions,
  parseAdvisory,
  provenAdvisories,
  sha256DigestSchema,
  type TrustRoot,
  type Version,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { keylessVerifier } from '@firmproof/protocol/node/keyless-verifier';
import * as z from 'zod';
import type { Agent } from './agent.ts';
import type { AgentConfig } from './config.ts';
import { readDataFile } from './data-directory.ts';
import { heldTrustRoot } from './trust.ts';

/** `trustRoot`: the one that they hold under. */
const fileSchema = z.object({
  trustRoot: sha256DigestSchema,
  advisories: z.array(z.string().max(maximumAdvisoryBytes)).max(maximumAdvisoriesKept),
});

type Kept = Readonly<z.infer<typeof fileSchema>>;

const fileOf = ({ dataDirectory }: AgentConfig) => join(dataDirectory, 'advisories.json');

/** A damaged file counts as none: what it held comes again. @throws FirmproofError `data-unreadable` */
function readKept(config: AgentConfig): Kept | null {
  const text = readDataFile(fileOf(config));
  if (text === null) return null;
  try {
    return fileSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Another version of the agent may have kept what this one does not read. */
function readable(text: string): readonly Advisory[] {
  try {
    return [parseAdvisory(text)];
  } catch (error) {
    if (isFirmproofError(error)) return [];
    throw error;
  }
}

/** Those that hold under a root: at once where they were verified under it, else again (W6). */
async function holding(kept: Kept | null, root: TrustRoot, trustedRoot?: string): Promise<readonly Advisory[]> {
  if (kept === null) return [];
  if (kept.trustRoot === root.digest) return kept.advisories.flatMap(readable);
  return provenAdvisories(kept.advisories, root, { verifier: keylessVerifier, trustedRoot });
}

/**
 * Keeps the advisories of evidence whose trust root the chain names (D18): the highest revision of each that this device has
 * seen, and never a lower one. What is kept already is not verified again.
 */
export async function rememberAdvisories(
  { config }: Pick<Agent, 'config'>,
  root: TrustRoot,
  { advisories: offered = [], sigstoreTrustedRoot }: Pick<Evidence, 'advisories' | 'sigstoreTrustedRoot'>,
): Promise<void> {
  const kept = readKept(config);
  if (kept === null && offered.length === 0) return;
  const known = await holding(kept, root, sigstoreTrustedRoot);
  const texts = new Set(known.map(({ text }) => text));
  const means = { verifier: keylessVerifier, trustedRoot: sigstoreTrustedRoot };
  const unknown = offered.filter((text) => !texts.has(text));
  const next = newestRevisions(known, await provenAdvisories(unknown, root, means)).map(({ text }) => text);
  const isSame = kept?.trustRoot === root.digest && JSON.stringify(kept.advisories) === JSON.stringify(next);
  if (isSame || (kept === null && next.length === 0)) return;
  const content: Kept = { trustRoot: root.digest, advisories: next };
  await writeFileAtomically(fileOf(config), JSON.stringify(content));
}

/** What `status` and `check` say of an advisory. */
export type AdvisoryNotice = Pick<
  AdvisoryPredicate,
  'id' | 'revision' | 'severity' | 'status' | 'title' | 'text' | 'fixedIn' | 'vulnerabilities'
> & {
  readonly version: Version;
  readonly publishedAt: number;
};

/** The advisories about a version that this device has seen, the most important ones first. @throws FirmproofError `data-unreadable` */
export async function advisoriesAbout(
  agent: Pick<Agent, 'config' | 'journal'>,
  version: Version,
): Promise<readonly AdvisoryNotice[]> {
  const known = await holding(readKept(agent.config), heldTrustRoot(agent));
  return known
    .filter((advisory) => isAbout(advisory, version))
    .map(({ statement: { predicate } }) => {
      const { product: _product, versions: _versions, vex: _vex, ...said } = predicate;
      return { ...said, version };
    });
}

/** One line: `FPA-2026-1 (high) affects what is installed: update to 1.2.0 – title`. */
export function adviceOf(notice: AdvisoryNotice, what: string): string {
  const { id, severity, status, fixedIn, title } = notice;
  const says = {
    affected: `affects ${what}: ${fixedIn === undefined ? 'no version fixes it yet' : `update to ${fixedIn}`}`,
    not_affected: `does not affect ${what}`,
    fixed: `is fixed in ${what}`,
    under_investigation: `is being looked into for ${what}`,
  };
  return `${id} (${severity}) ${says[status]} – ${title}`;
}
