import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofError, isDevelopmentChain, parseProductName } from '@firmproof/protocol';
import type { Command } from 'commander';
import { ask } from '../ask.ts';
import type { Session } from '../session.ts';
import { withWaitOptions } from '../waiting.ts';
import { createProduct } from './create-product.ts';
import { collect, productOptions, withProductOptions } from './product-options.ts';
import { type SetupFlags, setupTeam } from './setup-team.ts';

async function setup(session: Session, flags: SetupFlags & { readonly solo?: boolean }): Promise<void> {
  if ((flags.team === undefined) === (flags.solo !== true)) {
    throw new FirmproofError('usage-invalid', 'setup needs to know who approves', {
      hint: 'Use --team 2-of-3: two of three people; or, on development chains, --solo: you alone.',
    });
  }
  await chooseServer(session);
  if (flags.team !== undefined) return setupTeam(session, { ...flags, team: flags.team });
  return setupSolo(session, flags);
}

async function chooseServer(session: Session): Promise<void> {
  const { home, output, serverIsGiven } = session;
  if (!serverIsGiven && home.settings.server === undefined && output.isInteractive) {
    const message = 'Address of the server';
    const { input } = await import('@inquirer/prompts');
    const server = await input({ message, default: session.server }, { output: process.stderr });
    await home.change({ server });
  }
}

/** One person with one key of each kind on this machine: a single wallet publishes, so this is for development. */
async function setupSolo(session: Session, flags: SetupFlags): Promise<void> {
  const { home, output } = session;
  const info = await session.client().info();
  if (!isDevelopmentChain(info.chainId)) {
    throw new FirmproofError('publisher-unsuitable', `chain ${info.chainId} is no development chain`);
  }
  const name = parseProductName(
    flags.product ?? (await ask(session, 'Name of the product', '--product', parseProductName)),
  );
  if (home.settings.products[name] && existsSync(join(home.productDirectory(name), 'agent.json'))) {
    throw new FirmproofError('setup-exists', `${name} is set up in ${home.directory}`, {
      hint: 'Publish to it, or make another with `firmproof product create`.',
    });
  }
  const options = await productOptions(session, info, name, flags);
  output.note(`Keys in ${join(home.directory, 'keys')}, encrypted with your passphrase`);
  await home.makeKeys(await session.passphrase({ isNew: !home.hasKeyFiles() }));
  await home.change({ server: session.server });
  await createProduct(session, await session.vendor(), options, flags);
}

export function addSetup(program: Command, run: Run): void {
  const command = program
    .command('setup')
    .description('everything that a first release needs: keys, account, product, trust root, device files')
    .option('--team <rule>', 'so many of so many signers have to approve: 2-of-3')
    .option('--signer <text>', 'another signer of the team (repeat); see firmproof signer', collect, [])
    .option('--recovery <rule>', 'signers that can replace the team, with 30 days’ notice: 2-of-3')
    .option('--recovery-signer <text>', 'one of those (repeat)', collect, [])
    .option('--no-recovery', 'without any: lost keys may then be the end of the account')
    .option('--without-own-key', 'your key is a recovery signer: you set the team up and approve nothing')
    .option('--passkeys-alone', 'passkeys may approve without anybody outside a browser')
    .option('--yes', 'make the account of the team without being asked')
    .option('--solo', 'instead of a team: you alone, on development chains')
    .option('--product <name>', 'name of the product: a-z, 0-9, single - or .');
  withWaitOptions(withProductOptions(command)).action(
    run((session, flags: Parameters<typeof setup>[1]) => setup(session, flags)),
  );
}

/** Turns a command's work into an action: opens the session with the global options first. */
export type Run = <Arguments extends unknown[]>(
  work: (session: Session, ...args: Arguments) => Promise<void>,
) => (...args: Arguments) => Promise<void>;
