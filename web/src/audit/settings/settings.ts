import type { ProductId, TrustRoot } from '@firmproof/protocol';
import type { RegistryAddress } from '@firmproof/protocol/approval';
import { distinctNodes } from '@firmproof/protocol/audit';
import { createContext, useContext } from 'react';
import type { Configuration } from './configuration.ts';
import type { OwnSettings } from './own.ts';

/** Who has set something: the visitor, the operator of these pages, or nobody. */
export type SetBy = 'visitor' | 'operator' | 'nobody';

/** What is used: the visitor's own settings over those of the operator. */
export type AuditSettings = {
  readonly server: string;
  readonly serverSetBy: SetBy;
  /** Chain and registry, where the operator names them; a trust root names its own. */
  readonly pinned: RegistryAddress | null;
  readonly rpcUrls: readonly string[];
  readonly rpcQuorum: number;
  readonly rpcSetBy: SetBy;
  readonly trustRoots: ReadonlyMap<ProductId, TrustRoot & { readonly setBy: SetBy }>;
};

export const majorityOf = (count: number) => Math.floor(count / 2) + 1;

export function effectiveSettings(configuration: Configuration, own: OwnSettings): AuditSettings {
  const rpcUrls = distinctNodes(own.rpcUrls ?? configuration.rpcUrls);
  const wanted = (own.rpcUrls ? own.rpcQuorum : configuration.rpcQuorum) ?? majorityOf(rpcUrls.length);
  const trustRoots = new Map(
    [
      ...configuration.trustRoots.map((root) => ({ ...root, setBy: 'operator' as const })),
      ...own.trustRoots.map((root) => ({ ...root, setBy: 'visitor' as const })),
    ].map((root) => [root.product, root]),
  );
  return {
    server: own.server ?? configuration.server ?? location.origin,
    serverSetBy: own.server ? 'visitor' : configuration.server ? 'operator' : 'nobody',
    pinned: configuration.pinned,
    rpcUrls,
    rpcQuorum: Math.max(1, Math.min(wanted, rpcUrls.length)),
    rpcSetBy: own.rpcUrls ? 'visitor' : configuration.rpcUrls.length > 0 ? 'operator' : 'nobody',
    trustRoots,
  };
}

export type SettingsContext = {
  readonly settings: AuditSettings;
  readonly own: OwnSettings;
  readonly change: (change: Partial<OwnSettings>) => void;
};

const context = createContext<SettingsContext | null>(null);
export const SettingsProvider = context.Provider;

/** The settings in use, and how to change one's own. */
export function useSettings(): SettingsContext {
  const value = useContext(context);
  if (value === null) throw new Error('no settings around this part');
  return value;
}
