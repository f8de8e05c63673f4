import type { ProductId } from '@firmproof/protocol';
import type { Entry } from '@firmproof/protocol/audit';
import * as z from 'zod';

const databaseName = 'firmproof-audit';
const storeName = 'entries';
/** As text: browsers copy a thousand objects far slower than one string. */
const chunksSchema = z.array(z.string());

/**
 * Entries that were found to be the history before, kept in this browser so that a second visit need not ask for them again.
 * They are replayed like any others: nothing is believed because it was kept.
 */
export class KeptEntries {
  readonly #database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.#database = database;
  }

  /** null where the browser keeps nothing, as in a private window. */
  static async open(): Promise<KeptEntries | null> {
    try {
      const request = indexedDB.open(databaseName, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore(storeName);
      };
      return new KeptEntries(await settled(request));
    } catch {
      return null;
    }
  }

  /** Oldest first. */
  async read(product: ProductId): Promise<readonly Entry[]> {
    const store = this.#database.transaction(storeName).objectStore(storeName);
    const chunks = chunksSchema.safeParse(await settled(store.getAll(rangeOf(product))));
    // Each was read by its schema before it was kept, and the replay refuses what is damaged.
    return chunks.success ? chunks.data.flatMap((text) => JSON.parse(text) as Entry[]) : [];
  }

  /** Keeps entries that follow on those kept before. */
  async add(product: ProductId, entries: readonly Entry[]): Promise<void> {
    const [first] = entries;
    if (first === undefined) return;
    await settled(this.#store().put(JSON.stringify(entries), [product, first.sequence]));
  }

  async forget(product: ProductId): Promise<void> {
    await settled(this.#store().delete(rangeOf(product)));
  }

  #store(): IDBObjectStore {
    return this.#database.transaction(storeName, 'readwrite').objectStore(storeName);
  }
}

const rangeOf = (product: ProductId) => IDBKeyRange.bound([product, 0], [product, Number.MAX_SAFE_INTEGER]);

function settled<Result>(request: IDBRequest<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
