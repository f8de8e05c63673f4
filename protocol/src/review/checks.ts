import { idOfProposed, type ProposedAction } from '../approval/index.ts';
import {
  type Address,
  attestationDigest,
  type Bytes32,
  bytes32OfDigest,
  type ProductResource,
  type Proposal,
  parseAttestation,
  productIdOf,
  type Statement,
  subjectDigest,
} from '../index.ts';
import type { DevicesSaid } from './devices.ts';
import type { Place } from './place.ts';

/** What was looked at here. `unchecked` is said as loudly as a failure is: it is never shown as checked. */
export type Check = {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'unchecked';
  readonly text: string;
};

const check = (name: string, outcome: Check['outcome'], text: string): Check => ({ name, outcome, text });
const verdict = (name: string, holds: boolean, passed: string, failed: string) =>
  check(name, holds ? 'passed' : 'failed', holds ? passed : failed);

export function checkPlace({ familiarity, chainId, registry, expected }: Place): Check {
  const name = 'Chain and registry';
  switch (familiarity) {
    case 'pinned':
      return check(name, 'passed', 'They are the ones that these pages are set up for.');
    case 'remembered':
      return check(name, 'passed', 'They are the ones that you have approved for here before.');
    case 'new':
      return check(
        name,
        'unchecked',
        `Nothing here says that chain ${chainId} and registry ${registry} are yours: compare them with your trust root. They are remembered when you approve.`,
      );
    case 'other':
      return check(
        name,
        'failed',
        `The server names chain ${chainId} and registry ${registry}. Expected were ${expected?.chainId} and ${expected?.registry}.`,
      );
  }
}

/** The link names the proposal by its hash, so no server can show another one under it. */
export function checkId(linkId: string, proposal: Proposal, place: Place, account: Address | undefined): Check {
  const name = 'The link';
  const id = account === undefined ? null : idOfProposed(proposal, place, account);
  if (id === null) return check(name, 'unchecked', 'What this proposal shows is not all that its id is computed from.');
  const holds = id === linkId && proposal.id === linkId;
  return verdict(
    name,
    holds,
    'It names exactly what is shown here: the id is the hash of it.',
    'The server shows something else than what the link names: the hash of what it shows is another one.',
  );
}

export const nameCheck = 'The product name';

/** The name of a product is in its id, together with the publisher that registered it. */
export function checkProductName(product: ProductResource | null, signed: string, place: Place): Check {
  const name = nameCheck;
  if (product === null) return check(name, 'unchecked', 'The server does not know this product.');
  const id = productIdOf(place.chainId, place.registry, product.publisher, product.name);
  return id === signed
    ? check(name, 'passed', `"${product.name}" of ${product.publisher} has this id.`)
    : check(
        name,
        'unchecked',
        `"${product.name}" is only what the server calls it; its publisher has changed, or the server is wrong.`,
      );
}

type Publish = Extract<ProposedAction, { action: 'Publish' }>['message'];

/** The attestation must be the one that is signed for, and must say the same of the image. */
export function checkAttestation(text: string, message: Publish): { checks: Check[]; statement: Statement | null } {
  const name = 'The attestation';
  if (bytes32OfDigest(attestationDigest(text)) !== message.attestation) {
    const failed = 'The server gives another attestation than the one that you would approve.';
    return { checks: [check(name, 'failed', failed)], statement: null };
  }
  const own = check(name, 'passed', 'Its digest is the one that you approve.');
  let statement: Statement;
  try {
    statement = parseAttestation(text).statement;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { checks: [own, check('The statement', 'failed', `It cannot be read: ${why}.`)], statement: null };
  }
  const { predicate } = statement;
  const differing = [
    predicate.product !== message.product && 'product',
    predicate.version !== message.version && 'version',
    bytes32OfDigest(subjectDigest(statement)) !== message.image && 'image digest',
    predicate.rollbackIndex !== message.rollbackIndex && 'rollback index',
  ].filter((part) => part !== false);
  const agreement = verdict(
    'The statement',
    differing.length === 0,
    'It names the same product, version, image and rollback index as what you approve.',
    `It disagrees with what you would approve about: ${differing.join(', ')}. No device would install this.`,
  );
  return { checks: [own, agreement], statement };
}

/** What is asked of the device anchor names the registry itself. */
export function checkRegistry(registry: Address, place: Place): Check {
  return verdict(
    'The registry',
    registry === place.registry,
    'The message names the same registry.',
    `The message names another registry: ${registry}.`,
  );
}

/** The root is computed here, from the list that the server gives (N6.2). */
export function checkDevices(
  devices: DevicesSaid | null,
  { root, count }: { readonly root: Bytes32; readonly count: number },
  { state }: Pick<Proposal, 'state'>,
): Check {
  const name = 'The devices';
  // Once they are anchored, their list is the vendor's alone; until then everybody is asked to vouch for it.
  if (devices === null && state === 'confirmed')
    return check(name, 'unchecked', 'The server does not show their list to you.');
  if (devices === null)
    return check(name, 'failed', 'The server withholds their list: nobody can vouch for devices unseen.');
  if (devices.root === null) return check(name, 'failed', `Their list cannot be read: ${devices.why}.`);
  return verdict(
    name,
    devices.root === root && devices.count === count,
    `The list of ${count.toLocaleString('en')} devices has this Merkle root, computed here.`,
    `The list that the server gives is another one: ${devices.count} devices, Merkle root ${devices.root}.`,
  );
}

/** What the server says that it holds, where that is not what the statement is about. That it says the same proves nothing. */
export function checkReceived({ image }: Proposal, statement: Statement): Check | null {
  if (image === undefined) return null;
  const { cid, sizeBytes } = statement.predicate.image;
  const same = image.digest === subjectDigest(statement) && image.cid === cid && image.sizeBytes === sizeBytes;
  return same
    ? null
    : check('The upload', 'failed', 'The server says that it holds another image than the statement is about.');
}
