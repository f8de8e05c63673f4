import { join } from 'node:path';
import {
  FirmproofError,
  type ProductId,
  type ProductResource,
  parseChannel,
  trustRootOfEnvelope,
  zeroAddress,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { writeDeviceFiles } from '../../device-files.ts';
import { changeRows } from '../change-text.ts';
import { fields, humanTime, table } from '../output.ts';
import type { Session } from '../session.ts';
import { addConfiguration } from './configuration.ts';
import { addProductCreate } from './create-product.ts';
import type { Run } from './setup.ts';

async function show(session: Session, reference: string | undefined): Promise<void> {
  const product = await session.client().product(await session.product(reference));
  session.output.result(product, describeProduct(product));
}

export function describeProduct(product: ProductResource): string {
  const { pending } = product;
  const rows: [string, string][] = [
    ['product', `${product.name} ${product.product}`],
    ['publisher', product.publisher],
    ['guardian', product.guardian === zeroAddress ? 'none' : product.guardian],
    ['veto window', `${product.delaySeconds} s`],
    ['epoch', String(product.epoch)],
    ['events', String(product.sequence)],
    ['rollback index', `${product.topIndex} at most so far`],
    ['trust root', `sha-256 ${product.trustRoot}`],
    ['history', product.history],
  ];
  if (pending) {
    rows.push(['scheduled', `applicable from ${humanTime(pending.applicableFrom)}`]);
    rows.push(...changeRows(pending.configuration).map(([name, value]) => [`  ${name}`, value] as [string, string]));
  }
  const channels = product.channels.map((head) => [
    head.channel,
    head.version,
    head.halted ? 'halted' : `${head.shareBasisPoints / 100} %`,
    humanTime(head.start),
  ]);
  return [fields(rows), channels.length > 0 ? `\n${table(['channel', 'head', 'share', 'since'], channels)}` : '']
    .join('\n')
    .trimEnd();
}

type TrustFlags = {
  readonly output?: string;
  readonly hardware: string;
  readonly channels: string;
  readonly force?: boolean;
  readonly overwrite?: boolean;
};

/**
 * The files for a device image. An own product's trust root is the one made here, from which devices walk to the newest by
 * themselves; somebody else's is the newest that the server has.
 */
async function trust(session: Session, reference: string | undefined, flags: TrustFlags): Promise<void> {
  const id = await session.product(reference);
  const root = session.home.trustRootOf(id) ?? (await foreignTrustRoot(session, id, flags.force ?? false));
  const directory = flags.output ?? join('.', `${root.name}-device`);
  const files = writeDeviceFiles(directory, root, {
    hardware: flags.hardware,
    channels: flags.channels.split(',').map(parseChannel),
    servers: [session.server],
    overwrite: flags.overwrite ?? false,
  });
  session.output.result(
    { product: id, trustRoot: root.digest, version: root.version, files },
    [`trust root version ${root.version}, sha-256 ${root.digest}`, ...files].join('\n'),
  );
}

/** A trust root that comes over the network is only as good as the comparison of its digest: that has to be said. */
async function foreignTrustRoot(session: Session, id: ProductId, force: boolean) {
  const newest = (await session.client().trustRoots(id)).at(-1);
  if (newest === undefined)
    throw new FirmproofError('trust-root-mismatch', 'the server has no trust root of this product');
  const root = trustRootOfEnvelope(newest);
  if (root.product !== id)
    throw new FirmproofError('server-lied', 'the server gives the trust root of another product');
  if (!force) {
    throw new FirmproofError(
      'usage-invalid',
      `the trust root ${root.digest} was not made here, the server says it is right`,
      {
        hint: 'Compare the digest with the vendor over another way, then repeat with --force.',
      },
    );
  }
  return root;
}

async function list(session: Session): Promise<void> {
  const products: ProductResource[] = [];
  for await (const product of session.client().products()) products.push(product);
  const rows = products.map(({ name, product, publisher, channels }) => [
    name,
    product,
    publisher,
    channels.map(({ channel, version }) => `${channel} ${version}`).join(', '),
  ]);
  session.output.result(
    { products },
    rows.length > 0 ? table(['name', 'id', 'publisher', 'heads'], rows) : 'no products yet',
  );
}

export function addProduct(program: Command, run: Run): void {
  const product = program.command('product').description('products and what their devices must know');
  addProductCreate(product, run);
  addConfiguration(product, run);
  product
    .command('list')
    .description('all products of the server')
    .action(run((session) => list(session)));
  product
    .command('show')
    .argument('[product]', 'name or id')
    .description('publisher, trust root, channels')
    .action(run((session, reference: string | undefined) => show(session, reference)));
  product
    .command('trust')
    .argument('[product]', 'name or id')
    .description('write the files that a device image must contain')
    .option('--output <directory>', 'where to (default ./NAME-device)')
    .option('--hardware <revision>', 'hardware revision in the device files', 'rev-1')
    .option('--channels <names>', 'channels that devices may follow, comma separated', 'stable')
    .option('--overwrite', 'replace files that are there and say something else')
    .option('--force', 'take a trust root from the server, after comparing its digest')
    .action(run((session, reference: string | undefined, flags: TrustFlags) => trust(session, reference, flags)));
}
