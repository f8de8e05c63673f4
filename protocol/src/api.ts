import * as z from 'zod';
import { accountActions } from './approval/account-actions.ts';
import { addressSchema, bytes32Schema } from './bytes.ts';
import { cidSchema } from './cid.ts';
import { sha256DigestSchema } from './digest.ts';
import { supplyChainShape } from './documents.ts';
import { envelopeSchema } from './dsse.ts';
import { actions, loginSchema, rejectSchema } from './eip712.ts';
import { sigstoreRootSchema } from './keyless.ts';
import { channelSchema, productIdSchema, productNameSchema, versionSchema } from './names.ts';
import { maximumSigners, signerSchema } from './signers.ts';
import { releasePurposes } from './statement.ts';
import { releaseStatuses } from './storage-layout.ts';
import { maximumTokenSeconds, minimumTokenSeconds, tokenIdSchema, tokenScopesSchema } from './token-scopes.ts';

const signatureSchema = z
  .string()
  .max(16_384)
  .regex(/^0x(?:[0-9a-f]{2})*$/)
  .meta({
    description: 'A signature of the publisher: 65 bytes for an EOA, whatever its ERC-1271 account takes otherwise.',
  });

/** Those of GitHub have about 2 KB. */
const maximumIdTokenBytes = 16_384;

const timestamp = z.int().min(0).meta({ description: 'Seconds since 1970.' });

/** One signer's part of an approval by a vendor account. */
export const signerApprovalSchema = z
  .object({ signer: signerSchema, signature: signatureSchema })
  .meta({ id: 'SignerApproval' });

// --- Requests. Each carries an EIP-712 message and what approves it: the signature of an approver that is one key or a Safe,
// or those signers of a vendor account that have approved already. Others follow at /v1/proposals/{id}/approvals.

const approval = {
  signature: signatureSchema.optional(),
  approvals: z
    .array(signerApprovalSchema)
    .max(2 * maximumSigners)
    .optional(),
};
const held = z.boolean().optional().meta({
  description: 'Collect approvals, and relay only when asked to: the way back of a promotion.',
});

const sigstoreTrustedRoot = sigstoreRootSchema.optional().meta({
  description: 'The Sigstore TrustedRoot whose digest the trust root names, as text, where it names one.',
});

export const registerRequestSchema = z
  .object({
    message: actions.Register,
    ...approval,
    trustRoot: envelopeSchema,
    trustRoots: z.array(envelopeSchema).max(128).optional().meta({
      description: 'With a predecessor: all trust roots before this one, oldest first. They have to lead to it.',
    }),
    sigstoreTrustedRoot,
  })
  .meta({ id: 'RegisterRequest' });
export const publishApprovalSchema = z
  .object({ message: actions.Publish, ...approval })
  .meta({ id: 'PublishApproval' });
export const promoteRequestSchema = z
  .object({ message: actions.Promote, ...approval, held })
  .meta({ id: 'PromoteRequest' });
export const revokeRequestSchema = z
  .object({ message: actions.Revoke, approver: addressSchema, ...approval })
  .meta({ id: 'RevokeRequest' });
export const haltRequestSchema = z
  .object({ message: actions.Halt, approver: addressSchema, ...approval })
  .meta({ id: 'HaltRequest' });
export const configureRequestSchema = z
  .object({
    message: actions.Configure,
    ...approval,
    trustRoot: envelopeSchema.optional().meta({ description: 'The document of a new trust root.' }),
    sigstoreTrustedRoot,
  })
  .meta({ id: 'ConfigureRequest' });
export const applyRequestSchema = z
  .object({
    message: actions.Configure.meta({ description: 'The scheduled configuration, exactly as it was signed.' }),
    acceptance: z
      .object({ message: actions.Accept, ...approval })
      .optional()
      .meta({ description: "The new publisher's, where the publisher changes." }),
  })
  .meta({ id: 'ApplyRequest' });
export const vetoRequestSchema = z.object({ message: actions.Veto, ...approval }).meta({ id: 'VetoRequest' });
export const anchorDevicesRequestSchema = z
  .object({ message: actions.AnchorDevices, ...approval })
  .meta({ id: 'AnchorDevicesRequest', description: 'The list of the devices has been sent before.' });
export const revokeDeviceRequestSchema = z
  .object({ message: actions.RevokeDevice, ...approval })
  .meta({ id: 'RevokeDeviceRequest' });

const signers = z.array(signerSchema).max(maximumSigners);
export const accountParametersSchema = z
  .object({
    signers,
    threshold: z.int().min(1),
    passkeysAlone: z.boolean(),
    recoverySigners: signers,
    recoveryThreshold: z.int().min(0),
  })
  .meta({ id: 'AccountParameters' });
export type AccountParameters = z.infer<typeof accountParametersSchema>;

export const createAccountRequestSchema = z
  .object({ parameters: accountParametersSchema })
  .meta({ id: 'CreateAccountRequest' });
const { approvals } = approval;
export const setSignersRequestSchema = z
  .object({ message: accountActions.SetSigners, approvals })
  .meta({ id: 'SetSignersRequest' });
export const setRecoveryRequestSchema = z
  .object({ message: accountActions.SetRecovery, approvals })
  .meta({ id: 'SetRecoveryRequest' });
export const recoverRequestSchema = z
  .object({ message: accountActions.Recover, approvals })
  .meta({ id: 'RecoverRequest' });
export const cancelRecoveryRequestSchema = z
  .object({ message: accountActions.CancelRecovery, approvals })
  .meta({ id: 'CancelRecoveryRequest' });

export const rejectRequestSchema = z
  .object({ message: rejectSchema, signer: signerSchema, signature: signatureSchema })
  .meta({ id: 'RejectRequest' });

export const loginRequestSchema = z
  .object({
    message: loginSchema,
    signature: signatureSchema,
    signer: signerSchema.optional().meta({ description: 'The signer of the vendor account that logs in for it.' }),
    parameters: accountParametersSchema.optional().meta({ description: 'Of an account that is not on chain yet.' }),
    scopes: tokenScopesSchema
      .refine((scopes) => !scopes.includes('propose'), 'a token to propose is made for one product')
      .optional()
      .meta({ description: 'What the token is for; publish and read-receipts where nothing is said.' }),
    lifetimeSeconds: z.int().min(minimumTokenSeconds).max(maximumTokenSeconds).optional().meta({
      description: 'How long the token is good, where that is less than the server gives.',
    }),
  })
  .meta({ id: 'LoginRequest' });

export const oidcLoginRequestSchema = z
  .object({
    token: z.string().min(1).max(maximumIdTokenBytes).meta({
      description: "An OpenID Connect ID token whose only audience is this server's origin.",
    }),
    product: productIdSchema.meta({ description: 'The product to propose releases of.' }),
  })
  .meta({ id: 'OidcLoginRequest' });

// --- Answers.

export const tokenSchema = z
  .object({
    token: z.string(),
    publisher: addressSchema,
    id: tokenIdSchema,
    scopes: tokenScopesSchema,
    product: productIdSchema.optional().meta({ description: 'The only product that the token is for.' }),
    expiresAt: timestamp,
  })
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
  'anchor-devices',
  'revoke-device',
  'create-account',
  'set-signers',
  'set-recovery',
  'schedule-recovery',
  'recover',
  'cancel-recovery',
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

export const accountSchema = z
  .object({
    account: addressSchema,
    epoch: z.int(),
    threshold: z.int(),
    passkeysAlone: z.boolean(),
    signers,
    recovery: z.object({ epoch: z.int(), threshold: z.int(), signers }),
    pendingRecovery: z.object({ hash: bytes32Schema, recoverableFrom: timestamp }).optional(),
  })
  .meta({ id: 'Account', description: 'A vendor account, as the chain shows it now.' });
export type AccountResource = z.infer<typeof accountSchema>;

const imageSchema = z.object({ digest: sha256DigestSchema, cid: cidSchema, sizeBytes: z.int() }).meta({ id: 'Image' });

/** Signers of whom `threshold` have to approve; with `passkeysAlone` false, one of those is no passkey. */
const quorumSchema = z
  .object({
    role: z.enum(['current', 'proposed', 'recovery']),
    threshold: z.int(),
    passkeysAlone: z.boolean(),
    signers,
  })
  .meta({ id: 'Quorum' });
export type Quorum = z.infer<typeof quorumSchema>;

/** Who has to approve a proposal: all quorums of a vendor account, at its signer epoch. */
export const requirementsSchema = z
  .object({ account: addressSchema, epoch: z.int(), quorums: z.array(quorumSchema) })
  .meta({ id: 'Requirements' });
export type Requirements = z.infer<typeof requirementsSchema>;

const receivedApprovalSchema = z
  .object({
    signer: signerSchema,
    epoch: z.int().meta({ description: 'Of the account when it was made; approvals of another epoch count nothing.' }),
    at: timestamp,
  })
  .meta({ id: 'ReceivedApproval' });
const rejectionSchema = z.object({ signer: signerSchema, reason: z.string(), at: timestamp }).meta({ id: 'Rejection' });

export const proposalSchema = z
  .object({
    id: bytes32Schema.meta({
      description: 'The EIP-712 hash of what is proposed: the same proposal twice is one proposal.',
    }),
    kind: z.enum(proposalKinds),
    product: productIdSchema.optional(),
    approver: addressSchema.optional().meta({ description: 'The account that has to approve.' }),
    message: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'The EIP-712 message that is approved, as it will be signed.' }),
    requirements: requirementsSchema.optional(),
    approvals: z.array(receivedApprovalSchema),
    rejections: z.array(rejectionSchema),
    held: z.boolean(),
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

/** Everything that anybody needs to relay a proposal without the server that collected its approvals. */
export const exportedProposalSchema = z
  .object({
    id: bytes32Schema,
    kind: z.enum(proposalKinds),
    request: z.record(z.string(), z.unknown()).meta({ description: 'The request of this kind, with its approvals.' }),
    requirements: requirementsSchema.optional(),
  })
  .meta({ id: 'ExportedProposal' });
export type ExportedProposal = z.infer<typeof exportedProposalSchema>;

export const stoppedSchema = z
  .object({
    product: productIdSchema,
    channel: channelSchema,
    version: versionSchema,
    counter: z.int(),
    since: timestamp,
  })
  .meta({ id: 'Stopped', description: 'A channel that this server offers to nobody, until its head moves.' });
export type Stopped = z.infer<typeof stoppedSchema>;

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
    severity: supplyChainShape.severity.meta({ description: 'Likewise.' }),
    fixedVulnerabilities: supplyChainShape.fixedVulnerabilities.meta({ description: 'CVE ids; likewise.' }),
    supportUntil: supplyChainShape.supportUntil.meta({ description: 'YYYY-MM-DD; likewise.' }),
    sizeBytes: z.int().optional(),
    purpose: z.enum(releasePurposes).optional().meta({ description: 'As the statement says it; likewise.' }),
    rebuilders: z.int().optional().meta({
      description: 'How many rebuilders have vouched for it, as this server counts. A hint: verify the rebuilds.',
    }),
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
    stopped: z.boolean().meta({ description: 'This server offers it to nobody, whatever the chain says.' }),
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
    releases: z.int().optional().meta({ description: 'How many releases it has.' }),
    pending: z
      .object({
        hash: bytes32Schema,
        applicableFrom: timestamp,
        configuration: actions.Configure.meta({ description: 'What will be applied, as it was signed.' }),
      })
      .optional(),
    channels: z.array(channelResourceSchema),
  })
  .meta({ id: 'Product' });
export type ProductResource = z.infer<typeof productSchema>;

export const deviceBatchResourceSchema = z
  .object({
    product: productIdSchema,
    root: bytes32Schema,
    count: z.int(),
    anchoredAt: timestamp,
    isListed: z.boolean().meta({ description: 'Whether this server has the list, and so can give proofs.' }),
  })
  .meta({ id: 'DeviceBatch', description: 'Devices that the publisher has vouched for on chain.' });
export type DeviceBatchResource = z.infer<typeof deviceBatchResourceSchema>;

export const deviceAnchorStateSchema = z
  .object({
    product: productIdSchema,
    leaf: bytes32Schema,
    state: z.enum(['unanchored', 'anchored', 'revoked']),
    root: bytes32Schema.optional(),
    proof: z.array(bytes32Schema).optional().meta({ description: 'Siblings on the way from the leaf to the root.' }),
    anchoredAt: timestamp.optional(),
    revokedAt: timestamp.optional(),
  })
  .meta({ id: 'DeviceAnchorState', description: 'What the chain says of a device, and how to check it.' });
/** For its vendor: with what the leaf is made of. */
export const anchoredDeviceSchema = deviceAnchorStateSchema
  .extend({ device: z.uuid(), keyDigest: sha256DigestSchema, salt: bytes32Schema })
  .meta({ id: 'AnchoredDevice', description: 'An enrolled device, with what its leaf is made of.' });
export type AnchoredDevice = z.infer<typeof anchoredDeviceSchema>;

export type DeviceAnchorState = z.infer<typeof deviceAnchorStateSchema>;

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
    accountFactory: addressSchema,
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
