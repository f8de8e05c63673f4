import { cveIdSchema, type ReleasePredicate, releasePurposes, severities } from '@firmproof/protocol';
import * as z from 'zod';

const maximumFixes = 64;
const maximumNotes = 1000;

/**
 * What a statement says of its release for people. It is kept beside the version, so that `status` can tell it without
 * asking anybody; nothing is decided by it (release.md R9).
 */
export const aboutReleaseSchema = z.object({
  purpose: z.enum(releasePurposes).optional(),
  severity: z.enum(severities).optional(),
  /** The first of them. */
  fixedVulnerabilities: z.array(cveIdSchema).optional(),
  supportUntil: z.string().optional(),
  /** Their beginning. */
  notes: z.string().optional(),
});
export type AboutRelease = z.infer<typeof aboutReleaseSchema>;

/** Short enough for a journal that is written at every step. */
export function aboutRelease(predicate: ReleasePredicate): AboutRelease {
  const { purpose, severity, fixedVulnerabilities, supportUntil, notes } = predicate;
  return {
    ...(purpose && { purpose }),
    ...(severity && { severity }),
    ...(fixedVulnerabilities && { fixedVulnerabilities: fixedVulnerabilities.slice(0, maximumFixes) }),
    ...(supportUntil && { supportUntil }),
    ...(notes && { notes: notes.slice(0, maximumNotes) }),
  };
}

/** In rows of a name and a value: those that there are. */
export function aboutRows(about: AboutRelease | undefined): [string, string | null][] {
  const { purpose, severity, fixedVulnerabilities, supportUntil, notes } = about ?? {};
  return [
    ['purpose', purpose ?? null],
    ['severity', severity ?? null],
    ['fixes', fixedVulnerabilities?.join(', ') ?? null],
    ['supported', supportUntil ? `until ${supportUntil}` : null],
    // One line, and nothing that a terminal takes for a command.
    ['notes', notes?.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').trim() ?? null],
  ];
}
