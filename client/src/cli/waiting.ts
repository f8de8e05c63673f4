import { type Proposal, shortSigner } from '@firmproof/protocol';
import { askedPasskeys } from '@firmproof/protocol/review';
import type { Command } from 'commander';
import type { FirmproofClient } from '../api-client.ts';
import { waitsForPeople } from '../waits-for-people.ts';
import type { Session } from './session.ts';

export type WaitFlags = { readonly wait: boolean; readonly pages?: string };

export function withWaitOptions(command: Command): Command {
  return command
    .option('--no-wait', 'end as soon as others have to approve; the same command goes on later')
    .option('--pages <url>', 'where the approval pages are, for the link (default: the server, where it has them)');
}

/**
 * Follows a proposal until the chain has it; where others have to approve, tells what they have to do and, unless `wait` is
 * off, who has done it.
 * @throws FirmproofError with the code that it was rejected with
 */
export async function untilApproved(
  session: Session,
  { client }: { readonly client: FirmproofClient },
  proposed: Proposal,
  { wait, pages }: WaitFlags,
): Promise<Proposal> {
  const { output } = session;
  const onState = ({ state }: Proposal) => output.note(`  ${state}`);
  const proposal = await client.follow(proposed.id, once(onState), { untilItWaits: true });
  if (!waitsForPeople(proposal)) return proposal;
  output.note(await instructions(session, proposal, pages));
  if (!wait) return proposal;
  output.note('\nWaiting for them. Ctrl-C is safe: the same command goes on from here.');
  return client.follow(proposal.id, progressAfter(session, proposal));
}

/** Says each state once. */
function once(say: (proposal: Proposal) => void) {
  let last = '';
  return (proposal: Proposal) => {
    if (proposal.state !== last) say(proposal);
    last = proposal.state;
  };
}

/** What those who have to approve have to type, word for word. */
async function instructions(session: Session, proposal: Proposal, pages?: string): Promise<string> {
  const { id, reason, approver, requirements } = proposal;
  const hasPasskeys = askedPasskeys(proposal).length > 0;
  const link = hasPasskeys || pages !== undefined ? await pageOf(session, id, pages) : null;
  const asksRecovery = requirements?.quorums.some(({ role }) => role === 'recovery');
  return [
    `  ${reason?.message}`,
    '',
    'The others type, the first line once and for all:',
    `  firmproof team join ${approver} --server ${session.server}`,
    `  firmproof approve ${id}`,
    ...(asksRecovery ? ['A recovery signer types both with --home and the directory of the recovery key.'] : []),
    ...(link ? [hasPasskeys ? `or, with a passkey, open ${link}` : `Everybody can look at it at ${link}`] : []),
  ].join('\n');
}

/** Where a browser shows the proposal; null where nobody serves the pages. */
async function pageOf(session: Session, id: string, pages: string | undefined): Promise<string | null> {
  // A passkey needs a name, and an address is none.
  const base = (pages ?? session.server.replace('//127.0.0.1', '//localhost')).replace(/\/+$/, '');
  if (pages === undefined && !(await servesPages(base))) return null;
  return `${base}/#/proposal/${id}`;
}

const pageTimeoutMilliseconds = 5000;

/** It is only for a link: whatever goes wrong means no. */
const servesPages = (base: string): Promise<boolean> =>
  fetch(`${base}/`, { signal: AbortSignal.timeout(pageTimeoutMilliseconds) }).then(
    ({ ok, headers }) => ok && (headers.get('content-type') ?? '').startsWith('text/html'),
    () => false,
  );

/** Tells who approves and rejects from now on; what was there before is known. */
function progressAfter({ output }: Session, known: Proposal): (proposal: Proposal) => void {
  const approved = new Set(known.approvals.map(({ signer }) => signer));
  const rejected = new Set(known.rejections.map(({ signer }) => signer));
  let last = known.reason?.message ?? '';
  const say = (text: string) => output.note(`  ${text}`);
  return ({ approvals, rejections, state, reason }) => {
    for (const { signer } of approvals.filter((given) => !approved.has(given.signer))) {
      approved.add(signer);
      say(`${shortSigner(signer)} has approved`);
    }
    for (const { signer, reason: why } of rejections.filter((given) => !rejected.has(given.signer))) {
      rejected.add(signer);
      say(`${shortSigner(signer)} has rejected it: ${why}`);
    }
    // The stream begins with the states of before.
    const isOld = approvals.length < known.approvals.length || ['received', 'stored'].includes(state);
    const text = state === 'approving' ? (reason?.message ?? '') : state;
    if (!isOld && text !== '' && text !== last) say(text);
    if (!isOld && text !== '') last = text;
  };
}
