import { stat } from 'node:fs/promises';
import {
  FirmproofError,
  type Proposal,
  type Reject,
  rejectTypes,
  serverDomain,
  shortSigner,
} from '@firmproof/protocol';
import { lied, type Review } from '@firmproof/protocol/review';
import type { Command } from 'commander';
import { deadlineFromNow } from '../../approve.ts';
import { type ReviewedProposal, requireSameImage, reviewOf } from '../../proposal-review.ts';
import type { SignerKey } from '../../signer-key.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import { requireConsent } from '../ask.ts';
import { reviewText } from '../review-text.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type ApproveFlags = { readonly image?: string; readonly yes?: boolean; readonly wait?: boolean };

/** Shows the proposal and checks all that can be checked here. @throws FirmproofError `server-lied` */
async function review(session: Session, id: string): Promise<ReviewedProposal> {
  const client = session.client();
  const info = await client.info();
  const { registry } = session.home.settings;
  const proposal = await client.proposal(id);
  const trustRoot = proposal.product ? session.home.trustRootOf(proposal.product) : null;
  const known = registry ?? (trustRoot && { chainId: trustRoot.chainId, registry: trustRoot.registry }) ?? null;
  const reviewed = await reviewOf(client, info, id, { registry: known, trustRoot });
  session.output.note(reviewText(reviewed.review, reviewed.said.proposal));
  const lie = lied(reviewed.review.checks);
  if (lie) throw lie;
  return reviewed;
}

/** Only the account that this key belongs to may be approved for, where it is known here. */
function requireOwnTeam({ home }: Session, { approver }: Proposal): void {
  const { team } = home.settings;
  if (team === undefined || team.account === approver) return;
  throw new FirmproofError(
    'signer-unknown',
    `${approver ?? 'nobody'} has to approve this, not your team ${team.account}`,
  );
}

async function compareImage(session: Session, file: string, { image }: Review): Promise<void> {
  if (image === null) throw new FirmproofError('usage-invalid', '--image is for releases, and this is none');
  const { size } = await stat(file).catch((cause: unknown) => {
    throw new FirmproofError('file-not-found', `the image ${file} cannot be read`, { cause });
  });
  const hashing = session.output.progress('hashing');
  await requireSameImage(file, image, (done) => hashing.update(done, size)).finally(() => hashing.stop());
  session.output.note(`  ✓ The image: ${file} is the one that is approved`);
}

/** The key, if the proposal asks for it. @throws FirmproofError `signer-unknown` */
async function askedKey(session: Session, { requirements }: Proposal): Promise<SignerKey> {
  const key = await session.approvalKey();
  if (requirements?.quorums.some(({ signers }) => signers.includes(key.signer))) return key;
  throw new FirmproofError(
    'signer-unknown',
    `${shortSigner(key.signer)} is not among the signers that have to approve`,
  );
}

/** The proposal once the server has looked at who has to approve it. */
async function withRequirements(session: Session, id: string): Promise<Proposal> {
  const client = session.client();
  const proposal = await client.proposal(id);
  if (proposal.requirements !== undefined) return proposal;
  return client.follow(id, undefined, { untilItWaits: true });
}

async function approve(session: Session, ids: readonly string[], flags: ApproveFlags): Promise<void> {
  const results = [];
  for (const id of ids) {
    requireOwnTeam(session, await withRequirements(session, id));
    const { review: shown, said } = await review(session, id);
    if (flags.image !== undefined) await compareImage(session, flags.image, shown);
    if (shown.typedData === null)
      throw new FirmproofError('signer-unknown', 'nobody but the approver itself is asked to sign this');
    const key = await askedKey(session, said.proposal);
    await requireConsent(session, `Approve with ${shortSigner(key.signer)}?`, flags.yes);
    await session.pinRegistry(await session.client().info());
    const signature = await key.sign(shown.typedData);
    const approved = await session.client().approve(id, { signer: key.signer, signature });
    const followed = await session.follow({ client: session.client() }, approved, { wait: flags.wait ?? false });
    results.push({ proposal: id, signer: key.signer, state: followed.state, waits: waitsForPeople(followed) });
  }
  const text = results.map(({ waits }) => (waits ? 'approved; it waits for others' : 'approved, and on chain'));
  session.output.result(ids.length === 1 ? (results[0] ?? {}) : { approved: results }, text.join('\n'));
}

async function reject(session: Session, id: string, flags: { readonly reason: string }): Promise<void> {
  const client = session.client();
  const proposal = await withRequirements(session, id);
  requireOwnTeam(session, proposal);
  const key = await askedKey(session, proposal);
  const { chainId } = await client.info();
  const message = { proposal: proposal.id, reason: flags.reason, deadline: deadlineFromNow() } satisfies Reject;
  const data = { domain: serverDomain(chainId), types: rejectTypes, primaryType: 'Reject', message };
  await client.reject(message, { signer: key.signer, signature: await key.sign(data) });
  session.output.result({ proposal: id, signer: key.signer, reason: flags.reason }, 'rejected, with your reason');
}

export function addApprove(program: Command, run: Run): void {
  program
    .command('approve')
    .argument('<proposal...>', 'ids of proposals')
    .description('see what is proposed, and approve it with your key')
    .option('--image <file>', 'the image, to compare with the one that is approved')
    .option('--yes', 'approve without being asked')
    .option('--wait', 'until it is on chain')
    .action(run((session, ids: string[], flags: ApproveFlags) => approve(session, ids, flags)));
  program
    .command('reject')
    .argument('<proposal>', 'its id')
    .description('say that you will not approve a proposal, and why')
    .requiredOption('--reason <text>', 'for the others')
    .action(run((session, id: string, flags: { readonly reason: string }) => reject(session, id, flags)));
}
