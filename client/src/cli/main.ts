import { readFileSync } from 'node:fs';
import { FirmproofError, isFirmproofError } from '@firmproof/protocol';
import { explainSystemError } from '@firmproof/protocol/node';
import { outliveReaders } from '@firmproof/protocol/node/broken-pipe';
import { Command, CommanderError, Help, type Option } from 'commander';
import { z } from 'zod';
import { addAdvisory } from './commands/advisory.ts';
import { addApprove } from './commands/approve.ts';
import { addAudit } from './commands/audit.ts';
import { addChain } from './commands/chain.ts';
import { addDeviceAnchor } from './commands/device-anchor.ts';
import { addDeviceEnrolment } from './commands/device-enrolment.ts';
import { addDeviceFleet } from './commands/device-fleet.ts';
import { addDocument } from './commands/document.ts';
import { addExport } from './commands/export.ts';
import { addInspect } from './commands/inspect.ts';
import { addMonitor } from './commands/monitor.ts';
import { addNightShift } from './commands/night-shift.ts';
import { addProduct } from './commands/product.ts';
import { addProposal } from './commands/proposal.ts';
import { addRebuild } from './commands/rebuild.ts';
import { addRelease } from './commands/release.ts';
import { addReport } from './commands/report.ts';
import { addServerLog } from './commands/server-log.ts';
import { addSetup, type Run } from './commands/setup.ts';
import { addSigner } from './commands/signer.ts';
import { addTeam } from './commands/team.ts';
import { addToken } from './commands/token.ts';
import { addTrustRoot } from './commands/trust-root.ts';
import { addVerify } from './commands/verify.ts';
import { addWebhook } from './commands/webhook.ts';
import { addWitness } from './commands/witness.ts';
import { environmentTable, exitCodeOf, exitCodes, exitCodeTable } from './exit-codes.ts';
import { printable } from './output.ts';
import { type GlobalOptions, Session } from './session.ts';

const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')));

function buildProgram(): Command {
  const program = new Command('firmproof');
  const run: Run =
    (work) =>
    async (...args) =>
      work(new Session(program.opts<GlobalOptions>()), ...args);
  program
    .description('publish firmware that devices prove for themselves, and audit what was published')
    .option('--home <directory>', 'keys and settings')
    .option('--server <url>', 'address of the server')
    .option('--json', 'one line of JSON for machines')
    .version(version, '--version', 'what this is')
    .addHelpText('after', `${exitCodeTable}${environmentTable}`)
    // `publish --version 1.0.0` is about the release.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  addSetup(program, run);
  addSigner(program, run);
  addTeam(program, run);
  addProduct(program, run);
  addRelease(program, run);
  addDocument(program, run);
  const device = program.command('device').description('the devices of a product');
  addDeviceEnrolment(device, run);
  addDeviceFleet(device, run);
  addDeviceAnchor(device, run);
  addApprove(program, run);
  addProposal(program, run);
  addNightShift(program, run);
  addTrustRoot(program, run);
  addAdvisory(program, run);
  addRebuild(program, run);
  addInspect(program, run);
  addVerify(program, run);
  addExport(program, run);
  addAudit(program, run);
  addReport(program, run);
  addChain(program, run);
  addWitness(program, run);
  addToken(program, run);
  addServerLog(program, run);
  addWebhook(program, run);
  addMonitor(program, run);
  inherit(program);
  return program;
}

const allOptions = new Help();
allOptions.showGlobalOptions = true;

/** Those that a command takes too: not --version, which may be the version of a release there. */
const visibleGlobalOptions = (command: Command): Option[] =>
  allOptions.visibleGlobalOptions(command).filter((option) => option.name() !== 'version');

/** Global options may come after the command too, and every command reports mistakes in the same way. */
function inherit(command: Command): void {
  for (const sub of command.commands) {
    sub
      .exitOverride()
      .configureOutput({ writeErr: () => undefined })
      .configureHelp({ showGlobalOptions: true, visibleGlobalOptions })
      .addHelpText('after', exitCodeTable);
    inherit(sub);
  }
}

/** Options of all commands may stand anywhere on the line: they are moved to the front, where they are declared. */
function globalsFirst(args: readonly string[]): string[] {
  const front: string[] = [];
  const rest: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--') {
      rest.push(...args.slice(index));
      break;
    }
    if (arg === '--json' || /^--(?:home|server)=/.test(arg)) front.push(arg);
    else if (arg === '--home' || arg === '--server') {
      front.push(arg, ...args.slice(index + 1, index + 2));
      index += 1;
    } else rest.push(arg);
  }
  return [...front, ...rest];
}

function report(error: unknown, json: boolean): number {
  const problem = error instanceof CommanderError ? usageOf(error) : explainSystemError(error);
  if (problem === null) return exitCodes.done;
  if (isAbort(problem)) return exitCodes.interrupted;
  if (!isFirmproofError(problem)) {
    console.error(problem);
    return exitCodes.internal;
  }
  const { code, message, hint } = problem;
  // Parts of it may be the words of a server, of a node or of a file: they command nothing of a terminal.
  process.stderr.write(
    json ? `${JSON.stringify({ code, message, hint })}\n` : `${printable(`${code}: ${message}\n${hint}`)}\n`,
  );
  return exitCodeOf(code);
}

/** Help and version are no mistakes. */
function usageOf(error: CommanderError): FirmproofError | null {
  if (error.exitCode === 0) return null;
  if (error.code === 'commander.help')
    return new FirmproofError('usage-invalid', 'which command?', { hint: 'See firmproof --help.' });
  return new FirmproofError('usage-invalid', error.message.replace(/^error: /, '').replaceAll('\n', ' '));
}

/** Ctrl-C at a prompt. */
const isAbort = (error: unknown) => error instanceof Error && error.name === 'ExitPromptError';

outliveReaders();
const args = process.argv.slice(2);
try {
  const program = buildProgram();
  if (args.length === 0) {
    program.outputHelp();
    process.exitCode = exitCodes.usage;
  } else await program.parseAsync(globalsFirst(args), { from: 'user' });
} catch (error) {
  process.exitCode = report(error, args.includes('--json'));
}
