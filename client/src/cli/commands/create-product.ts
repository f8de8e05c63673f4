import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofError,
  isDevelopmentChain,
  type Proposal,
  parseProductName,
  parseTrustRoot,
  type TrustRoot,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { writeDeviceFiles } from '../../device-files.ts';
import { differencesFrom, firstTrustRoot, type ProductOptions, proposeProduct } from '../../product-setup.ts';
import type { Vendor } from '../../vendor.ts';
import { fields } from '../output.ts';
import type { Session } from '../session.ts';
import { untilApproved, type WaitFlags, withWaitOptions } from '../waiting.ts';
import { channelsOf, type ProductFlags, productOptions, withProductOptions } from './product-options.ts';
import type { Run } from './setup.ts';

/**
 * Makes trust root and device files, registers the product and waits until the chain has it. Run again after an interruption,
 * it goes on where it stopped.
 * @param account What to say of the account besides, in JSON.
 */
export async function createProduct(
  session: Session,
  vendor: Vendor,
  options: ProductOptions,
  flags: ProductFlags & WaitFlags,
  account: object = {},
): Promise<void> {
  const { home, output } = session;
  const { name } = options;
  const directory = home.productDirectory(name);
  const trustRoot = await trustRootFor(session, vendor, options, directory);
  const [channels, servers] = [channelsOf(flags), [session.server]];
  // On disk before it is on chain: an interruption must not lose the only copy of a registered trust root.
  const files = writeDeviceFiles(directory, trustRoot, { hardware: flags.hardware, channels, servers });
  output.note(`Registering ${name}`);
  const { product, proposal: proposed } = await proposeProduct(vendor, trustRoot, options);
  const proposal = proposed && (await untilApproved(session, vendor, proposed, flags));
  await home.addProduct(name, product);
  const state = proposal?.state ?? 'confirmed';
  output.result(
    {
      product,
      name,
      publisher: vendor.account,
      ...account,
      trustRoot: trustRoot.digest,
      state,
      ...(proposal && { proposal: proposal.id }),
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
      state === 'confirmed'
        ? `Put both device files into the device image, then: firmproof publish IMAGE --product ${name} --version 1.0.0 --channel ${channels[0]}`
        : waitingFor(proposal),
    ].join('\n'),
  );
}

const waitingFor = (proposal: Proposal | null) =>
  `The registration waits for approvals; this command, run again, goes on from there.\nSee firmproof proposal show ${proposal?.id}`;

/**
 * An interrupted setup has left its trust root here: it goes on with that one.
 * @throws FirmproofError `product-exists` where the options ask for another
 */
async function trustRootFor(
  session: Session,
  vendor: Vendor,
  options: ProductOptions,
  directory: string,
): Promise<TrustRoot> {
  const passphrase = await session.passphrase();
  const [build, root] = await Promise.all([
    session.home.openBuildKey(passphrase),
    session.home.openRootKey(passphrase),
  ]);
  const before = trustRootIn(join(directory, 'trust-root.json'));
  if (before?.product !== vendor.productId(options.name)) return firstTrustRoot(vendor, options, { build, root });
  const differences = differencesFrom(before, vendor, options, { build, root });
  if (differences.length === 0) return before;
  throw new FirmproofError(
    'product-exists',
    `${options.name} has a trust root already, and the options ask for another: ${differences.join(', ')}`,
    { hint: 'Leave the options as they were; see `firmproof trust-root rotate --help` for what can be changed.' },
  );
}

const trustRootIn = (file: string): TrustRoot | null =>
  existsSync(file) ? parseTrustRoot(readFileSync(file, 'utf8')) : null;

/** A contract behind a wallet, a Safe for instance, is judged by the server: only it can see the chain. */
function requireSuitablePublisher({ home }: Session, chainId: number): void {
  const { team, approvalKey } = home.settings;
  if (team || approvalKey?.kind === 'wallet' || isDevelopmentChain(chainId)) return;
  throw new FirmproofError(
    'publisher-unsuitable',
    `chain ${chainId} is no development chain, and there is no team here`,
  );
}

async function create(session: Session, text: string, flags: ProductFlags & WaitFlags): Promise<void> {
  const name = parseProductName(text);
  const info = await session.client().info();
  requireSuitablePublisher(session, info.chainId);
  const options = await productOptions(session, info, name, flags);
  await createProduct(session, await session.vendor(), options, flags);
}

export function addProductCreate(product: Command, run: Run): void {
  withWaitOptions(
    withProductOptions(
      product.command('create').argument('<name>').description('register another product with the same keys'),
    ),
  ).action(run((session, name: string, flags: ProductFlags & WaitFlags) => create(session, name, flags)));
}
