import {
  type ActionMessage,
  type ActionName,
  type ProductId,
  type Proposal,
  parseAttestation,
  type ServerInfo,
} from '@firmproof/protocol';
import type { FirmproofClient } from '../api-client.ts';
import type { Approved, Approver } from '../approver.ts';
import { keylessAttester, type SigstoreServices } from '../keyless.ts';
import { prepareRelease, type ReleaseOptions, uploadRelease } from '../prepare-release.ts';
import { type Promotion, promotionMessage } from '../rollout.ts';
import { waitsForPeople } from '../waits-for-people.ts';
import { ciClient } from './ci-login.ts';
import { fields, humanBytes } from './output.ts';
import type { Session } from './session.ts';
import { documentsText } from './supply-chain-options.ts';

export type KeylessRelease = {
  readonly file: string;
  readonly options: ReleaseOptions;
  readonly services: SigstoreServices;
  readonly promotion: Promotion | null;
  readonly dryRun: boolean;
  /** Until it is on chain, where others have to approve. */
  readonly wait: boolean;
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
  const approver = release.dryRun ? null : await approverHere(session, client, options.product);
  const proposing = { client, info, approver, wait: release.wait };
  const hashing = output.progress('hashing');
  const attested = await prepareRelease(client, file, options, attest, hashing.update).finally(() => hashing.stop());
  const { statement, digest } = parseAttestation(attested.attestation);
  const { documents, warnings } = attested;
  for (const warning of warnings) output.note(`Note: ${warning}`);
  const said = {
    ...(documents.length > 0 && { documents: documents.map(({ document }) => document) }),
    ...(warnings.length > 0 && { warnings }),
  };
  if (release.dryRun) {
    const result = { dryRun: true, image: attested.image, statement, approval: attested.message, ...said };
    return output.result(result, `${JSON.stringify(statement, null, 2)}\n\nNothing was sent to ${session.server}.`);
  }
  const sending = output.progress('uploading');
  const approved = { ...attested, by: await approvalBy(proposing, 'Publish', attested.message) };
  const received = await uploadRelease(client, file, approved, sending.update).finally(() => sending.stop());
  output.note(`Proposing ${options.version}`);
  const proposal = await session.follow({ client }, received, release);
  const next = promotion && (await proposePromotion(session, proposing, promotion));
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
      ...said,
      ...(promotion && next && { channel: promotion.channel, promotion: next.id }),
    },
    [
      fields([
        [proposal.state === 'confirmed' ? 'published' : 'proposed', options.version],
        ['sha-256', image.digest],
        ['cid', image.cid],
        ['size', `${image.sizeBytes} bytes (${humanBytes(image.sizeBytes)})`],
        ['proposal', proposal.id],
        ...(documents.length > 0 ? ([['attached', documentsText(attested)]] as const) : []),
        ...(next ? ([['promotion', next.id]] as const) : []),
      ]),
      ...[proposal, next].filter(isWaiting).map(howToApprove),
    ].join('\n'),
  );
}

/** What it takes to propose: the server, its registry, and who approves here, if anybody does. */
type Proposing = {
  readonly client: FirmproofClient;
  readonly info: ServerInfo;
  readonly approver: Approver | null;
  readonly wait: boolean;
};

const isWaiting = (proposal: Proposal | null): proposal is Proposal => proposal !== null && waitsForPeople(proposal);

const howToApprove = ({ id, kind, reason }: Proposal) =>
  `\nThe ${kind === 'publish' ? 'release' : 'promotion'} waits: ${reason?.message}\n  firmproof approve ${id}`;

/** Whoever approves for the publisher with a key that lies here; in CI nobody does. */
async function approverHere(session: Session, client: FirmproofClient, product: ProductId): Promise<Approver | null> {
  if (!session.home.hasKey('approval')) return null;
  const approver = await session.approver();
  return approver.account === (await client.product(product)).publisher ? approver : null;
}

async function approvalBy<Name extends ActionName>(
  { approver, info }: Proposing,
  action: Name,
  message: ActionMessage<Name>,
): Promise<Approved> {
  return approver === null ? { approvals: [] } : approver.approve(info, action, message);
}

async function proposePromotion(session: Session, proposing: Proposing, promotion: Promotion): Promise<Proposal> {
  const { client } = proposing;
  session.output.note(`Proposing ${promotion.version} for ${promotion.channel}`);
  const message = await promotionMessage(client, promotion);
  const proposal = await client.promote(message, await approvalBy(proposing, 'Promote', message));
  return session.follow({ client }, proposal, { wait: proposing.wait });
}
