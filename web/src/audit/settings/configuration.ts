import {
  addressSchema,
  describeIssues,
  envelopeSchema,
  FirmproofError,
  type TrustRoot,
  trustRootOfEnvelope,
} from '@firmproof/protocol';
import type { RegistryAddress } from '@firmproof/protocol/approval';
import * as z from 'zod';

export const maximumNodes = 16;
export const nodeUrlSchema = z.url({ protocol: /^https?$/ }).max(2000);
export const serverUrlSchema = nodeUrlSchema.transform((url) => new URL(url).origin);

const configurationSchema = z
  .strictObject({
    server: serverUrlSchema.optional(),
    chainId: z.int().min(1).optional(),
    registry: addressSchema.optional(),
    rpcUrls: z.array(nodeUrlSchema).max(maximumNodes).default([]),
    rpcQuorum: z.int().min(1).max(maximumNodes).optional(),
    trustRoots: z.array(envelopeSchema).max(64).default([]),
  })
  .refine(({ chainId, registry }) => (chainId === undefined) === (registry === undefined), {
    message: 'chainId and registry go together',
  });

/** What the operator of these pages has set up: `config.json` beside them. */
export type Configuration = {
  readonly server: string | null;
  readonly pinned: RegistryAddress | null;
  readonly rpcUrls: readonly string[];
  readonly rpcQuorum: number | null;
  readonly trustRoots: readonly TrustRoot[];
};

/** @throws FirmproofError `config-invalid`, and what `trustRootOfEnvelope` throws */
export async function loadConfiguration(): Promise<Configuration> {
  const response = await fetch('./config.json', { cache: 'no-store', redirect: 'error' }).catch(() => null);
  const content: unknown = response?.ok ? await response.json().catch(() => undefined) : undefined;
  const parsed = configurationSchema.safeParse(content);
  if (!parsed.success) {
    const mistakes = describeIssues(parsed.error).join('; ');
    throw new FirmproofError('config-invalid', `config.json beside these pages cannot be used: ${mistakes}`);
  }
  const { server, chainId, registry, rpcUrls, rpcQuorum, trustRoots } = parsed.data;
  return {
    server: server ?? null,
    pinned: chainId !== undefined && registry !== undefined ? { chainId, registry } : null,
    rpcUrls,
    rpcQuorum: rpcQuorum ?? null,
    trustRoots: trustRoots.map(trustRootOfEnvelope),
  };
}
