import { errorCatalogue, FirmproofError, isFirmproofError } from '@firmproof/protocol';
import type { Session } from './session.ts';

/** Loaded when somebody is asked: most commands ask nobody. */
const prompts = () => import('@inquirer/prompts');

/** stdout carries results only, also while something is asked. */
const onStderr = { output: process.stderr };

/**
 * Asks on a terminal, again until `read` takes the answer; elsewhere the option has to be given.
 * @throws FirmproofError `usage-invalid`
 */
export async function ask<Value>(
  { output }: Session,
  message: string,
  option: string,
  read: (text: string) => Value,
  options: { readonly default?: string } = {},
): Promise<Value> {
  if (!output.isInteractive) throw new FirmproofError('usage-invalid', `${option} is missing`);
  const { input } = await prompts();
  return read(await input({ message, ...options, required: true, validate: mistakeOf(read) }, onStderr));
}

/** What is wrong with an answer, as the prompt wants to hear it. */
const mistakeOf = (read: (text: string) => unknown) => (text: string) => {
  try {
    read(text);
    return true;
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    const { meaning, remedy } = errorCatalogue[error.code];
    // What would be right helps more than a remedy in general.
    return `${error.message}. ${error.hint === remedy ? meaning : error.hint}`;
  }
};

/** A question on a terminal; no where nobody is there to answer. */
export const askWhether = async ({ output }: Session, message: string): Promise<boolean> =>
  output.isInteractive && (await prompts()).confirm({ message, default: true }, onStderr);

/**
 * Found out before anything is made: there is a terminal to ask on, or --yes.
 * @throws FirmproofError `usage-invalid`
 */
export function requireSomebodyToAsk({ output }: Session, yes: boolean | undefined): void {
  if (yes || output.isInteractive) return;
  throw new FirmproofError('usage-invalid', 'this has to be confirmed, and nobody is here to ask', {
    hint: 'Look at it on a terminal, or give --yes.',
  });
}

/**
 * Somebody has to say yes to what was shown, on the terminal or with --yes.
 * @param afterNo What to do after a no, where it is not about a proposal of others.
 * @throws FirmproofError `usage-invalid`, `not-approved`
 */
export async function requireConsent(
  session: Session,
  message: string,
  yes: boolean | undefined,
  afterNo?: string,
): Promise<void> {
  if (yes) return;
  requireSomebodyToAsk(session, yes);
  const { confirm } = await prompts();
  if (await confirm({ message, default: false }, onStderr)) return;
  throw new FirmproofError(
    'not-approved',
    'you have said no: nothing was signed or sent',
    afterNo === undefined ? {} : { hint: afterNo },
  );
}
