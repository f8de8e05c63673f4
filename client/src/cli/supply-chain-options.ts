import {
  cveIdSchema,
  FirmproofError,
  maximumFixedVulnerabilities,
  maximumRxswins,
  rxswinSchema,
  type Severity,
  severities,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { z } from 'zod';
import { prepareDocuments } from '../documents/prepare-documents.ts';
import type { AttestedRelease, ReleaseOptions } from '../prepare-release.ts';
import { counted } from './output.ts';

export type SupplyChainFlags = {
  readonly sbom?: readonly string[];
  readonly provenance?: readonly string[];
  readonly vex?: readonly string[];
  readonly notesFile?: string;
  readonly severity?: string;
  readonly fixes?: string;
  readonly supportUntil?: string;
  readonly rxswin?: readonly string[];
};

/** Reads and validates what is attached to a release. @throws FirmproofError as `prepareDocuments` does, `usage-invalid`, `vulnerability-invalid` */
export async function supplyChainOf(
  flags: SupplyChainFlags,
): Promise<Pick<ReleaseOptions, 'documents' | 'severity' | 'fixedVulnerabilities' | 'supportUntil' | 'rxswins'>> {
  const severity = flags.severity === undefined ? {} : { severity: parseSeverity(flags.severity) };
  const fixes = flags.fixes === undefined ? {} : { fixedVulnerabilities: parseFixes(flags.fixes) };
  const support = flags.supportUntil === undefined ? {} : { supportUntil: parseDay(flags.supportUntil) };
  const numbers = flags.rxswin === undefined ? {} : { rxswins: parseRxswins(flags.rxswin) };
  const documents = await prepareDocuments({
    sboms: flags.sbom ?? [],
    provenance: flags.provenance ?? [],
    vex: flags.vex ?? [],
    notes: flags.notesFile === undefined ? [] : [flags.notesFile],
  });
  return { ...severity, ...fixes, ...support, ...numbers, documents };
}

function parseSeverity(text: string): Severity {
  const severity = severities.find((known) => known === text);
  if (severity !== undefined) return severity;
  throw new FirmproofError('usage-invalid', `--severity is one of ${severities.join(', ')}, not "${text}"`);
}

/** CVE ids, each once, in the order given. */
function parseFixes(text: string): readonly string[] {
  const ids = [...new Set(text.split(',').map((id) => id.trim().toUpperCase()))];
  const wrong = ids.find((id) => !cveIdSchema.safeParse(id).success);
  if (wrong !== undefined) throw new FirmproofError('vulnerability-invalid', `--fixes: "${wrong}" is no CVE id`);
  if (ids.length <= maximumFixedVulnerabilities) return ids;
  throw new FirmproofError(
    'vulnerability-invalid',
    `--fixes: ${ids.length} ids, at most ${maximumFixedVulnerabilities}`,
  );
}

function parseDay(text: string): string {
  if (z.iso.date().safeParse(text).success) return text;
  throw new FirmproofError('usage-invalid', `--support-until "${text}" is no day`, { hint: 'Write 2031-12-31.' });
}

/** Each once. */
function parseRxswins(texts: readonly string[]): readonly string[] {
  const numbers = [...new Set(texts.map((text) => text.trim()))];
  const wrong = numbers.find((number) => !rxswinSchema.safeParse(number).success);
  if (wrong !== undefined)
    throw new FirmproofError('usage-invalid', `--rxswin "${wrong}" is no software identification number`, {
      hint: 'Write "R79SWIN 0001": regulation, SWIN, a space, and up to 48 characters without spaces.',
    });
  if (numbers.length <= maximumRxswins) return numbers;
  throw new FirmproofError('usage-invalid', `--rxswin: ${numbers.length} numbers, at most ${maximumRxswins}`);
}

/** "2 sbom, 1 vex". */
export function documentsText({ documents }: Pick<AttestedRelease, 'documents'>): string {
  const kinds = Map.groupBy(documents, ({ document }) => document.kind);
  const list = [...kinds].map(([kind, { length }]) => `${length} ${kind}`).join(', ');
  return list === '' ? 'none' : `${counted(documents.length, 'document')}: ${list}`;
}

const each = (file: string, before: readonly string[] = []) => [...before, file];

/** The documents alone. */
export function withDocumentOptions(command: Command): Command {
  return command
    .option('--sbom <file>', 'bill of materials: CycloneDX or SPDX in JSON; may come again, as the next two may', each)
    .option('--provenance <file>', 'SLSA provenance of this image: an in-toto statement, signed or not', each)
    .option('--vex <file>', 'what is known of vulnerabilities: OpenVEX, or CycloneDX', each)
    .option('--notes-file <file>', 'longer release notes: text, or Markdown (.md)');
}

export function withSupplyChainOptions(command: Command): Command {
  return withDocumentOptions(command)
    .option('--severity <severity>', `of the worst hole that this closes: ${severities.join(', ')}`)
    .option('--fixes <ids>', 'CVE ids of what this fixes, comma separated')
    .option('--support-until <day>', 'the last day of support for this release: 2031-12-31')
    .option(
      '--rxswin <number>',
      'software identification number of UN R156 that it carries, "R79SWIN 0001"; may come again',
      each,
    );
}
