import { existsSync, readFileSync } from 'node:fs';
import { type Address, accountParametersSchema } from '@firmproof/protocol';
import { accountChangeSchema, maximumAccountChanges } from '@firmproof/protocol/audit';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { z } from 'zod';

const keptSchema = z.object({
  first: accountParametersSchema,
  changes: z.array(accountChangeSchema).max(maximumAccountChanges),
  shownBy: z.int().min(0),
});
/** What an earlier audit has found of an account. Nothing of it is believed: it is judged again. */
export type KeptAccount = z.infer<typeof keptSchema>;

const fileSchema = z.record(z.string(), keptSchema);

/** Changes of accounts, in one small file: searching them is what costs. */
export class AccountStore {
  readonly #file: string | null;
  readonly #kept: Map<string, KeptAccount>;

  /** @param file null to keep them in memory */
  constructor(file: string | null) {
    this.#file = file;
    this.#kept = new Map(Object.entries(file === null ? {} : read(file)));
  }

  get(account: Address): KeptAccount | null {
    return this.#kept.get(account) ?? null;
  }

  async put(account: Address, kept: KeptAccount): Promise<void> {
    this.#kept.set(account, kept);
    if (this.#file !== null) await writeFileAtomically(this.#file, JSON.stringify(Object.fromEntries(this.#kept)));
  }
}

/** Nothing where it cannot be read: everything can be had again. */
function read(file: string): z.infer<typeof fileSchema> {
  if (!existsSync(file)) return {};
  try {
    return fileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return {};
  }
}
