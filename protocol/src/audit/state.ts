import { bytes32OfDigest } from '../digest.ts';
import { productIdOf } from '../names.ts';
import { commitmentOf } from '../storage-layout.ts';
import type { ProductHistory } from './history.ts';
import type { ProductPlace, ProvenProduct } from './product-proof.ts';

/**
 * What the model that the events fold into says otherwise than storage proves, one line each (V7). Nothing, where the history is
 * complete and the registry is the one that was audited: another contract at the address would be found out here.
 * Only releases and channels that the proof is about are compared.
 */
export function compareState(history: ProductHistory, proven: ProvenProduct): readonly string[] {
  return [
    ...productDifferences(history, proven),
    ...releaseDifferences(history, proven),
    ...channelDifferences(history, proven),
  ];
}

/**
 * Why the entries are not those of the product that was asked for; null where they are. The id is made of chain, registry, first
 * publisher and name (V7.3), so that no other contract can have a product of this id, whatever its storage proves.
 */
export function foreignProduct(history: ProductHistory, { chainId, registry, product }: ProductPlace): string | null {
  const { publisher, name } = history.registered;
  const id = productIdOf(chainId, registry, publisher, name);
  if (id === product) return null;
  return `this is another product: ${name} of publisher ${publisher} has the id ${id} in registry ${registry}, not ${product}`;
}

/** What the entries add up to otherwise than the id of the product and its storage (V7.3). */
export function contradictionsOf(
  history: ProductHistory,
  proven: ProvenProduct,
  place: ProductPlace,
): readonly string[] {
  const foreign = foreignProduct(history, place);
  return [...(foreign === null ? [] : [foreign]), ...compareState(history, proven)];
}

const difference = (what: string, events: unknown, storage: unknown): readonly string[] =>
  events === storage ? [] : [`${what}: the entries say ${String(events)}, storage holds ${String(storage)}`];

function productDifferences(history: ProductHistory, proven: ProvenProduct): readonly string[] {
  return [
    ...difference('publisher', history.publisher, proven.publisher),
    ...difference('guardian', history.guardian, proven.guardian),
    ...difference('delay', history.delaySeconds, proven.delaySeconds),
    ...difference('epoch', history.epoch, proven.epoch),
    ...difference('trust root', history.trustRoot, proven.trustRoot),
    ...difference('highest rollback index', history.topIndex, proven.topIndex),
    ...difference('scheduled change', history.pending?.pending ?? null, proven.pending),
  ];
}

function releaseDifferences(history: ProductHistory, { releases }: ProvenProduct): readonly string[] {
  return [...releases].flatMap(([version, proven]) => {
    const release = history.releases.get(version);
    if (release === undefined) return difference(`release ${version}`, 'none', proven.status);
    const commitment = commitmentOf(bytes32OfDigest(release.image), bytes32OfDigest(release.attestation));
    return [
      ...difference(`status of ${version}`, release.revoked === null ? 'active' : 'revoked', proven.status),
      ...difference(`commitment of ${version}`, commitment, proven.commitment),
      ...difference(`rollback index of ${version}`, release.rollbackIndex, proven.rollbackIndex),
      ...difference(`installable time of ${version}`, release.installableFrom, proven.installableFrom),
    ];
  });
}

function channelDifferences(history: ProductHistory, { channels }: ProvenProduct): readonly string[] {
  return [...channels].flatMap(([name, proven]) => {
    const channel = history.channels.get(name);
    return [
      ...difference(`head of ${name}`, channel?.version ?? null, proven.version),
      ...difference(`halt of ${name}`, channel?.halted ?? false, proven.halted),
      ...difference(`number of halts of ${name}`, channel?.halts.length ?? 0, proven.halts),
    ];
  });
}
