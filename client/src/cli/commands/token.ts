import {
  FirmproofError,
  loginScopes,
  maximumTokenSeconds,
  minimumTokenSeconds,
  tokenScopes,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { parseDurationSeconds } from '../../units.ts';
import { administration, type PublisherFlag, parseScopes, withPublisher } from '../administration.ts';
import { fields, humanTime, table } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type CreateFlags = PublisherFlag & {
  readonly role: string;
  readonly product?: string;
  readonly expires: string;
  readonly label?: string;
};

/** @throws FirmproofError `usage-invalid` */
function lifetimeOf(text: string): number {
  const seconds = parseDurationSeconds(text);
  if (seconds >= minimumTokenSeconds && seconds <= maximumTokenSeconds) return seconds;
  throw new FirmproofError('usage-invalid', `--expires is between 1m and 366d, not ${text}`);
}

async function createToken(session: Session, flags: CreateFlags): Promise<void> {
  const scopes = parseScopes(flags.role);
  const lifetimeSeconds = lifetimeOf(flags.expires);
  const needsProduct = scopes.includes('propose') || flags.product !== undefined;
  const product = needsProduct ? await session.product(flags.product) : undefined;
  const admin = await administration(session, flags);
  const made = await admin.createToken({
    scopes,
    lifetimeSeconds,
    ...(product && { product }),
    ...(flags.label !== undefined && { label: flags.label }),
  });
  session.output.note('It is shown once. Whoever has it can do what it is for; nobody can release anything with it.');
  session.output.result(
    made,
    fields([
      ['token', made.token],
      ['id', made.id],
      ['roles', made.scopes.join(', ')],
      ['product', made.product ?? 'all of the publisher'],
      ['good until', humanTime(made.expiresAt)],
      ['to use it', `FIRMPROOF_TOKEN=${made.token}`],
    ]),
  );
}

async function listTokens(session: Session, flags: PublisherFlag): Promise<void> {
  const tokens = await (await administration(session, flags)).tokens();
  const rows = tokens.map((token) => [
    token.id,
    token.label ?? '–',
    token.scopes.join(','),
    token.product ? `${token.product.slice(0, 10)}…` : 'all',
    token.origin,
    humanTime(token.createdAt),
    token.lastUsedAt === undefined ? 'never' : humanTime(token.lastUsedAt),
    humanTime(token.expiresAt),
  ]);
  const header = ['id', 'label', 'roles', 'product', 'made by', 'made', 'last used', 'good until'];
  session.output.result({ tokens }, table(header, rows));
}

async function revokeToken(session: Session, id: string, flags: PublisherFlag): Promise<void> {
  await (await administration(session, flags)).revokeToken(id);
  session.output.result({ id, revoked: true }, `token ${id} is revoked`);
}

/** Tokens with fewer roles than their maker's, for programs. */
export function addToken(program: Command, run: Run): void {
  const token = program.command('token').description('API tokens with roles, for programs');
  withPublisher(token.command('create'))
    .description('make a token and show it once')
    .requiredOption('--role <roles>', `what it is for: ${tokenScopes.join(', ')}; commas between`)
    .option('--product <name>', 'the only product that it is for')
    .option('--expires <duration>', 'how long it is good', '30d')
    .option('--label <text>', 'what it is called in the list')
    .action(run((session, flags: CreateFlags) => createToken(session, flags)));
  withPublisher(token.command('list'))
    .description(`tokens that are alive; a login has ${loginScopes.join(' and ')}`)
    .action(run((session, flags: PublisherFlag) => listTokens(session, flags)));
  withPublisher(token.command('revoke').argument('<id>', 'of the list'))
    .description('revoke a token')
    .action(run((session, id: string, flags: PublisherFlag) => revokeToken(session, id, flags)));
}
