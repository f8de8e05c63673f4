import { addressSchema, describeIssues, FirmproofError } from '@firmproof/protocol';
import * as z from 'zod';

const settingsSchema = z
  .strictObject({
    server: z.url({ protocol: /^https?$/ }).optional(),
    chainId: z.int().min(1).optional(),
    registry: addressSchema.optional(),
  })
  .refine(({ chainId, registry }) => (chainId === undefined) === (registry === undefined), {
    message: 'chainId and registry go together',
  });

export type Settings = {
  /** Origin of the server whose proposals are shown. */
  readonly server: string;
  /** Chain and registry that the operator of these pages names; anything else is refused. */
  readonly pinned: { readonly chainId: number; readonly registry: z.infer<typeof addressSchema> } | null;
};

/**
 * Reads `config.json` beside the pages, the one place that names the server: a link must not be able to.
 * @throws FirmproofError `config-invalid`
 */
export async function loadSettings(): Promise<Settings> {
  const response = await fetch('./config.json', { cache: 'no-store', redirect: 'error' }).catch(() => null);
  const content: unknown = response?.ok ? await response.json().catch(() => undefined) : undefined;
  const parsed = settingsSchema.safeParse(content);
  if (!parsed.success) {
    const mistakes = describeIssues(parsed.error).join('; ');
    throw new FirmproofError('config-invalid', `config.json beside these pages cannot be used: ${mistakes}`);
  }
  const { server, chainId, registry } = parsed.data;
  return {
    server: server === undefined ? location.origin : new URL(server).origin,
    pinned: chainId !== undefined && registry !== undefined ? { chainId, registry } : null,
  };
}
