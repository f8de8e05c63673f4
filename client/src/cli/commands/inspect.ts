import { errorCatalogue, FirmproofError, isErrorCode, loginScopes, type ReleaseResource } from '@firmproof/protocol';
import type { Command } from 'commander';
import { parseScopes } from '../administration.ts';
import { loginInCi } from '../ci-login.ts';
import { humanTime, table } from '../output.ts';
import type { Session } from '../session.ts';
import { describeProduct } from './product.ts';
import type { Run } from './setup.ts';

type LoginFlags = { readonly oidc?: boolean; readonly product?: string; readonly role?: string };

async function login(session: Session, flags: LoginFlags): Promise<void> {
  if (flags.oidc) return loginByIdentity(session, flags.product);
  const scopes = flags.role === undefined ? undefined : parseScopes(flags.role);
  const vendor = await session.login(await session.approver(), scopes);
  await session.pinRegistry(vendor.info);
  await session.home.change({ server: session.server });
  session.output.result(
    { server: session.server, publisher: vendor.account, chainId: vendor.info.chainId },
    `logged in at ${session.server} for ${vendor.account}`,
  );
}

async function loginByIdentity(session: Session, reference: string | undefined): Promise<void> {
  const product = await session.product(reference);
  const { publisher, scopes, expiresAt } = await loginInCi(session, product);
  session.output.result(
    { server: session.server, publisher, product, scopes, expiresAt },
    `logged in at ${session.server} to propose releases of ${product}, until ${humanTime(expiresAt)}`,
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
    release.purpose ?? '–',
    humanTime(release.publishedAt),
    release.image,
  ]);
  const list =
    rows.length > 0
      ? table(['release', 'status', 'rollback index', 'purpose', 'published', 'sha-256'], rows)
      : 'no releases yet';
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
    .option('--role <roles>', `fewer roles than ${loginScopes.join(',')}, or others; commas between`)
    .option('--oidc', 'log in as the identity of this run of CI instead')
    .option('--product <name>', 'with --oidc: the product to propose releases of (default: the only one here)')
    .action(run((session, flags: LoginFlags) => login(session, flags)));
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
