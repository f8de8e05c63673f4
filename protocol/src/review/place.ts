import type { RegistryAddress } from '../approval/index.ts';

/**
 * How chain and registry are known: named by whoever hosts the pages, met before in this browser, met for the first time,
 * or other than they should be.
 */
export type Familiarity = 'pinned' | 'remembered' | 'new' | 'other';
export type Place = RegistryAddress & { readonly familiarity: Familiarity; readonly expected: RegistryAddress | null };

const isSame = (a: RegistryAddress, b: RegistryAddress) => a.chainId === b.chainId && a.registry === b.registry;

/** Judges the chain and the registry that a server names. */
export function placeOf(
  said: RegistryAddress,
  pinned: RegistryAddress | null,
  remembered: RegistryAddress | null,
): Place {
  const { chainId, registry } = said;
  const expected = pinned ?? remembered;
  if (expected === null) return { chainId, registry, familiarity: 'new', expected };
  if (!isSame(said, expected)) return { chainId, registry, familiarity: 'other', expected };
  return { chainId, registry, familiarity: pinned ? 'pinned' : 'remembered', expected };
}
