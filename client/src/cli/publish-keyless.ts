import {
  type ActionMessage,
  type ActionName,
  type ProductId,
  type Proposal,
  parseAddress,
  parseAttestation,
  type ServerInfo,
} from '@firmproof/protocol';
import type { Wallet } from 'ethers';
import type { ApprovalSignature, FirmproofClient } from '../api-client.ts';
import { signAction } from '../approve.ts';
import { keylessAttester, type SigstoreServices } from '../keyless.ts';
import { prepareRelease, type ReleaseOptions, uploadRelease } from '../prepare-release.ts';
import { type Promotion, promotionMessage } from '../rollout.ts';
import { ciClient } from './ci-login.ts';
import { fields, humanBytes } from './output.ts';
import type { Session } from './session.ts';

export type KeylessRelease = {
  readonly file: string;
  readonly options: ReleaseOptions;
  readonly services: SigstoreServices;
  readonly promotion: Promotion | null;
  readonly dryRun: boolean;
};

/**
 * Signs with the identity of this run of CI and proposes the release. Where the approval key of the publisher is here, it
 * approves; else the proposal waits for its approvers, and this ends successfully.
 */
export async function publishKeyless(session: Session, release: KeylessRelease): Promise<void> {
  const { output } = session;
  const { file, options, promotion } = release;
  const attest = keylessAttester(release.services);
  const client = await ciClient(session, options.product);
  const info = await client.info();
  session.requireKnownRegistry(info, options.product);
  const wallet = release.dryRun ? null : await approverHere(session, client, options.product);
  const hashing = output.progress('hashing');
  const attested = await prepareRelease(client, file, options, attest, hashing.update).finally(() => hashing.stop());
  const { statement, digest } = parseAttestation(attested.attestation);
  if (release.dryRun) {
    const result = { dryRun: true, image: attested.image, statement, approval: attested.message };
    return output.result(result, `${JSON.stringify(statement, null, 2)}\n\nNothing was sent to ${session.server}.`);
  }
  const sending = output.progress('uploading');
  const approved = { ...attested, ...(await approvalBy(wallet, info, 'Publish', attested.message)) };
  const received = await uploadRelease(client, file, approved, sending.update).finally(() => sending.stop());
  output.note(`Proposing ${options.version}`);
  const proposal = await followUntilWaiting(session, client, received);
  const next = promotion && (await proposePromotion(session, { client, info, wallet }, promotion));
  const { image } = attested;
  output.result(
    {
      product: options.product,
      version: options.version,
      image,
      attestation: digest,
      proposal: proposal.id,
      state: proposal.state,
      ...(proposal.transaction && { transaction: proposal.transaction }),
      ...(promotion && next && { channel: promotion.channel, promotion: next.id }),
    },
    [
      fields([
        [proposal.state === 'confirmed' ? 'published' : 'proposed', options.version],
        ['sha-256', image.digest],
        ['cid', image.cid],
        ['size', `${image.sizeBytes} bytes (${humanBytes(image.sizeBytes)})`],
        ['proposal', proposal.id],
        ...(next ? ([['promotion', next.id]] as const) : []),
      ]),
      ...[proposal, next].filter(isWaiting).map(howToApprove),
    ].join('\n'),
  );
}

type Approver = { readonly client: FirmproofClient; readonly info: ServerInfo; readonly wallet: Wallet | null };

/** Reasons for which a proposal stands still until people act. */
const waitingReasons: readonly string[] = ['approvals-missing', 'browser-alone', 'held-back'];
const isWaiting = (proposal: Proposal | null): proposal is Proposal =>
  proposal?.state === 'approving' && waitingReasons.includes(proposal.reason?.code ?? '');

const howToApprove = ({ id, kind, reason }: Proposal) =>
  `\nThe ${kind === 'publish' ? 'release' : 'promotion'} waits: ${reason?.message}\n  firmproof approve ${id}`;

/** The publisher's own key, where a single key publishes and lies here; a team approves elsewhere. */
async function approverHere(session: Session, client: FirmproofClient, product: ProductId): Promise<Wallet | null> {
  if (!session.home.hasKeys()) return null;
  const wallet = await session.approvalKey();
  const { publisher } = await client.product(product);
  return parseAddress(wallet.address) === publisher ? wallet : null;
}

async function approvalBy<Name extends ActionName>(
  wallet: Wallet | null,
  info: ServerInfo,
  action: Name,
  message: ActionMessage<Name>,
): Promise<{ readonly signature?: ApprovalSignature }> {
  return wallet === null ? {} : { signature: await signAction(wallet, info, action, message) };
}

async function proposePromotion(session: Session, approver: Approver, promotion: Promotion): Promise<Proposal> {
  const { client, info, wallet } = approver;
  const { channel, version } = promotion;
  session.output.note(`Proposing ${version} for ${channel}`);
  const message = await promotionMessage(client, promotion);
  const { signature } = await approvalBy(wallet, info, 'Promote', message);
  return followUntilWaiting(session, client, await client.promote(message, signature));
}

/** Until it is confirmed, or only people can carry it on. @throws FirmproofError with the code that it was rejected with */
async function followUntilWaiting(session: Session, client: FirmproofClient, { id }: Proposal): Promise<Proposal> {
  return client.follow(
    id,
    ({ state }) => session.output.note(`  ${state}`),
    (proposal) => proposal.state === 'confirmed' || isWaiting(proposal),
  );
}
