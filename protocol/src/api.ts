import * as z from 'zod';
import { addressSchema, bytes32Schema } from './bytes.ts';
import { cidSchema } from './cid.ts';
import { sha256DigestSchema } from './digest.ts';
import { envelopeSchema } from './dsse.ts';
import { actions, loginSchema } from './eip712.ts';
import { channelSchema, productIdSchema, productNameSchema, versionSchema } from './names.ts';
import { releaseStatuses } from './storage-layout.ts';

const signatureSchema = z
  .string()
  .max(16_384)
  .regex(/^0x(?:[0-9a-f]{2})*$/)
  .meta({
    description: 'A signature of the publisher: 65 bytes for an EOA, whatever its ERC-1271 account takes otherwise.',
  });

const timestamp = z.int().min(0).meta({ description: 'Seconds since 1970.' });

// --- Requests. Each carries an EIP-712 message and the signature that approves it.

export const registerRequestSchema = z
  .object({ message: actions.Register, signature: signatureSchema, trustRoot: envelopeSchema })
  .meta({ id: 'RegisterRequest' });
export const publishApprovalSchema = z
  .object({ message: actions.Publish, signature: signatureSchema })
  .meta({ id: 'PublishApproval' });
export const promoteRequestSchema = z
  .object({ message: actions.Promote, signature: signatureSchema })
  .meta({ id: 'PromoteRequest' });
export const revokeRequestSchema = z
  .object({ message: actions.Revoke, approver: addressSchema, signature: signatureSchema })
  .meta({ id: 'RevokeRequest' });
export const haltRequestSchema = z
  .object({ message: actions.Halt, approver: addressSchema, signature: signatureSchema })
  .meta({ id: 'HaltRequest' });
export const configureRequestSchema = z
  .object({
    message: actions.Configure,
    signature: signatureSchema,
    trustRoot: envelopeSchema.optional().meta({ description: 'The document of a new trust root.' }),
  })
  .meta({ id: 'ConfigureRequest' });
export const applyRequestSchema = z
  .object({
    message: actions.Configure.meta({ description: 'The scheduled configuration, exactly as it was signed.' }),
    acceptance: z.object({ message: actions.Accept, signature: signatureSchema }).optional(),
  })
  .meta({ id: 'ApplyRequest' });
export const vetoRequestSchema = z
  .object({ message: actions.Veto, signature: signatureSchema })
  .meta({ id: 'VetoRequest' });
export const loginRequestSchema = z
  .object({ message: loginSchema, signature: signatureSchema })
  .meta({ id: 'LoginRequest' });

// --- Answers.

export const tokenSchema = z
  .object({ token: z.string(), publisher: addressSchema, scopes: z.array(z.enum(['publish'])), expiresAt: timestamp })
  .meta({ id: 'Token' });

export const proposalKinds = [
  'register',
  'publish',
  'promote',
  'revoke',
  'halt',
  'configure',
  'apply',
  'veto',
] as const;
export type ProposalKind = (typeof proposalKinds)[number];

/** received → stored → approving → submitted → confirmed, or rejected / expired with a reason. */
export const proposalStates = [
  'received',
  'stored',
  'approving',
  'submitted',
  'confirmed',
  'rejected',
  'expired',
] as const;
export type ProposalState = (typeof proposalStates)[number];

const imageSchema = z.object({ digest: sha256DigestSchema, cid: cidSchema, sizeBytes: z.int() }).meta({ id: 'Image' });

export const proposalSchema = z
  .object({
    id: bytes32Schema.meta({
      description: 'The EIP-712 hash of what is proposed: the same proposal twice is one proposal.',
    }),
    kind: z.enum(proposalKinds),
    product: productIdSchema,
    state: z.enum(proposalStates),
    reason: z
      .object({ code: z.string(), message: z.string() })
      .optional()
      .meta({ description: 'Why it was rejected, or what it waits for.' }),
    version: versionSchema.optional(),
    channel: channelSchema.optional(),
    image: imageSchema.optional(),
    transaction: bytes32Schema.optional(),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Proposal' });
export type Proposal = z.infer<typeof proposalSchema>;

export const releaseSchema = z
  .object({
    product: productIdSchema,
    version: versionSchema,
    status: z.enum(releaseStatuses),
    rollbackIndex: z.int(),
    sequence: z.int(),
    publishedAt: timestamp,
    installableFrom: timestamp,
    image: sha256DigestSchema,
    attestation: sha256DigestSchema,
    imageCid: cidSchema.optional().meta({ description: 'Said only once the release is installable.' }),
    sizeBytes: z.int().optional(),
  })
  .meta({ id: 'Release' });
export type ReleaseResource = z.infer<typeof releaseSchema>;

export const channelResourceSchema = z
  .object({
    product: productIdSchema,
    channel: channelSchema,
    version: versionSchema,
    counter: z.int(),
    start: timestamp,
    durationSeconds: z.int(),
    firstShareBasisPoints: z.int(),
    shareBasisPoints: z.int().meta({ description: 'The share of the fleet reached now.' }),
    halted: z.boolean(),
    halts: z.int(),
  })
  .meta({ id: 'Channel' });
export type ChannelResource = z.infer<typeof channelResourceSchema>;

export const productSchema = z
  .object({
    product: productIdSchema,
    name: productNameSchema,
    publisher: addressSchema,
    guardian: addressSchema,
    delaySeconds: z.int(),
    epoch: z.int(),
    sequence: z.int(),
    topIndex: z.int(),
    trustRoot: sha256DigestSchema,
    history: bytes32Schema,
    pending: z.object({ hash: bytes32Schema, applicableFrom: timestamp }).optional(),
    channels: z.array(channelResourceSchema),
  })
  .meta({ id: 'Product' });
export type ProductResource = z.infer<typeof productSchema>;

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    hint: z.string(),
  })
  .loose()
  .meta({ id: 'Problem', description: 'RFC 9457, with the code of docs/errors.md.' });
export type Problem = z.infer<typeof problemSchema>;

export const serverInfoSchema = z
  .object({
    chainId: z.int(),
    registry: addressSchema,
    registryBlock: z.int().meta({ description: 'The block that the registry was deployed in.' }),
    witnesses: z.array(z.object({ operator: z.string(), publicKey: z.string() })),
    maximumImageBytes: z.int(),
    development: z.boolean().meta({ description: 'An embedded chain that nobody else vouches for.' }),
    rpcUrl: z.url().optional().meta({
      description: 'RPC node of the embedded chain, for auditing on the same machine. Never said of another.',
    }),
  })
  .meta({ id: 'ServerInfo' });
export type ServerInfo = z.infer<typeof serverInfoSchema>;

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item), next: z.string().optional().meta({ description: 'The cursor of the next page.' }) });
