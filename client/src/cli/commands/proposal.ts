import { readFileSync } from 'node:fs';
import { FirmproofError, type Proposal, type Signer, shortSigner } from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { describeTime, progressOf } from '@firmproof/protocol/review';
import type { Command } from 'commander';
import { parseRelayFile, relay, relayFileOf } from '../../relay.ts';
import { fields, table } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

const subjectOf = ({ kind, version, channel }: Proposal) =>
  [kind, version, channel && `on ${channel}`].filter(Boolean).join(' ');

const countOf = (proposal: Proposal): string =>
  progressOf(proposal)
    .map(({ role, approved, threshold }) => `${approved} of ${threshold}${role === 'current' ? '' : ` ${role}`}`)
    .join(', ') || '–';

/** A way back that did not fit any more was refused by the registry and by nobody else. */
function stateOf({ held, state, reason }: Proposal): string {
  if (!held) return state;
  return state === 'rejected' && reason?.code === 'approval-counter' ? 'not needed any more' : `${state}, held back`;
}

/** What this signer has said of it. */
function sayOf(proposal: Proposal, own: Signer): string {
  const mine = progressOf(proposal).flatMap(({ approvers }) => approvers.filter(({ signer }) => signer === own));
  if (mine.length === 0) return '–';
  return mine.every(({ state }) => state === 'missing')
    ? 'missing'
    : (mine.find(({ state }) => state !== 'missing')?.state ?? '–');
}

async function show(session: Session, id: string): Promise<void> {
  const found = await session.client().proposal(id);
  const { reason, transaction } = found;
  session.output.result(
    found,
    fields([
      ['proposal', subjectOf(found)],
      ['state', stateOf(found)],
      ['reason', reason ? `${reason.message} [${reason.code}]` : '–'],
      ['approvals', countOf(found)],
      ...progressOf(found).flatMap(({ approvers }) =>
        approvers
          .filter(({ state }) => state !== 'missing')
          .map((by) => [by.state, `${shortSigner(by.signer)}${by.reason ? `: ${by.reason}` : ''}`] as const),
      ),
      ['transaction', transaction ?? '–'],
    ]),
  );
}

async function list(session: Session): Promise<void> {
  const vendor = await session.vendor();
  const own = await session.signer();
  const found = await vendor.client.proposals(vendor.account);
  const isOpen = ({ state }: Proposal) => !['confirmed', 'rejected', 'expired'].includes(state);
  // What can still be approved comes first.
  const proposals = [...found.filter(isOpen), ...found.filter((proposal) => !isOpen(proposal))];
  const rows = proposals.map((proposal) => [
    proposal.id,
    subjectOf(proposal),
    stateOf(proposal),
    countOf(proposal),
    isOpen(proposal) ? sayOf(proposal, own) : '–',
    describeTime(proposal.updatedAt),
  ]);
  session.output.result(
    { proposals },
    rows.length > 0
      ? table(['proposal', 'what', 'state', 'approvals', 'yours', 'last change'], rows)
      : 'no proposals yet',
  );
}

async function exportOne(session: Session, id: string, flags: { readonly output?: string }): Promise<void> {
  const vendor = await session.vendor();
  const file = relayFileOf(await vendor.client.exported(id), vendor.info);
  const text = `${JSON.stringify(file, null, 2)}\n`;
  if (flags.output === undefined) {
    process.stdout.write(text);
    return;
  }
  await writeFileAtomically(flags.output, text);
  session.output.result(
    { ...file, file: flags.output },
    `${flags.output}: anybody may send it, with \`firmproof proposal relay\` or any wallet (to ${file.to})`,
  );
}

async function relayOne(
  session: Session,
  file: string,
  flags: { readonly rpc: string; readonly keyFile: string },
): Promise<void> {
  const read = (name: string) => {
    try {
      return readFileSync(name, 'utf8');
    } catch (cause) {
      throw new FirmproofError('file-not-found', `${name} cannot be read`, { cause });
    }
  };
  const call = parseRelayFile(read(file));
  const key = read(flags.keyFile).trim();
  if (!/^0x[0-9a-fA-F]{64}$/.test(key))
    throw new FirmproofError('key-invalid', `${flags.keyFile} holds no private key (0x and 64 digits)`);
  const sent = await relay(call, flags.rpc, key);
  session.output.result({ ...sent, proposal: call.proposal }, `in block ${sent.block}: ${sent.transaction}`);
}

/** What is on its way, and what to do when a server does not carry it. */
export function addProposal(program: Command, run: Run): void {
  const proposal = program.command('proposal').description('what waits for approvals, and what has become of it');
  proposal
    .command('list')
    .description('the newest proposals that you and your team have to approve')
    .action(run((session) => list(session)));
  proposal
    .command('show')
    .argument('<id>', 'as publish or promote has printed it')
    .description('state and approvals of a proposal')
    .action(run((session, id: string) => show(session, id)));
  proposal
    .command('export')
    .argument('<id>')
    .description('write the approved call to a file that anybody may send to the chain')
    .option('--output <file>', 'where to (default: standard output)')
    .action(run((session, id: string, flags: { readonly output?: string }) => exportOne(session, id, flags)));
  proposal
    .command('relay')
    .argument('<file>', 'as export has written it')
    .description('send an exported call to the chain through any node, without a server')
    .requiredOption('--rpc <url>', 'a node of the chain')
    .requiredOption('--key-file <file>', 'private key (0x…) of an account that pays the gas')
    .action(run((session, file: string, flags: Parameters<typeof relayOne>[2]) => relayOne(session, file, flags)));
}
