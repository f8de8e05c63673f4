import * as z from 'zod';
import { type Address, addressSchema, bytes32Schema } from './bytes.ts';
import { channelSchema, productIdSchema, productNameSchema, versionSchema } from './names.ts';

const uint24 = z
  .int()
  .min(0)
  .max(2 ** 24 - 1);
const uint32 = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const uint40 = z
  .int()
  .min(0)
  .max(2 ** 40 - 1);
/** JSON numbers are exact up to 2^53; a deadline needs no more. */
const uint64 = z.int().min(0);

/**
 * The EIP-712 types of the registry and of the device anchor, word for word as in contracts/src/ReleaseRegistry.sol and
 * contracts/src/DeviceAnchor.sol, with what JSON carries of them.
 */
export const actions = {
  Register: z.object({
    publisher: addressSchema,
    name: productNameSchema,
    guardian: addressSchema,
    delay: uint24,
    trustRoot: bytes32Schema,
    predecessor: bytes32Schema,
    deadline: uint64,
  }),
  Publish: z.object({
    product: productIdSchema,
    version: versionSchema,
    image: bytes32Schema,
    attestation: bytes32Schema,
    rollbackIndex: uint32,
    epoch: uint32,
    deadline: uint64,
  }),
  Promote: z.object({
    product: productIdSchema,
    channel: channelSchema,
    version: versionSchema,
    counter: uint32,
    start: uint40,
    duration: uint32,
    firstShare: z.int().min(0).max(10_000),
    epoch: uint32,
    deadline: uint64,
  }),
  Revoke: z.object({ product: productIdSchema, version: versionSchema, deadline: uint64 }),
  Halt: z.object({ product: productIdSchema, channel: channelSchema, halts: uint32, deadline: uint64 }),
  Configure: z.object({
    product: productIdSchema,
    publisher: addressSchema,
    guardian: addressSchema,
    delay: uint24,
    trustRoot: bytes32Schema,
    epoch: uint32,
    deadline: uint64,
  }),
  Accept: z.object({ product: productIdSchema, publisher: addressSchema, epoch: uint32, deadline: uint64 }),
  Veto: z.object({ product: productIdSchema, pending: bytes32Schema, deadline: uint64 }),
  AnchorDevices: z.object({
    registry: addressSchema,
    product: productIdSchema,
    root: bytes32Schema,
    count: uint32.min(1),
    epoch: uint32,
    deadline: uint64,
  }),
  RevokeDevice: z.object({
    registry: addressSchema,
    product: productIdSchema,
    leaf: bytes32Schema,
    deadline: uint64,
  }),
} as const;

export type ActionName = keyof typeof actions;
export type ActionMessage<Name extends ActionName> = z.infer<(typeof actions)[Name]>;

/** A field of an EIP-712 struct. */
export type Field = { readonly name: string; readonly type: string };

const fields = (text: string): Field[] =>
  text.split(',').map((pair) => {
    const [type = '', name = ''] = pair.split(' ');
    return { name, type };
  });

/** For a wallet's signTypedData: one primary type each. */
export const typedDataTypes: Readonly<Record<ActionName, Field[]>> = {
  Register: fields(
    'address publisher,string name,address guardian,uint24 delay,bytes32 trustRoot,bytes32 predecessor,uint64 deadline',
  ),
  Publish: fields(
    'bytes32 product,string version,bytes32 image,bytes32 attestation,uint32 rollbackIndex,uint32 epoch,uint64 deadline',
  ),
  Promote: fields(
    'bytes32 product,string channel,string version,uint32 counter,uint40 start,uint32 duration,uint16 firstShare,uint32 epoch,uint64 deadline',
  ),
  Revoke: fields('bytes32 product,string version,uint64 deadline'),
  Halt: fields('bytes32 product,string channel,uint32 halts,uint64 deadline'),
  Configure: fields(
    'bytes32 product,address publisher,address guardian,uint24 delay,bytes32 trustRoot,uint32 epoch,uint64 deadline',
  ),
  Accept: fields('bytes32 product,address publisher,uint32 epoch,uint64 deadline'),
  Veto: fields('bytes32 product,bytes32 pending,uint64 deadline'),
  AnchorDevices: fields('address registry,bytes32 product,bytes32 root,uint32 count,uint32 epoch,uint64 deadline'),
  RevokeDevice: fields('address registry,bytes32 product,bytes32 leaf,uint64 deadline'),
};

export function registryDomain(chainId: number, registry: Address) {
  return { name: 'Firmproof Registry', version: '1', chainId, verifyingContract: registry };
}

/** Where the deployment proxy puts the device anchor with salt 0, on every chain (N5.1): it depends on nothing but its code. */
export const deviceAnchorAddress = addressSchema.parse('0x2b24280bc84923104484980591fcb7b6ded497be');

export function anchorDomain(chainId: number) {
  return { name: 'Firmproof Device Anchor', version: '1', chainId, verifyingContract: deviceAnchorAddress };
}

const anchorActions: readonly ActionName[] = ['AnchorDevices', 'RevokeDevice'];
/** Whether the device anchor is asked, and not the registry. */
export const isAnchorAction = (action: ActionName): boolean => anchorActions.includes(action);

/** Proof of being the publisher, for an API token: bound to the server's origin, so that no server can use it at another. */
export const loginSchema = z.object({
  publisher: addressSchema,
  origin: z.url().max(200),
  nonce: bytes32Schema,
  deadline: uint64,
});
export type Login = z.infer<typeof loginSchema>;

export const loginTypes: { readonly Login: Field[] } = {
  Login: fields('address publisher,string origin,bytes32 nonce,uint64 deadline'),
};

/** A signer's word to the server that it will not approve a proposal. */
export const rejectSchema = z.object({
  proposal: bytes32Schema,
  reason: z.string().min(1).max(300),
  deadline: uint64,
});
export type Reject = z.infer<typeof rejectSchema>;

export const rejectTypes: { readonly Reject: Field[] } = {
  Reject: fields('bytes32 proposal,string reason,uint64 deadline'),
};

export function serverDomain(chainId: number) {
  return { name: 'Firmproof Server', version: '1', chainId };
}
