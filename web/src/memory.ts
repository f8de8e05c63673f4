import { addressSchema } from '@firmproof/protocol';
import type { RegistryAddress } from '@firmproof/protocol/approval';
import { type Place, placeOf } from '@firmproof/protocol/review';
import * as z from 'zod';
import type { Settings } from './settings.ts';

const rememberedSchema = z.record(z.string(), z.object({ chainId: z.int(), registry: addressSchema }));
const storage = 'firmproof.registries';

function remembered(): z.infer<typeof rememberedSchema> {
  try {
    return rememberedSchema.parse(JSON.parse(localStorage.getItem(storage) ?? '{}'));
  } catch {
    return {};
  }
}

/** Chain and registry that a server names, held against what is pinned or what this browser has approved for. */
export function judgePlace(said: RegistryAddress, { server, pinned }: Settings): Place {
  return placeOf(said, pinned, remembered()[server] ?? null);
}

/** After the first approval: a server that names another registry later is found out. */
export function rememberPlace({ chainId, registry }: RegistryAddress, { server }: Settings): void {
  localStorage.setItem(storage, JSON.stringify({ ...remembered(), [server]: { chainId, registry } }));
}
