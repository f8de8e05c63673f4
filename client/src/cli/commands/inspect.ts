import { errorCatalogue, FirmproofError, isErrorCode, type ReleaseResource } from '@firmproof/protocol';
import type { Command } from 'commander';
import { humanTime, table } from '../output.ts';
import type { Session } from '../session.ts';
import { describeProduct } from './product.ts';
import type { Run } from './setup.ts';

async function login(session: Session): Promise<void> {
  const vendor = await session.login(await session.approver());
  await session.pinRegistry(vendor.info);
  await session.home.change({ server: session.server });
  session.output.result(
    { server: session.server, publisher: vendor.account, chainId: vendor.info.chainId },
    `logged in at ${session.server} for ${vendor.account}`,
  );
}

async function status(session: Session, reference: string | undefined): Promise<void> {
  const client = session.client();
  const product = await client.product(await session.product(reference));
  const releases: ReleaseResource[] = [];
  for await (const release of client.releases(product.product)) releases.push(release);
  const rows = releases.map((release) => [
    release.version,
    release.status === 'active' && release.installableFrom > Date.now() / 1000 ? 'in veto window' : release.status,
    String(release.rollbackIndex),
    humanTime(release.publishedAt),
    release.image,
  ]);
  const list =
    rows.length > 0 ? table(['release', 'status', 'rollback index', 'published', 'sha-256'], rows) : 'no releases yet';
  session.output.result({ product, releases }, `${describeProduct(product)}\n\n${list}`);
}

function explain(session: Session, code: string): Promise<void> {
  if (!isErrorCode(code)) {
    const similar = Object.keys(errorCatalogue).filter((known) => known.includes(code));
    throw new FirmproofError(
      'usage-invalid',
      `"${code}" is no code`,
      similar.length > 0 ? { hint: `Did you mean ${similar.join(' or ')}?` } : {},
    );
  }
  const { meaning, remedy } = errorCatalogue[code];
  session.output.result({ code, meaning, remedy }, `${code}\n  ${meaning}\n  What to do: ${remedy}`);
  return Promise.resolve();
}

/** What the server says, and what codes mean: nothing here proves anything. */
export function addInspect(program: Command, run: Run): void {
  program
    .command('login')
    .description('prove to be the publisher and keep an API token')
    .action(run((session) => login(session)));
  program
    .command('status')
    .argument('[product]', 'name or id')
    .description('channels and releases of a product, as the server sees them')
    .action(run((session, reference: string | undefined) => status(session, reference)));
  program
    .command('explain')
    .argument('<code>')
    .description('what an error code means and what to do')
    .action(run((session, code: string) => explain(session, code)));
}
