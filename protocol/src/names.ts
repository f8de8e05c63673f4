import semver from 'semver';
import * as z from 'zod';
import { type Address, abiWord, asciiWord, bytes32Schema, keccak256, shortened } from './bytes.ts';
import { FirmproofError } from './errors.ts';

const maximumNameBytes = 31;

/** R1 of docs/spec/release.md. Strict semver without build metadata, ≤ 31 bytes. A label for people: order comes from integers (A04). */
export const versionSchema = z
  .string()
  .max(maximumNameBytes)
  .refine((text) => semver.parse(text)?.version === text && !text.includes('+'))
  .brand<'Version'>();
export type Version = z.infer<typeof versionSchema>;

const namePattern = /^[a-z0-9]+(?:[-.][a-z0-9]+)*$/;

export const productNameSchema = z.string().max(maximumNameBytes).regex(namePattern).brand<'ProductName'>();
export type ProductName = z.infer<typeof productNameSchema>;

export const channelSchema = z.string().max(maximumNameBytes).regex(namePattern).brand<'Channel'>();
export type Channel = z.infer<typeof channelSchema>;

export const productIdSchema = bytes32Schema.brand<'ProductId'>();
export type ProductId = z.infer<typeof productIdSchema>;

/** @throws FirmproofError `version-invalid` */
export function parseVersion(text: string): Version {
  const parsed = versionSchema.safeParse(text);
  if (!parsed.success) throw new FirmproofError('version-invalid', `"${text.slice(0, 40)}" is not a version`);
  return parsed.data;
}

const nameRule = { hint: `Use 1 to ${maximumNameBytes} of a-z, 0-9, with single - or . between them.` };

/** @throws FirmproofError `name-invalid` */
export function parseProductName(text: string): ProductName {
  const parsed = productNameSchema.safeParse(text);
  if (!parsed.success)
    throw new FirmproofError('name-invalid', `"${text.slice(0, 40)}" is not a product name`, nameRule);
  return parsed.data;
}

/** @throws FirmproofError `name-invalid` */
export function parseChannel(text: string): Channel {
  const parsed = channelSchema.safeParse(text);
  if (!parsed.success)
    throw new FirmproofError('name-invalid', `"${text.slice(0, 40)}" is not a channel name`, nameRule);
  return parsed.data;
}

/** @throws FirmproofError `bytes32-invalid` */
export function parseProductId(text: string): ProductId {
  const parsed = productIdSchema.safeParse(text.toLowerCase());
  if (!parsed.success)
    throw new FirmproofError('bytes32-invalid', `"${shortened(text)}" is not a product id`, {
      hint: 'A product id is 0x and 64 hexadecimal digits, as `firmproof product list` shows it.',
    });
  return parsed.data;
}

/** keccak256(abi.encode(chainId, registry, publisher, name)): bound to its publisher, so nobody can squat it (A16). */
export function productIdOf(chainId: number, registry: Address, publisher: Address, name: ProductName): ProductId {
  return keccak256(abiWord(chainId), abiWord(registry), abiWord(publisher), abiWord(asciiWord(name))) as ProductId;
}

/** Chains on which nothing is at stake: those of anvil and geth --dev. */
const developmentChainIds: readonly number[] = [31_337, 1337];
export const isDevelopmentChain = (chainId: number): boolean => developmentChainIds.includes(chainId);
