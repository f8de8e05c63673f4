import * as z from 'zod';
import { type Address, addressSchema } from './bytes.ts';
import { type Sha256Digest, sha256, sha256DigestSchema } from './digest.ts';
import { FirmproofError } from './errors.ts';

/**
 * The log of what is done on a server on behalf of one owner (docs/spec/server-log.md): append-only, each entry naming the hash of
 * the one before (L2). Whoever remembers a head notices whatever is removed or changed before it.
 */

/** Everything that is written down (L4). */
export const serverLogActions = [
  'server-started',
  'login',
  'login-refused',
  'token-made',
  'token-revoked',
  'limit-refused',
  'channel-stopped',
  'channel-resumed',
  'device-accepted',
  'device-rejected',
  'claim-token-made',
  'claim-token-revoked',
  'claim-token-used-up',
  'devices-imported',
  'proposal-rejected',
  'webhook-added',
  'webhook-removed',
  'webhook-secret-changed',
  'webhook-disabled',
  'webhook-enabled',
] as const;
export type ServerLogAction = (typeof serverLogActions)[number];

/** Who did it (L5): the server itself, nobody known, or who is named. Never a token, only its id. */
const actorPattern = /^(?:server|anybody|token:[0-9a-f]{16}|signer:0x(?:[0-9a-f]{2}){20,128}|account:0x[0-9a-f]{40})$/;
export type ServerLogActor = 'server' | 'anybody' | `${'token' | 'signer' | 'account'}:${string}`;

const maximumDetails = 16;
const maximumDetailCharacters = 256;

/** Printable ASCII, so that every implementation writes the same JSON for it (L3). */
const plainText = (maximum: number) =>
  z
    .string()
    .max(maximum)
    .regex(/^[ -~]*$/);

const detailsSchema = z
  .record(
    z.string().regex(/^[a-z][A-Za-z0-9]{0,31}$/),
    z.union([plainText(maximumDetailCharacters), z.int().min(0), z.boolean()]),
  )
  .refine((details) => Object.keys(details).length <= maximumDetails, `has more than ${maximumDetails} details`);
export type ServerLogDetails = Readonly<Record<string, string | number | boolean>>;

export const serverLogEntrySchema = z
  .object({
    index: z.int().min(0).meta({ description: 'From 0, without a gap.' }),
    time: z.int().min(0).meta({ description: 'Seconds since 1970, by the clock of the server.' }),
    actor: z
      .string()
      .regex(actorPattern)
      .meta({ description: 'server, anybody, token:<id>, signer:<signer> or account:<address>.' }),
    action: z.enum(serverLogActions),
    subject: plainText(200).meta({ description: 'What it was done to: an id, an address, a name.' }),
    details: detailsSchema,
    previous: sha256DigestSchema.meta({ description: 'The hash of the entry before; of the first one, 64 zeros.' }),
    hash: sha256DigestSchema,
  })
  .meta({ id: 'ServerLogEntry' });
export type ServerLogEntry = z.infer<typeof serverLogEntrySchema>;

/** Where a log ends: an index and a hash stand for everything before. */
export const serverLogHeadSchema = z
  .object({ index: z.int().min(0), hash: sha256DigestSchema })
  .meta({ id: 'ServerLogHead' });
export type ServerLogHead = z.infer<typeof serverLogHeadSchema>;

export const serverLogPageSchema = z
  .object({
    publisher: addressSchema,
    items: z.array(serverLogEntrySchema),
    head: serverLogHeadSchema.nullable().meta({ description: 'The newest entry there is; null while there is none.' }),
  })
  .meta({ id: 'ServerLogPage' });
export type ServerLogPage = z.infer<typeof serverLogPageSchema>;

/** A head that somebody wrote down, with the log that it is of. */
export const pinnedHeadSchema = serverLogHeadSchema.extend({
  server: z.url({ protocol: /^https?$/ }),
  publisher: addressSchema,
});
export const pinnedHeadsSchema = z.array(pinnedHeadSchema).max(10_000);
export type PinnedHead = z.infer<typeof pinnedHeadSchema>;

/** What stands for nothing before the first entry (L2). */
export const noEntryBefore = '0'.repeat(64) as Sha256Digest;

const formTag = 'firmproof-server-log-v1';

export type UnhashedEntry = Omit<ServerLogEntry, 'hash'>;

/** SHA-256 of the canonical form of an entry (L3): a JSON array without spaces, the details sorted by their names. */
export function serverLogHash(owner: Address, entry: UnhashedEntry): Sha256Digest {
  const { index, time, actor, action, subject, details, previous } = entry;
  const sorted = Object.entries(details).sort(([one], [other]) => (one < other ? -1 : 1));
  const form = [formTag, owner, index, time, actor, action, subject, sorted, previous];
  return sha256(new TextEncoder().encode(JSON.stringify(form)));
}

/**
 * Follows a log entry by entry, oldest first, and holds it to its chain and to heads that are known (L6).
 * It may start anywhere: with the entry after a head that was checked before.
 */
export class ServerLogVerifier {
  readonly #owner: Address;
  readonly #known: ReadonlyMap<number, ServerLogHead['hash']>;
  #head: ServerLogHead | null;

  /**
   * @param from The head that the first entry has to follow; null for the beginning of the log.
   * @param known Heads that were seen before, remembered here or pinned by somebody.
   */
  constructor(owner: Address, from: ServerLogHead | null = null, known: readonly ServerLogHead[] = []) {
    this.#owner = owner;
    this.#head = from;
    this.#known = new Map(known.map(({ index, hash }) => [index, hash]));
    for (const { index, hash } of known)
      if (this.#known.get(index) !== hash) throw rewritten(index, 'two heads that were seen differ');
  }

  /** The newest entry that was taken. */
  get head(): ServerLogHead | null {
    return this.#head;
  }

  /** @throws FirmproofError `server-log-rewritten`, naming the index */
  take(entry: ServerLogEntry): void {
    const { index, hash, previous } = entry;
    const expected = (this.#head?.index ?? -1) + 1;
    if (index !== expected) throw rewritten(expected, `entry ${index} is in its place`);
    if (previous !== (this.#head?.hash ?? noEntryBefore))
      throw rewritten(index, 'it does not follow the entry before it');
    if (serverLogHash(this.#owner, entry) !== hash) throw rewritten(index, 'its hash is not that of what it says');
    const known = this.#known.get(index);
    if (known !== undefined && known !== hash) throw rewritten(index, 'another entry was seen here before');
    this.#head = { index, hash };
  }

  /**
   * To be called when the server has no more: every head that is known has to lie in what was taken or before it.
   * @throws FirmproofError `server-log-rewritten`, naming the first index that is gone
   */
  finish(): void {
    const reached = this.#head?.index ?? -1;
    const gone = [...this.#known.keys()].filter((index) => index > reached);
    if (gone.length > 0)
      throw rewritten(reached + 1, `the log ends before it, and was seen up to ${Math.max(...gone)}`);
  }
}

function rewritten(index: number, why: string): FirmproofError {
  return new FirmproofError('server-log-rewritten', `entry ${index} of the log has changed or is gone: ${why}`, {
    details: { index },
  });
}
