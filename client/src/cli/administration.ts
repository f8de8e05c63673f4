import { existsSync, readFileSync } from 'node:fs';
import {
  type Address,
  FirmproofError,
  type PinnedHead,
  parseAddress,
  parseJson,
  pinnedHeadsSchema,
  signerKind,
  type TokenScope,
  tokenScopes,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import type { Command } from 'commander';
import { Administration } from '../administration.ts';
import { Vendor } from '../vendor.ts';
import type { Session } from './session.ts';

export type PublisherFlag = { readonly publisher?: string };

export const withPublisher = (command: Command): Command =>
  command.option('--publisher <address>', 'with FIRMPROOF_TOKEN: the publisher that the token is of');

/**
 * What needs a token for admin: the one that is given, or else a login for this one run, which nothing is left of.
 * @throws FirmproofError `key-not-found`, `login-invalid`
 */
export async function administration(session: Session, { publisher }: PublisherFlag): Promise<Administration> {
  if (session.givenToken !== undefined)
    return new Administration(session.client(), publisher ? parseAddress(publisher) : await accountOf(session));
  if (publisher !== undefined)
    throw new FirmproofError(
      'usage-invalid',
      '--publisher goes with FIRMPROOF_TOKEN; the key here is of one publisher',
    );
  const { vendor } = await Vendor.login(session.client(), await session.approver(), { scopes: ['admin'] });
  await session.pinRegistry(vendor.info);
  return new Administration(vendor.client, vendor.account);
}

/** The publisher of this directory. */
async function accountOf(session: Session): Promise<Address> {
  const { team } = session.home.settings;
  if (team) return team.account;
  const signer = await session.signer();
  if (signerKind(signer) === 'wallet') return parseAddress(signer);
  throw new FirmproofError('usage-invalid', 'the token is of no publisher that is known here', {
    hint: 'Name the publisher with --publisher.',
  });
}

/** `publish,read-receipts`, also one by one. @throws FirmproofError `usage-invalid` */
export function parseScopes(text: string): TokenScope[] {
  return words(text).map((word) => {
    const scope = tokenScopes.find((known) => known === word);
    if (scope) return scope;
    throw new FirmproofError('usage-invalid', `"${word}" is no role`, { hint: `Roles: ${tokenScopes.join(', ')}.` });
  });
}

export const words = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== ''),
  ),
];

/** Heads that somebody pinned. @throws FirmproofError `file-not-found`, `config-invalid` */
export function readPinnedHeads(file: string): PinnedHead[] {
  if (!existsSync(file)) throw new FirmproofError('file-not-found', `there is no file ${file}`);
  return parseJson(readFileSync(file, 'utf8'), pinnedHeadsSchema, {
    code: 'config-invalid',
    maximumBytes: 4 * 1024 * 1024,
    what: file,
  });
}

/** Puts a head into the file, in the place of an older one of the same log. */
export async function pinHead(file: string, head: PinnedHead): Promise<void> {
  const before = existsSync(file) ? readPinnedHeads(file) : [];
  const others = before.filter(({ server, publisher }) => server !== head.server || publisher !== head.publisher);
  await writeFileAtomically(file, `${JSON.stringify([...others, head], null, 2)}\n`);
}
