import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofError,
  type ProductName,
  parseChannel,
  parseProductName,
  parseTrustRoot,
  type ServerInfo,
  type TrustRoot,
} from '@firmproof/protocol';
import { input } from '@inquirer/prompts';
import type { Command } from 'commander';
import { writeDeviceFiles } from '../../device-files.ts';
import {
  firstTrustRoot,
  type KeylessTrust,
  majorityOf,
  type ProductOptions,
  registerProduct,
  type WitnessMember,
} from '../../product-setup.ts';
import { parseDurationSeconds, parseWholeNumber } from '../../units.ts';
import type { Vendor } from '../../vendor.ts';
import { type KeylessProductFlags, keylessTrustOf, withKeylessProductOptions } from '../keyless-options.ts';
import { fields } from '../output.ts';
import type { Session } from '../session.ts';

type ProductFlags = KeylessProductFlags & {
  readonly hardware: string;
  readonly channels: string;
  readonly delay: string;
  readonly guardian?: string;
  readonly maxAge: string;
  readonly witness: readonly string[];
  readonly quorum?: string;
};

const collect = (value: string, before: readonly string[]) => [...before, value];

/** What `setup` and `product create` ask about a product. */
function withProductOptions(command: Command): Command {
  return withKeylessProductOptions(command)
    .option('--hardware <revision>', 'hardware revision in the device files', 'rev-1')
    .option('--channels <names>', 'channels that devices may follow, comma separated', 'stable')
    .option('--delay <duration>', 'veto window between publishing and installing, up to 30d', '0s')
    .option('--guardian <address>', 'account that can only stop: halt, veto, revoke')
    .option('--max-age <duration>', 'how old evidence may be', '7d')
    .option('--witness <operator=key>', 'witness that devices believe (repeat); see firmproof witness', collect, [])
    .option('--quorum <n>', 'how many witnesses have to agree (default: more than half)');
}

async function setup(
  session: Session,
  flags: ProductFlags & { readonly solo?: boolean; readonly product?: string },
): Promise<void> {
  const { home, output } = session;
  if (!flags.solo) {
    throw new FirmproofError('usage-invalid', 'setup needs to know who approves', {
      hint: 'Use --solo: one person with one key of each kind on this machine.',
    });
  }
  const keyless = await keylessTrustOf(flags);
  await chooseServer(session);
  const info = await session.client().info();
  const name = parseProductName(flags.product ?? (await ask(session, 'Name of the product', '--product')));
  if (home.settings.products[name] && existsSync(join(home.productDirectory(name), 'agent.json'))) {
    throw new FirmproofError('setup-exists', `${name} is set up in ${home.directory}`, {
      hint: 'Publish to it, or make another with `firmproof product create`.',
    });
  }
  output.note(`Keys in ${join(home.directory, 'keys')}, encrypted with your passphrase`);
  await home.makeKeys(await session.passphrase({ isNew: !home.hasKeys() }));
  await home.change({ server: session.server });
  await createProduct(session, await session.vendor(), info, name, flags, keyless);
}

async function chooseServer(session: Session): Promise<void> {
  const { home, output, serverIsGiven } = session;
  if (!serverIsGiven && home.settings.server === undefined && output.isInteractive) {
    const server = await input({ message: 'Address of the server', default: session.server });
    await home.change({ server });
  }
}

async function ask({ output }: Session, message: string, option: string): Promise<string> {
  if (output.isInteractive) return input({ message, required: true });
  throw new FirmproofError('usage-invalid', `${option} is missing`);
}

export function witnessesFrom(session: Session, info: ServerInfo, given: readonly string[]): readonly WitnessMember[] {
  if (given.length > 0) {
    return given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new FirmproofError('usage-invalid', `--witness "${text}" is not operator=key`);
      return { operator: text.slice(0, at), publicKey: text.slice(at + 1) };
    });
  }
  if (!info.development || info.witnesses.length === 0) {
    throw new FirmproofError('usage-invalid', 'the witnesses that devices are to believe are missing', {
      hint: 'Get operator=key from each operator yourself, not from the server, and give them with --witness.',
    });
  }
  session.output.note('Development: the witnesses are the ones inside the server. Never do so for real devices.');
  return info.witnesses;
}

async function createProduct(
  session: Session,
  vendor: Vendor,
  info: ServerInfo,
  name: ProductName,
  flags: ProductFlags,
  keyless: KeylessTrust | undefined,
): Promise<void> {
  const { home, output } = session;
  const options = { ...productOptions(session, info, name, flags), ...(keyless && { keyless }) };
  const directory = home.productDirectory(name);
  const trustRoot = await trustRootFor(session, vendor, options, directory);
  const device = {
    hardware: flags.hardware,
    channels: flags.channels.split(',').map(parseChannel),
    servers: [session.server],
  };
  // On disk before it is on chain: an interruption must not lose the only copy of a registered trust root.
  const files = writeDeviceFiles(directory, trustRoot, device);
  output.note(`Registering ${name}`);
  const product = await registerProduct(vendor, trustRoot, options, ({ state }) => output.note(`  ${state}`));
  await home.addProduct(name, product);
  output.result(
    {
      product,
      name,
      publisher: vendor.account,
      trustRoot: trustRoot.digest,
      files,
      home: home.directory,
    },
    [
      fields([
        ['product', `${name} ${product}`],
        ['publisher', vendor.account],
        ['trust root', `version ${trustRoot.version}, sha-256 ${trustRoot.digest}`],
        ['device files', directory],
      ]),
      '',
      `Put both device files into the device image, then: firmproof publish IMAGE --product ${name} --version 1.0.0 --channel ${device.channels[0]}`,
    ].join('\n'),
  );
}

function productOptions(session: Session, info: ServerInfo, name: ProductName, flags: ProductFlags): ProductOptions {
  const witnesses = witnessesFrom(session, info, flags.witness);
  return {
    name,
    witnesses,
    quorum: flags.quorum === undefined ? majorityOf(witnesses) : parseWholeNumber(flags.quorum, '--quorum', 32),
    maxAgeSeconds: parseDurationSeconds(flags.maxAge),
    delaySeconds: parseDurationSeconds(flags.delay),
    ...(flags.guardian !== undefined && { guardian: flags.guardian }),
  };
}

/** An interrupted setup has left its trust root here: it goes on with that one. */
async function trustRootFor(
  session: Session,
  vendor: Vendor,
  options: ProductOptions,
  directory: string,
): Promise<TrustRoot> {
  const file = join(directory, 'trust-root.json');
  if (existsSync(file)) {
    const before = parseTrustRoot(readFileSync(file, 'utf8'));
    if (before.product === vendor.productId(options.name)) return before;
  }
  const passphrase = await session.passphrase();
  const [build, root] = await Promise.all([
    session.home.openBuildKey(passphrase),
    session.home.openRootKey(passphrase),
  ]);
  return firstTrustRoot(vendor, options, { build, root });
}

async function create(session: Session, name: string, flags: ProductFlags): Promise<void> {
  const keyless = await keylessTrustOf(flags);
  const vendor = await session.vendor();
  await createProduct(session, vendor, vendor.info, parseProductName(name), flags, keyless);
}

export function addSetup(program: Command, run: Run): void {
  withProductOptions(
    program
      .command('setup')
      .description('everything that a first release needs: keys, product, trust root, device files')
      .option('--solo', 'one person with one key of each kind, on this machine')
      .option('--product <name>', 'name of the product: a-z, 0-9, single - or .'),
  ).action(run((session, flags: Parameters<typeof setup>[1]) => setup(session, flags)));
}

export function addProductCreate(product: Command, run: Run): void {
  withProductOptions(
    product.command('create').argument('<name>').description('register another product with the same keys'),
  ).action(run((session, name: string, flags: ProductFlags) => create(session, name, flags)));
}

/** Turns a command's work into an action: opens the session with the global options first. */
export type Run = <Arguments extends unknown[]>(
  work: (session: Session, ...args: Arguments) => Promise<void>,
) => (...args: Arguments) => Promise<void>;
