import { isFirmproofError, type ProductId } from '@firmproof/protocol';
import type { Command } from 'commander';
import { type Audit, ContentSource } from '../../audit/index.ts';
import { writeText } from '../../audit/output/write-file.ts';
import { productFacts } from '../../report/collect.ts';
import { craReport } from '../../report/cra.ts';
import type { ReceiptFacts } from '../../report/facts.ts';
import { r156Report } from '../../report/r156.ts';
import { registerCsv } from '../../report/render-csv.ts';
import { renderHtml } from '../../report/render-html.ts';
import { renderText } from '../../report/render-text.ts';
import type { Report } from '../../report/report.ts';
import { verifiedUpdates } from '../../report/verified-updates.ts';
import { exitCodes } from '../exit-codes.ts';
import { counted } from '../output.ts';
import type { Session } from '../session.ts';
import { type AuditSources, runAudit, withAuditSources } from './audit.ts';
import type { Run } from './setup.ts';

type ReportFlags = AuditSources & { readonly html?: string; readonly csv?: string; readonly receipts?: boolean };

async function withAudit(
  session: Session,
  reference: string | undefined,
  flags: ReportFlags,
  make: (audit: Audit) => Promise<Report>,
): Promise<void> {
  const audit = await runAudit(session, reference, flags);
  try {
    const report = await make(audit);
    if (flags.html !== undefined) writeText(flags.html, renderHtml(report));
    session.output.result(report, renderText(report));
    if (!flags.fetch) session.output.note('Nothing was looked for at the sources: --fetch does.');
    if (report.clauses.some(({ state }) => state === 'missing' || state === 'partly'))
      session.output.note('How a vendor records what is not shown: docs/reports.md.');
    if (!report.audit.complete) process.exitCode = exitCodes.unproven;
  } finally {
    audit.close();
  }
}

async function factsOf(session: Session, audit: Audit, flags: ReportFlags) {
  const sources = flags.fetch ? flags.source.map((url) => new ContentSource(url)) : [];
  if (flags.fetch && flags.server && flags.offline === undefined)
    sources.unshift(new ContentSource(session.client().server));
  noteAdvisories(session, audit);
  return productFacts(audit, { sources, nowSeconds: Math.floor(Date.now() / 1000) });
}

const cra = (session: Session, reference: string | undefined, flags: ReportFlags) =>
  withAudit(session, reference, flags, async (audit) => craReport(await factsOf(session, audit, flags)));

const r156 = (session: Session, reference: string | undefined, flags: ReportFlags) =>
  withAudit(session, reference, flags, async (audit) => {
    const facts = await factsOf(session, audit, flags);
    const updates = await updatesOf(session, audit.product, flags);
    if (flags.csv !== undefined) writeText(flags.csv, registerCsv(facts, typeof updates === 'string' ? [] : updates));
    return r156Report(facts, updates);
  });

/** Why there may be more of them than the report has. */
function noteAdvisories({ output }: Session, { summary }: Audit): void {
  const { advisories, unchecked, passedOver } = summary.saidLater;
  if (advisories === null) output.note(`Advisories are not in this report: ${unchecked}.`);
  if (passedOver.advisories > 0)
    output.note(
      `${counted(passedOver.advisories, 'advisory statement')} counted for nothing: the signature does not hold, or they are of something else.`,
    );
}

/** The vendor's receipts, for whoever may read them. */
async function updatesOf(session: Session, product: ProductId, flags: ReportFlags): Promise<ReceiptFacts> {
  if (flags.receipts === false || flags.offline !== undefined || !flags.server) return 'not-asked';
  const bar = session.output.progress('receipts', (count) => counted(count, 'receipt'));
  try {
    const client = session.givenToken === undefined ? (await session.vendor(product)).client : session.client();
    const { enrolled } = await client.fleet(product);
    const { updates, dismissed } = await verifiedUpdates(client.outcomes(product), product, (done) =>
      bar.update(done, Math.max(done, enrolled)),
    );
    if (dismissed > 0)
      session.output.note(
        `${counted(dismissed, 'receipt')} counted for nothing: the signature does not hold, or two devices share a key.`,
      );
    return updates;
  } catch (error) {
    if (!isFirmproofError(error) || !['key-not-found', 'token-scope', 'authentication-required'].includes(error.code))
      throw error;
    session.output.note(
      `No receipts: they are the vendor's, and could not be read: ${error.message} [${error.code}]\nA vendor gives an auditor a token: firmproof token create --role read-receipts; it goes into FIRMPROOF_TOKEN.`,
    );
    return 'not-readable';
  } finally {
    bar.stop();
  }
}

/** Reports are about one product, from the same audit that `firmproof audit` makes. */
export function addReport(program: Command, run: Run): void {
  const report = program.command('report').description('what regulators ask for, answered from a proven history');
  const exitText =
    '\nExit code 0: the history is complete. 5: it is not, and the report says where it differs.\nNo legal advice: see docs/reports.md for the clause that each field answers.\n';
  const of = (name: string, description: string) =>
    withAuditSources(report.command(name).argument('[product]', 'name or id').description(description))
      .option('--html <file>', 'the report as one file to read and to print')
      .addHelpText('after', exitText);
  of('cra', 'Regulation (EU) 2024/2847, the Cyber Resilience Act: updates, support period, SBOMs, advisories').action(
    run((session, reference: string | undefined, flags: ReportFlags) => cra(session, reference, flags)),
  );
  of('r156', 'UN Regulation No. 156: register of software before and after each update, from receipts')
    .option('--csv <file>', 'the register device by device')
    .option('--no-receipts', 'do not ask the server for what devices have signed')
    .action(run((session, reference: string | undefined, flags: ReportFlags) => r156(session, reference, flags)));
}
