import { stat } from 'node:fs/promises';
import {
  FirmproofError,
  type Proposal,
  type Reject,
  rejectTypes,
  type Signer,
  serverDomain,
  shortSigner,
  type TrustRoot,
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
import { readTrustRootFile } from '../trust-root-file.ts';
import type { Run } from './setup.ts';

type ApproveFlags = {
  readonly image?: string;
  readonly trustRoot?: string;
  readonly yes?: boolean;
  readonly wait?: boolean;
};

/** Shows the proposal and checks all that can be checked here. @throws FirmproofError `server-lied` */
async function review(session: Session, id: string, trustRootFile?: string): Promise<ReviewedProposal> {
  const client = session.client();
  const info = await client.info();
  const { registry } = session.home.settings;
  const proposal = await client.proposal(id);
  const trustRoot = trustRootFor(session, proposal, trustRootFile);
  const known = registry ?? (trustRoot && { chainId: trustRoot.chainId, registry: trustRoot.registry }) ?? null;
  const reviewed = await reviewOf(client, info, id, { registry: known, trustRoot });
  session.output.note(reviewText(reviewed.review, reviewed.said.proposal));
  const lie = lied(reviewed.review.checks);
  if (lie) throw lie;
  return reviewed;
}

/** What the attestation's signature is checked with: the file that was given, or what lies here. */
function trustRootFor({ home }: Session, { product }: Proposal, file: string | undefined): TrustRoot | null {
  if (product === undefined) return null;
  if (file === undefined) return home.trustRootOf(product);
  const root = readTrustRootFile(file);
  if (root.product === product) return root;
  throw new FirmproofError('trust-root-mismatch', `${file} is the trust root of another product`);
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
  if (image === null) return;
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

type ToApprove = ReviewedProposal & { readonly id: string };

/** Everything that can be wrong is found before the first of them is signed. */
async function lookAtAll(session: Session, ids: readonly string[], flags: ApproveFlags): Promise<ToApprove[]> {
  const all: ToApprove[] = [];
  for (const id of ids) {
    requireOwnTeam(session, await withRequirements(session, id));
    all.push({ id, ...(await review(session, id, flags.trustRoot)) });
  }
  if (flags.image === undefined) return all;
  const releases = all.filter(({ review: { image } }) => image !== null);
  if (releases.length === 0) throw new FirmproofError('usage-invalid', '--image is for releases, and here is none');
  for (const release of releases) await compareImage(session, flags.image, release.review);
  return all;
}

const hasApproved = ({ requirements, approvals }: Proposal, { signer }: SignerKey) =>
  approvals.some((given) => given.signer === signer && given.epoch === requirements?.epoch);

function requireOpen({ state }: Proposal): void {
  if (['confirmed', 'rejected', 'expired'].includes(state))
    throw new FirmproofError('proposal-closed', `the proposal is ${state}`);
}

/** What has become of it: already approved, waiting, or on chain. */
type Outcome = { readonly proposal: string; readonly signer: Signer; readonly state: string; readonly text: string };

async function approveOne(
  session: Session,
  { id, review: shown, said }: ToApprove,
  flags: ApproveFlags,
): Promise<Outcome> {
  if (shown.typedData === null)
    throw new FirmproofError('signer-unknown', 'nobody but the approver itself is asked to sign this');
  const client = session.client();
  const key = await askedKey(session, said.proposal);
  const { signer } = key;
  if (hasApproved(said.proposal, key))
    return { proposal: id, signer, state: said.proposal.state, text: `${shown.title}: you have approved it already` };
  requireOpen(said.proposal);
  await requireConsent(session, `${shown.title}: approve with ${shortSigner(signer)}?`, flags.yes);
  await session.pinRegistry(await client.info());
  const approved = await client.approve(id, { signer, signature: await key.sign(shown.typedData) });
  const { state, ...followed } = await session.follow({ client }, approved, { wait: flags.wait ?? false });
  const waits = waitsForPeople({ state, ...followed });
  return { proposal: id, signer, state, text: waits ? 'approved; it waits for others' : 'approved, and on chain' };
}

async function approve(session: Session, ids: readonly string[], flags: ApproveFlags): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const one of await lookAtAll(session, ids, flags)) outcomes.push(await approveOne(session, one, flags));
  const results = outcomes.map(({ text: _text, ...result }) => result);
  session.output.result(
    results.length === 1 ? (results[0] ?? {}) : { approved: results },
    outcomes.map(({ text }) => text).join('\n'),
  );
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
    .option('--trust-root <file>', "the product's trust root, to check who has signed the release")
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
