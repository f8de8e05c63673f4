import * as z from 'zod';
import { addressSchema, bytes32Schema } from './bytes.ts';
import { type Sha256Digest, sha256, sha256DigestSchema } from './digest.ts';
import { countSigners, type Envelope, envelopeSchema, payloadOf } from './dsse.ts';
import { FirmproofError } from './errors.ts';
import { parseJson, utf8Text } from './json.ts';
import { sigstoreTrustSchema } from './keyless.ts';
import { type PublicKey, publicKeySchema } from './keys.ts';
import { productIdSchema, productNameSchema } from './names.ts';
import { maximumRebuilders, rebuilderSchema } from './rebuild.ts';

export const trustRootType = 'https://firmproof.dev/trust-root/v1';
export const trustRootPayloadType = 'application/vnd.firmproof.trust-root+json';
/** A document under DSSE, base64 and all. */
export const maximumTrustRootBytes = 96 * 1024;

const distinct = (keys: readonly PublicKey[]) => new Set(keys).size === keys.length;

const documentSchema = z
  .object({
    type: z.literal(trustRootType),
    version: z
      .int()
      .min(1)
      .max(2 ** 31),
    product: productIdSchema,
    name: productNameSchema,
    chainId: z.int().min(1),
    registry: addressSchema,
    /** Pins the registry's code (keccak256); optional, for those who want to. */
    registryCodeHash: bytes32Schema.optional(),
    /** How old a block may be that evidence rests on. */
    maxAgeSeconds: z
      .int()
      .min(60)
      .max(366 * 86_400),
    witnesses: z.object({
      quorum: z.int().min(1),
      members: z
        .array(z.object({ operator: z.string().min(1).max(100), publicKey: publicKeySchema }))
        .min(1)
        .max(32),
    }),
    buildKeys: z.array(publicKeySchema).max(32),
    /** Who may sign without a key of its own. */
    sigstore: sigstoreTrustSchema.optional(),
    /** Attestations of dropped build keys and identities that stay acceptable. */
    acceptedAttestations: z.array(sha256DigestSchema).max(512).default([]),
    /** Who is counted when a device asks that others have rebuilt a release (B3 of docs/spec/rebuilds-and-advisories.md). */
    rebuilders: z.array(rebuilderSchema).max(maximumRebuilders).optional(),
    rootKeys: z.object({ threshold: z.int().min(1), keys: z.array(publicKeySchema).min(1).max(32) }),
    /** Servers that devices ask before those of their image: for a place that no image knows yet. Carriers, as all are. */
    servers: z
      .array(z.url({ protocol: /^https?$/ }).max(500))
      .max(16)
      .optional(),
    /** Seconds since 1970 when it was made: where a device's time starts again when no block says it (device.md D15). */
    madeAt: z.int().min(0).optional(),
  })
  .superRefine((root, context) => {
    const operators = new Set(root.witnesses.members.map((member) => member.operator));
    const mistake = (message: string) => context.addIssue({ code: 'custom', message });
    if (root.witnesses.quorum > operators.size) mistake('witnesses.quorum is larger than the number of operators');
    if (!distinct(root.witnesses.members.map((member) => member.publicKey))) mistake('witnesses.members repeats a key');
    if (root.rootKeys.threshold > root.rootKeys.keys.length)
      mistake('rootKeys.threshold is larger than the number of keys');
    if (!distinct(root.rootKeys.keys)) mistake('rootKeys.keys repeats a key');
    if (root.buildKeys.length === 0 && root.sigstore === undefined)
      mistake('nobody may sign: neither buildKeys nor sigstore');
    if (!distinct(root.buildKeys)) mistake('buildKeys repeats a key');
    const rebuilderKeys = (root.rebuilders ?? []).map(({ publicKey }) => publicKey);
    if (!distinct(rebuilderKeys)) mistake('rebuilders repeats a key');
    if (rebuilderKeys.some((key) => root.buildKeys.includes(key))) mistake('rebuilders names a build key');
  });

export type TrustRootDocument = z.input<typeof documentSchema>;

/** A trust root whose form has been checked. `digest` is the sha-256 of the signed document, as on chain. */
export type TrustRoot = Readonly<z.output<typeof documentSchema>> & {
  readonly digest: Sha256Digest;
  readonly envelope: Envelope;
};

/**
 * Reads a trust root under DSSE and checks that its own root keys have signed it in their own threshold.
 * That a device may *believe* it follows from where it has it from: the image, or `walkTrustRoot`.
 * @throws FirmproofError `trust-root-malformed`, `trust-root-signature-invalid`
 */
export function parseTrustRoot(text: string): TrustRoot {
  const what = 'the trust root';
  const envelope = parseJson(text, envelopeSchema, {
    code: 'trust-root-malformed',
    maximumBytes: maximumTrustRootBytes,
    what,
  });
  return trustRootOfEnvelope(envelope);
}

/** As `parseTrustRoot`, from an envelope that a schema has read already. */
export function trustRootOfEnvelope(envelope: Envelope): TrustRoot {
  const root = readTrustRoot(envelope);
  requireSigners(envelope, root.rootKeys, `version ${root.version}`);
  return root;
}

/** Its form alone: no signature is looked at, which costs a device hundreds of times more. */
export function readTrustRoot(envelope: Envelope): TrustRoot {
  const what = 'the trust root';
  if (envelope.payloadType !== trustRootPayloadType) {
    throw new FirmproofError('trust-root-malformed', `${what} has payload type "${envelope.payloadType}"`);
  }
  const payload = payloadOf(envelope);
  const document = parseJson(utf8Text(payload, 'trust-root-malformed', what), documentSchema, {
    code: 'trust-root-malformed',
    maximumBytes: maximumTrustRootBytes,
    what,
  });
  return { ...document, digest: sha256(payload), envelope };
}

/** Throws unless enough of these root keys have signed. @throws FirmproofError `trust-root-signature-invalid` */
export function requireSigners(envelope: Envelope, rootKeys: TrustRoot['rootKeys'], whose: string): void {
  const signers = countSigners(envelope, rootKeys.keys);
  if (signers >= rootKeys.threshold) return;
  throw new FirmproofError(
    'trust-root-signature-invalid',
    `${signers} of ${rootKeys.threshold} needed root keys of ${whose} have signed the trust root`,
  );
}
