import { anchorInterface, registryInterface } from '@firmproof/contracts';
import {
  type ActionMessage,
  type Address,
  abiWord,
  actions,
  asciiOfWord,
  type Bytes32,
  deviceAnchorAddress,
  toHex,
  zeroBytes32,
} from '@firmproof/protocol';
import { hexQuantity, type Rpc, readBlock } from '@firmproof/protocol/node';
import type { LogDescription } from 'ethers';
import type { Transaction } from 'kysely';
import { keepEvent, type Log, nextHistory } from '../audit/keep-event.ts';
import { type Database, readMeta } from '../database/database.ts';
import { indexTables, type Tables } from '../database/schema.ts';
import type { ChainWatcher } from '../webhooks/chain-events.ts';

const blocksPerRequest = 2000;
const positionKey = 'indexed-block';
/** There while something of what was told before the index was made anew may hold no more. */
export const rebuiltKey = 'index-rebuilt';

/** The block up to which everything is in the index. */
export async function indexedPosition(database: Database): Promise<{ number: number; hash: string } | null> {
  const text = await readMeta(database, positionKey);
  return text === undefined ? null : (JSON.parse(text) as { number: number; hash: string });
}

/**
 * Keeps the index tables equal to what the registry's *final* events say, and rebuilds them when the chain behind them
 * has changed: a reorganisation below finality, or an embedded chain that lost its last blocks.
 */
export function createIndexer(options: {
  database: Database;
  rpc: Rpc;
  registry: Address;
  firstBlock: number;
  /** Is told of each event in the transaction that takes it in. */
  watcher?: ChainWatcher;
}) {
  const { database, rpc, registry, firstBlock } = options;

  return {
    /** One pass up to the final block. `rebuilt` says that earlier confirmations may no longer hold. */
    async catchUp(): Promise<{
      readonly finalBlock: number;
      readonly finalSeconds: number;
      readonly rebuilt: boolean;
    }> {
      const final = await readBlock(rpc, 'finalized');
      const finalBlock = final === null ? 0 : Number(final.number);
      let indexed = await indexedPosition(database);
      const rebuilt = indexed !== null && (await readBlock(rpc, indexed.number))?.hash !== indexed.hash;
      if (rebuilt) {
        await forget(database);
        indexed = null;
      }
      let from = indexed === null ? firstBlock : indexed.number + 1;
      while (final !== null && from <= finalBlock) {
        const to = Math.min(from + blocksPerRequest - 1, finalBlock);
        const last = to === finalBlock ? final : await readBlock(rpc, to);
        const logs = await rpc<Log[]>('eth_getLogs', [
          { address: registry, fromBlock: hexQuantity(from), toBlock: hexQuantity(to) },
        ]);
        // Those of other registries on this chain are not asked for.
        const anchorLogs = await rpc<Log[]>('eth_getLogs', [
          {
            address: deviceAnchorAddress,
            topics: [null, toHex(abiWord(registry))],
            fromBlock: hexQuantity(from),
            toBlock: hexQuantity(to),
          },
        ]);
        if (last === null) break;
        await record(database, logs, anchorLogs, { number: to, hash: last.hash }, options.watcher);
        from = to + 1;
      }
      return { finalBlock, finalSeconds: Number(final?.timestamp ?? 0), rebuilt };
    },
  };
}

async function forget(database: Database): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    for (const table of indexTables) await transaction.deleteFrom(table).execute();
    await transaction.deleteFrom('meta').where('key', '=', positionKey).execute();
    await transaction
      .insertInto('meta')
      .values({ key: rebuiltKey, value: '1' })
      .onConflict((conflict) => conflict.column('key').doNothing())
      .execute();
  });
}

/** The events of a range and the new position, all or nothing. */
async function record(
  database: Database,
  logs: readonly Log[],
  anchorLogs: readonly Log[],
  position: { number: number; hash: string },
  watcher: ChainWatcher | undefined,
): Promise<void> {
  await database.transaction().execute(async (transaction) => {
    for (const log of logs) {
      const event = registryInterface.parseLog({ topics: [...log.topics], data: log.data });
      if (event === null) continue;
      const before = watcher ? await accountsOf(transaction, event) : [];
      await apply(transaction, event, log);
      const { blockNumber, transactionHash } = log;
      await watcher?.(transaction, { event, block: Number(blockNumber), transactionHash, before });
    }
    for (const log of anchorLogs) {
      const event = anchorInterface.parseLog({ topics: [...log.topics], data: log.data });
      if (event !== null) await applyToDevices(transaction, event);
    }
    const value = JSON.stringify(position);
    await transaction
      .insertInto('meta')
      .values({ key: positionKey, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
  });
}

/** Who is responsible for the product before the event. */
async function accountsOf(transaction: Transaction<Tables>, { args }: LogDescription): Promise<readonly string[]> {
  const row = await transaction
    .selectFrom('products')
    .select(['publisher', 'guardian'])
    .where('id', '=', String(args['product']))
    .executeTakeFirst();
  return row ? [row.publisher, row.guardian] : [];
}

const number = (value: unknown) => Number(value as bigint);
const word = (value: unknown) => asciiOfWord(value as Bytes32) ?? '';
const account = (value: unknown) => String(value).toLowerCase();

async function apply(transaction: Transaction<Tables>, event: LogDescription, log: Log): Promise<void> {
  const { args } = event;
  const product = String(args['product']);
  const sequence = number(args['sequence']);
  if (event.name === 'Registered') {
    const first = nextHistory(zeroBytes32, log);
    await keepEvent(transaction, product, sequence, log, first);
    await transaction
      .insertInto('products')
      .values({
        id: product,
        name: word(args['name']),
        publisher: account(args['publisher']),
        guardian: account(args['guardian']),
        delay: number(args['delay']),
        epoch: 1,
        sequence,
        top_index: 0,
        trust_root: String(args['trustRoot']).slice(2),
        history: first,
        pending: null,
        pending_from: 0,
        pending_configuration: null,
        position: Number(log.blockNumber),
      })
      .execute();
    return;
  }
  const before = await transaction
    .selectFrom('products')
    .selectAll()
    .where('id', '=', product)
    .executeTakeFirstOrThrow();
  const history = nextHistory(before.history as Bytes32, log);
  await keepEvent(transaction, product, sequence, log, history);
  const change = { sequence, history, ...productChange(event, before) };
  await transaction.updateTable('products').set(change).where('id', '=', product).execute();
  await applyToReleases(transaction, event, product, sequence);
  await applyToHeads(transaction, event, product);
}

const nothingPending = { pending: null, pending_from: 0, pending_configuration: null };

/** The message as it was signed: whoever applies it has to give it again. */
function scheduledConfiguration(product: string, args: LogDescription['args']): ActionMessage<'Configure'> {
  return actions.Configure.parse({
    product,
    publisher: account(args['publisher']),
    guardian: account(args['guardian']),
    delay: number(args['delay']),
    trustRoot: String(args['trustRoot']),
    epoch: number(args['signedEpoch']),
    deadline: number(args['deadline']),
  });
}

function productChange({ name, args }: LogDescription, before: Tables['products']): Partial<Tables['products']> {
  switch (name) {
    case 'Published':
      return { top_index: Math.max(before.top_index, number(args['rollbackIndex'])) };
    case 'Scheduled':
      return {
        epoch: before.epoch + 1,
        pending: String(args['pending']),
        pending_from: number(args['pendingFrom']),
        pending_configuration: JSON.stringify(scheduledConfiguration(before.id, args)),
      };
    case 'Applied':
      return {
        publisher: account(args['publisher']),
        guardian: account(args['guardian']),
        delay: number(args['delay']),
        trust_root: String(args['trustRoot']).slice(2),
        epoch: number(args['epoch']),
        ...nothingPending,
      };
    case 'Vetoed':
      return nothingPending;
    default:
      return {};
  }
}

async function applyToReleases(
  transaction: Transaction<Tables>,
  { name, args }: LogDescription,
  product: string,
  sequence: number,
) {
  if (name === 'Published') {
    await transaction
      .insertInto('releases')
      .values({
        product,
        version: word(args['version']),
        status: 1,
        rollback_index: number(args['rollbackIndex']),
        sequence,
        published_at: number(args['time']),
        installable_from: number(args['installableFrom']),
        image: String(args['image']).slice(2),
        attestation: String(args['attestation']).slice(2),
      })
      .execute();
  }
  if (name === 'Revoked') {
    const version = word(args['version']);
    await transaction
      .updateTable('releases')
      .set({ status: 2 })
      .where('product', '=', product)
      .where('version', '=', version)
      .execute();
  }
}

/** The anchor gives each of them once: a root is anchored once, a leaf revoked once. */
async function applyToDevices(transaction: Transaction<Tables>, { name, args }: LogDescription): Promise<void> {
  const product = String(args['product']);
  const time = number(args['time']);
  if (name === 'DevicesAnchored') {
    await transaction
      .insertInto('anchored_batches')
      .values({ product, root: String(args['root']), count: number(args['count']), anchored_at: time })
      .execute();
  }
  if (name === 'DeviceRevoked') {
    await transaction
      .insertInto('revoked_devices')
      .values({ product, leaf: String(args['leaf']), revoked_at: time })
      .execute();
  }
}

async function applyToHeads(transaction: Transaction<Tables>, { name, args }: LogDescription, product: string) {
  if (name === 'Promoted') {
    const change = {
      version: word(args['version']),
      counter: number(args['counter']),
      start: number(args['start']),
      duration: number(args['duration']),
      first_share: number(args['firstShare']),
      halted: 0,
    };
    await transaction
      .insertInto('heads')
      .values({ product, channel: word(args['channel']), halts: 0, ...change })
      .onConflict((conflict) => conflict.columns(['product', 'channel']).doUpdateSet(change))
      .execute();
  }
  if (name === 'Halted') {
    const change = { halted: 1, halts: number(args['halts']), counter: number(args['counter']) };
    const channel = word(args['channel']);
    await transaction
      .updateTable('heads')
      .set(change)
      .where('product', '=', product)
      .where('channel', '=', channel)
      .execute();
  }
}
