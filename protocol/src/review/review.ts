import {
  accountActions,
  type ProposedAction,
  proposedAction,
  proposedTypedData,
  type TypedData,
} from '../approval/index.ts';
import type { AccountResource, ProductResource, Proposal, ReleaseResource, Statement } from '../index.ts';
import { FirmproofError, isFirmproofError } from '../index.ts';
import {
  type Check,
  checkAttestation,
  checkDevices,
  checkId,
  checkPlace,
  checkProductName,
  checkReceived,
  checkRegistry,
  nameCheck,
} from './checks.ts';
import type { DevicesSaid } from './devices.ts';
import { checkDocuments, type GivenDocument, sbomPair } from './documents.ts';
import type { Place } from './place.ts';
import { type Difference, differencesOf, type Row, rowsOf } from './rows.ts';

/** What a server has said of a proposal. */
export type Said = {
  readonly proposal: Proposal;
  readonly product: ProductResource | null;
  readonly account: AccountResource | null;
  /** Text of the attestation of a proposed release; null where there is none or the server does not give it. */
  readonly attestation: string | null;
  /** null where the proposal anchors none, or the server does not give their list. */
  readonly devices: DevicesSaid | null;
  /** What the server gives as the documents of a proposed release. */
  readonly documents: readonly GivenDocument[];
  /** The release before this one, as the server says, with the text of its attestation. */
  readonly previous: {
    readonly release: ReleaseResource;
    readonly attestation: string;
    readonly documents: readonly GivenDocument[];
  } | null;
};

export type Review = {
  readonly action: ProposedAction['action'];
  /** One line: what happens when this is approved. */
  readonly title: string;
  /** When approvals expire, in seconds since 1970; null where they stay good until it is in force. */
  readonly deadline: number | null;
  readonly rows: readonly Row[];
  readonly checks: readonly Check[];
  readonly differences: { readonly version: string; readonly list: readonly Difference[] } | null;
  /** Whether what is signed says which account approves, and not the server alone. */
  readonly isAccountProved: boolean;
  /** sha-256 of the image that is approved. */
  readonly image: { readonly digest: string; readonly cid: string | null } | null;
  /** What a signer signs; null where something does not add up, or nobody's signature is asked for here. */
  readonly typedData: TypedData | null;
};

/**
 * What a person needs to know before approving, taken from the message that is hashed and signed here, or marked as what the
 * server says. Pure: the same things said give the same review.
 * @throws FirmproofError `approval-malformed` when the proposal is nothing that can be read
 */
export function reviewProposal(linkId: string, said: Said, place: Place): Review {
  const { proposal, product } = said;
  const proposed = proposedAction(proposal);
  const { action, message } = proposed;
  const checks: Check[] = [checkPlace(place), checkId(linkId, proposal, place, proposal.approver)];
  let statement: Statement | null = null;
  if ('product' in message) checks.push(checkProductName(product, message.product, place));
  if (product !== null && 'product' in message && product.product !== message.product)
    checks.push({ name: 'The product', outcome: 'failed', text: 'The server describes another product.' });
  if ('registry' in message) checks.push(checkRegistry(message.registry, place));
  if (action === 'AnchorDevices') checks.push(checkDevices(said.devices, message, proposal));
  if (action === 'Publish') {
    if (said.attestation === null) {
      checks.push({ name: 'The attestation', outcome: 'unchecked', text: 'The server does not show it to you.' });
    } else {
      const judged = checkAttestation(said.attestation, message);
      checks.push(...judged.checks);
      statement = judged.statement;
      const received = statement && checkReceived(proposal, statement);
      if (received) checks.push(received);
      const documents = statement && checkDocuments(statement, said.documents);
      if (documents) checks.push(documents);
    }
  }
  const isSound = checks.every(({ outcome }) => outcome !== 'failed');
  const { requirements } = proposal;
  return {
    action,
    title: titleOf(proposed, proposal, product),
    // The deadline of an announced recovery was for announcing it: what puts it in force has none.
    deadline: proposal.kind === 'recover' ? null : message.deadline,
    rows: rowsOf(proposed, {
      product,
      account: said.account,
      statement,
      devices: said.devices,
      held: proposal.held,
    }).map((row) => (row.label === 'Product' && !passed(checks, nameCheck) ? { ...row, saidByServer: true } : row)),
    checks,
    differences: statement && differencesFrom(said, statement),
    isAccountProved: isAccountAction(action) || (passed(checks, nameCheck) && product?.publisher === proposal.approver),
    image:
      action === 'Publish' ? { digest: message.image.slice(2), cid: statement?.predicate.image.cid ?? null } : null,
    typedData: isSound && requirements ? typedDataOrNull(proposal, place, requirements) : null,
  };
}

const isAccountAction = (action: string) => Object.hasOwn(accountActions, action);

const passed = (checks: readonly Check[], name: string) =>
  checks.some((check) => check.name === name && check.outcome === 'passed');

function typedDataOrNull(
  proposal: Proposal,
  place: Place,
  at: { account: AccountResource['account']; epoch: number },
): TypedData | null {
  // Another account than the one whose proposal this is would sign for nothing.
  if (at.account !== proposal.approver) return null;
  try {
    return proposedTypedData(proposal, place, at);
  } catch (error) {
    if (isFirmproofError(error)) return null;
    throw error;
  }
}

/** The previous attestation is one that the server names: it says how things were, and nothing is signed of it. */
function differencesFrom({ previous, documents }: Said, statement: Statement): Review['differences'] {
  if (previous === null) return null;
  const { release, attestation } = previous;
  const judged = checkAttestation(attestation, {
    product: release.product,
    version: release.version,
    image: `0x${release.image}` as never,
    attestation: `0x${release.attestation}` as never,
    rollbackIndex: release.rollbackIndex,
    epoch: 0,
    deadline: 0,
  });
  if (judged.statement === null || judged.checks.some(({ outcome }) => outcome === 'failed')) return null;
  const before = { statement: judged.statement, given: previous.documents };
  const sboms = sbomPair(before, { statement, given: documents });
  return { version: release.version, list: differencesOf(judged.statement, statement, sboms) };
}

function titleOf(
  { action, message }: ProposedAction,
  { kind, held }: Proposal,
  product: ProductResource | null,
): string {
  const name = product?.name ?? 'a product';
  switch (action) {
    case 'Publish':
      return `Release ${name} ${message.version}`;
    case 'Promote':
      return held
        ? `Prepare the way back to ${name} ${message.version} on ${message.channel}`
        : `Offer ${name} ${message.version} on ${message.channel}`;
    case 'Revoke':
      return `Take back ${name} ${message.version}`;
    case 'Halt':
      return `Stop ${message.channel} of ${name}`;
    case 'Register':
      return `Register the product ${message.name}`;
    case 'Configure':
      return kind === 'apply' ? `Put a scheduled change of ${name} into force` : `Change how ${name} is governed`;
    case 'Accept':
      return `Take over ${name}`;
    case 'Veto':
      return `Stop a scheduled change of ${name}`;
    case 'AnchorDevices':
      return `Vouch for ${message.count.toLocaleString('en')} ${message.count === 1 ? 'device' : 'devices'} of ${name}`;
    case 'RevokeDevice':
      return `Revoke a device of ${name}`;
    case 'SetSigners':
      return 'Change the signers of the account';
    case 'SetRecovery':
      return 'Change who can recover the account';
    case 'Recover':
      return kind === 'recover' ? 'Recover the account with new signers' : 'Announce a recovery of the account';
    case 'CancelRecovery':
      return 'Cancel a recovery of the account';
  }
}

/** The server's word against what was computed here. */
export function lied(checks: readonly Check[]): FirmproofError | null {
  const failed = checks.find(({ outcome }) => outcome === 'failed');
  return failed ? new FirmproofError('server-lied', failed.text) : null;
}
