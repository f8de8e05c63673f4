import { type AccountResource, FirmproofError, type Signer } from '@firmproof/protocol';
import type { Command } from 'commander';
import { cancelRecovery, completeRecovery, scheduleRecovery, setRecovery } from '../../account-change.ts';
import { withSigners } from '../../team.ts';
import { parseWholeNumber } from '../../units.ts';
import { humanTime } from '../output.ts';
import type { Session } from '../session.ts';
import { collect } from './product-options.ts';
import type { Run } from './setup.ts';
import {
  type ChangeFlags,
  currentTeam,
  propose,
  proposeRequest,
  teamVendor,
  thresholdOf,
  withChangeOptions,
  withThreshold,
} from './team-change.ts';

type RecoveryFlags = ChangeFlags & {
  readonly signer: readonly string[];
  readonly threshold?: string;
  readonly none?: boolean;
};

/** The recovery set as a whole; signers of today's set may be named shortly. */
async function recovery(session: Session, flags: RecoveryFlags): Promise<void> {
  const isSet = flags.signer.length > 0 && flags.threshold !== undefined;
  if (isSet === (flags.none === true)) {
    throw new FirmproofError('usage-invalid', 'who is to recover the account?', {
      hint: 'Give --signer for each of them and --threshold k; or --none to end recovery.',
    });
  }
  const threshold = flags.threshold === undefined ? 0 : parseWholeNumber(flags.threshold, '--threshold', 32);
  const change = (team: AccountResource) => setRecovery(team, { signers: readAll(flags.signer, team), threshold });
  const remarks = flags.none
    ? ['', 'Careful: without recovery, too many lost keys are the end of the account.']
    : [
        '',
        `Afterwards ${threshold} of ${flags.signer.length} can name new signers, with 30 days’ notice that the present ones can stop.`,
      ];
  await propose(session, change, flags, remarks);
}

/** @throws FirmproofError `signer-invalid`, `signers-invalid` for one that is named twice */
function readAll(texts: readonly string[], { signers, recovery: { signers: recoverers } }: AccountResource): Signer[] {
  return withSigners([], texts, [...new Set([...signers, ...recoverers])]);
}

type RecoverFlags = ChangeFlags & {
  readonly threshold?: string;
  readonly complete?: boolean;
  readonly cancel?: boolean;
};

async function recover(session: Session, texts: readonly string[], flags: RecoverFlags): Promise<void> {
  const asked = [texts.length > 0, flags.complete === true, flags.cancel === true].filter(Boolean).length;
  if (asked !== 1) {
    throw new FirmproofError('usage-invalid', 'recover whom, or what?', {
      hint: 'Name all new signers to announce them; or give --complete after the notice; or --cancel.',
    });
  }
  if (flags.cancel) return propose(session, cancelRecovery, flags);
  if (flags.complete) return complete(session, flags);
  const announce = (team: AccountResource) =>
    scheduleRecovery(team, {
      signers: readAll(texts, team),
      threshold: thresholdOf(flags, team.threshold),
      passkeysAlone: team.passkeysAlone,
    });
  return propose(session, announce, flags, [
    '',
    'This announces them. For 30 days the present signers can stop it; then: firmproof team recover --complete',
  ]);
}

async function complete(session: Session, flags: RecoverFlags): Promise<void> {
  const team = await currentTeam(session);
  const { client } = await teamVendor(session);
  const change = completeRecovery(team, await client.proposals(team.account));
  const from = team.pendingRecovery?.recoverableFrom ?? 0;
  const early = from > Date.now() / 1000 ? [`not before   ${humanTime(from)}; approvals are collected until then`] : [];
  return proposeRequest(session, team, change, flags, early);
}

export function addTeamRecovery(team: Command, run: Run): void {
  withChangeOptions(
    team
      .command('recovery')
      .description('propose who can replace the signers when keys are lost')
      .option('--signer <text>', 'a recovery signer (repeat); the whole set is given anew', collect, [])
      .option('--threshold <k>', 'how many of them it takes')
      .option('--none', 'end recovery'),
  ).action(run((session, flags: RecoveryFlags) => recovery(session, flags)));
  withThreshold(
    team
      .command('recover')
      .argument('[signer...]', 'all signers of the team afterwards; those of today as `team show` names them')
      .description('as recovery signers: announce new signers, 30 days ahead')
      .option('--complete', 'put announced signers in force; they approve it themselves')
      .option('--cancel', 'as present signers: stop what is announced'),
  ).action(run((session, texts: string[], flags: RecoverFlags) => recover(session, texts, flags)));
}
