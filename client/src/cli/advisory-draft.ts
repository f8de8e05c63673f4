import {
  type AdvisoryPredicate,
  type AdvisoryStatus,
  advisoryStatuses,
  cveIdSchema,
  FirmproofError,
  parseVersion,
  type Severity,
  severities,
} from '@firmproof/protocol';
import type { AdvisoryDraft } from '../advisory.ts';
import { readText } from './files.ts';

/** What `advisory publish` is told of an advisory. */
export type AdvisoryFlags = {
  readonly id: string;
  readonly versions?: string;
  readonly severity?: string;
  readonly status?: string;
  readonly title?: string;
  readonly text?: string;
  readonly textFile?: string;
  readonly fixedIn?: string;
  readonly cve?: string;
};

/** In the place of a value: it is taken away from what the revision before said. */
const nothing = 'none';

const listOf = (text: string) => (text === nothing ? [] : text.split(',').map((item) => item.trim()));

function oneOf<Known extends string>(known: readonly Known[], text: string, option: string): Known {
  const found = known.find((one) => one === text);
  if (found !== undefined) return found;
  throw new FirmproofError('usage-invalid', `${option} is one of ${known.join(', ')}, not "${text}"`);
}

function cveIdsOf(text: string): string[] {
  const ids = [...new Set(listOf(text).map((id) => id.toUpperCase()))];
  const wrong = ids.find((id) => !cveIdSchema.safeParse(id).success);
  if (wrong === undefined) return ids;
  throw new FirmproofError('vulnerability-invalid', `--cve: "${wrong}" is no CVE id`);
}

function needed<Value>(value: Value | undefined, option: string, id: string): Value {
  if (value !== undefined) return value;
  throw new FirmproofError(
    'usage-invalid',
    `${option} is missing, and no revision of ${id} before that it could come from`,
    {
      hint: 'The first revision, and one with --revision, needs --versions, --severity and --title.',
    },
  );
}

/** What the command line says, for itself: wrong values are found before anybody is asked. */
function givenBy(flags: AdvisoryFlags) {
  const { severity, status, versions, fixedIn, cve } = flags;
  const text = flags.textFile === undefined ? flags.text : readText(flags.textFile);
  return {
    severity: severity === undefined ? undefined : oneOf<Severity>(severities, severity, '--severity'),
    status: status === undefined ? undefined : oneOf<AdvisoryStatus>(advisoryStatuses, status, '--status'),
    versions: versions === undefined ? undefined : [...new Set(listOf(versions).map(parseVersion))],
    fixedIn: fixedIn === undefined || fixedIn === nothing ? undefined : parseVersion(fixedIn),
    vulnerabilities: cve === undefined ? undefined : cveIdsOf(cve),
    text: text?.replaceAll('\r\n', '\n').trimEnd(),
  };
}

/**
 * The advisory, or its next revision, which goes on saying whatever is not said anew: nobody loses advice by leaving it out.
 * @returns a function of the newest revision that there is, null for none. It throws FirmproofError `usage-invalid`.
 * @throws FirmproofError `usage-invalid`, `vulnerability-invalid`, `version-invalid`, `file-not-found`
 */
export function draftOf(flags: AdvisoryFlags): (before: AdvisoryPredicate | null) => AdvisoryDraft {
  const given = givenBy(flags);
  const { id } = flags;
  return (before) => {
    const title = needed(flags.title ?? before?.title, '--title', id);
    // An advisory that says no more than its title has the title as its text.
    const kept = before === null || before.text === before.title ? title : before.text;
    const fixedIn = flags.fixedIn === undefined ? before?.fixedIn : given.fixedIn;
    return {
      id,
      status: given.status ?? before?.status ?? 'affected',
      severity: needed(given.severity ?? before?.severity, '--severity', id),
      versions: needed(given.versions ?? before?.versions, '--versions', id),
      ...(fixedIn !== undefined && { fixedIn }),
      title,
      text: given.text ?? kept,
      vulnerabilities: given.vulnerabilities ?? before?.vulnerabilities ?? [],
    };
  };
}
