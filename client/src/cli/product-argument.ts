import { FirmproofError } from '@firmproof/protocol';
import type { Command } from 'commander';
import type { Session } from './session.ts';

/** A command about a product, which may be left out where there is only one. */
export const withProductArgument = (command: Command): Command =>
  command.argument('[product]', 'name or id (default: the only one here)');

/** A command about a product and something of it: with one word, that is the something. */
export const withProductAnd = (command: Command, name: string, description: string): Command =>
  command
    .usage(`[options] [product] <${name}>`)
    .argument('[product]', 'name or id (default: the only one here)')
    .argument(`[${name}]`, description);

/** Turns the words of `withProductAnd` into what the work wants. @throws FirmproofError `usage-invalid` */
export const productAnd =
  <Flags extends unknown[]>(
    name: string,
    work: (session: Session, product: string | undefined, of: string, ...flags: Flags) => Promise<void>,
  ) =>
  (session: Session, first: string | undefined, second: string | undefined, ...flags: Flags): Promise<void> => {
    if (first === undefined) throw new FirmproofError('usage-invalid', `missing required argument '${name}'`);
    return second === undefined ? work(session, undefined, first, ...flags) : work(session, first, second, ...flags);
  };
