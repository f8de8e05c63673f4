import { parseTrustRoot, type TrustRoot } from '@firmproof/protocol';
import * as z from 'zod';
import { maximumNodes, nodeUrlSchema, serverUrlSchema } from './configuration.ts';

const storage = 'firmproof.audit';
const ownSchema = z.object({
  server: serverUrlSchema.optional(),
  rpcUrls: z.array(nodeUrlSchema).max(maximumNodes).optional(),
  rpcQuorum: z.int().min(1).max(maximumNodes).optional(),
  trustRoots: z.array(z.string()).max(64).default([]),
});

/** What the visitor has set in this browser. Absent means: as the operator of the pages has it. */
export type OwnSettings = {
  readonly server?: string | undefined;
  readonly rpcUrls?: readonly string[] | undefined;
  readonly rpcQuorum?: number | undefined;
  readonly trustRoots: readonly TrustRoot[];
};

export function loadOwn(): OwnSettings {
  try {
    const { trustRoots, ...rest } = ownSchema.parse(JSON.parse(localStorage.getItem(storage) ?? '{}'));
    return { ...rest, trustRoots: trustRoots.map(parseTrustRoot) };
  } catch {
    // Damaged, or of another version of these pages: begin anew rather than use half of it.
    return { trustRoots: [] };
  }
}

export function keepOwn({ trustRoots, ...rest }: OwnSettings): void {
  const texts = trustRoots.map(({ envelope }) => JSON.stringify(envelope));
  localStorage.setItem(storage, JSON.stringify({ ...rest, trustRoots: texts }));
}
