import { isFirmproofError, type ProductResource, type ReleaseResource } from '@firmproof/protocol';
import type { ProductHistory } from '@firmproof/protocol/audit';
import type { FirmproofClient } from '../../api-client.ts';
import type { Condition } from '../conditions.ts';
import type { MonitorConfig } from '../config.ts';
import type { FollowedProduct } from './followed-product.ts';

export type ServerPatience = MonitorConfig['patience'] & Pick<MonitorConfig, 'intervalSeconds'>;

/** What the server says of the product. Where it does not answer, `unreachable` says so, and nothing else is known. */
export type ServerLook = {
  readonly unreachable: Condition | null;
  readonly conditions: readonly Condition[];
  /** The event that it is at. */
  readonly sequence: number | null;
};

const disagrees = (subject: string, message: string, patienceSeconds: number): Condition => ({
  code: 'server-disagrees',
  severity: 'bad',
  subject,
  message: `the server disagrees with the chain: ${message}`,
  patienceSeconds,
});

/**
 * Compares what the server says of a product with what was replayed and proven. Its index may run behind; what it says of the
 * same event must be the same.
 */
export async function lookAtServer(
  client: FirmproofClient,
  followed: FollowedProduct,
  patience: ServerPatience,
  historyAt: (sequence: number) => string | null,
): Promise<ServerLook> {
  try {
    const told = await client.product(followed.watched.product);
    const conditions = compareProduct(told, followed, patience, historyAt);
    return { unreachable: null, conditions, sequence: told.sequence };
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    if (error.code === 'product-not-found') {
      const gone = disagrees('product', 'it does not know the product', patience.serverSeconds);
      return { unreachable: null, conditions: [gone], sequence: null };
    }
    const silent = { code: 'server-unreachable', severity: 'warn', subject: 'server' } as const;
    const { carrierSeconds: patienceSeconds } = patience;
    return { unreachable: { ...silent, message: error.message, patienceSeconds }, conditions: [], sequence: null };
  }
}

/** A list that breaks off says nothing. */
export function releasesUnread(error: unknown): null {
  if (isFirmproofError(error)) return null;
  throw error;
}

function compareProduct(
  told: ProductResource,
  followed: FollowedProduct,
  patience: ServerPatience,
  historyAt: (sequence: number) => string | null,
): readonly Condition[] {
  const { sequence, history } = followed;
  if (told.sequence > sequence) {
    // It reads newer blocks than final ones. What never becomes final is made up.
    const message = `it tells of ${told.sequence} events, ${sequence} are final`;
    return [disagrees('ahead', message, patience.serverSeconds)];
  }
  const known = historyAt(told.sequence);
  if (known !== told.history)
    return [disagrees('history', `it shows another history of ${told.sequence} events than is proven`, 0)];
  if (told.sequence < sequence) {
    return [disagrees('behind', `it shows ${told.sequence} of ${sequence} events`, patience.serverSeconds)];
  }
  // One answer, but made of several reads: what differs has to differ twice.
  return productDifferences(told, history).map(({ subject, message }) =>
    disagrees(subject, message, patience.intervalSeconds),
  );
}

type Difference = { readonly subject: string; readonly message: string };

const difference = (subject: string, told: unknown, proven: unknown): readonly Difference[] =>
  told === proven ? [] : [{ subject, message: `${subject}: it says ${String(told)}, proven is ${String(proven)}` }];

function productDifferences(told: ProductResource, history: ProductHistory): readonly Difference[] {
  const channels = new Map(told.channels.map((channel) => [channel.channel, channel]));
  const all = new Set([...channels.keys(), ...history.channels.keys()]);
  return [
    ...difference('publisher', told.publisher, history.publisher),
    ...difference('guardian', told.guardian, history.guardian),
    ...difference('delay', told.delaySeconds, history.delaySeconds),
    ...difference('trust root', told.trustRoot, history.trustRoot),
    ...difference('highest rollback index', told.topIndex, history.topIndex),
    ...difference('scheduled change', told.pending?.hash ?? null, history.pending?.pending ?? null),
    ...[...all].flatMap((name) => {
      const said = channels.get(name);
      const proven = history.channels.get(name);
      return [
        ...difference(`head of ${name}`, said?.version ?? null, proven?.version ?? null),
        ...difference(`halt of ${name}`, said?.halted ?? false, proven?.halted ?? false),
      ];
    }),
  ];
}

/** So many that do not exist are named. */
const maximumSurplus = 10;

/** Compares all releases that the server lists with the proven ones. Only for a server that is at the same event. */
export async function lookAtReleases(
  client: FirmproofClient,
  { watched, history }: FollowedProduct,
  patience: ServerPatience,
): Promise<readonly Condition[]> {
  const differences: Difference[] = [];
  const missing = new Set(history.releases.keys());
  const most = history.releases.size + maximumSurplus;
  let listed = 0;
  for await (const told of client.releases(watched.product)) {
    listed += 1;
    // A list that never ends keeps nobody from looking at the chain.
    if (listed > most) break;
    missing.delete(told.version);
    differences.push(...releaseDifferences(told, history));
  }
  if (listed > most) {
    const message = `it lists many more than the ${history.releases.size} releases that there are`;
    differences.push({ subject: 'releases', message });
  } else
    for (const version of missing)
      differences.push({ subject: `release ${version}`, message: `it does not list ${version}` });
  return differences.map(({ subject, message }) => disagrees(subject, message, patience.intervalSeconds));
}

function releaseDifferences(told: ReleaseResource, history: ProductHistory): readonly Difference[] {
  const { version } = told;
  const release = history.releases.get(version);
  if (release === undefined)
    return [{ subject: `release ${version}`, message: `it lists ${version}, which does not exist` }];
  return [
    ...difference(`image of ${version}`, told.image, release.image),
    ...difference(`attestation of ${version}`, told.attestation, release.attestation),
    ...difference(`rollback index of ${version}`, told.rollbackIndex, release.rollbackIndex),
    ...difference(`status of ${version}`, told.status, release.revoked === null ? 'active' : 'revoked'),
  ];
}
