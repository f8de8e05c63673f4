import { addressSchema, productIdSchema } from '@firmproof/protocol';
import { z } from 'zod';
import { secretReferenceSchema } from './secret.ts';

const webUrl = z.url({ protocol: /^https?$/ }).max(2000);
const path = z.string().min(1).max(4096);
/** Addresses of RPC nodes often hold a key: such a one is kept like a secret. */
const rpcSchema = z.union([webUrl, secretReferenceSchema], {
  error: 'is no http(s) address, nor {"file": "…"} or {"environment": "NAME"} that holds one',
});
const rpcListSchema = z.array(rpcSchema).min(1).max(16);
const seconds = (fallback: number, minimum: number, maximum = 30 * 86_400) =>
  z.int().min(minimum).max(maximum).default(fallback);
const lowerCase = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (typeof value === 'string' ? value.toLowerCase() : value), schema);

/** `wallet:0x…`, `p256:…`, `passkey:…` as the command prints signers, or an address. Read in config.ts, by `parseSigner`. */
const signerTextSchema = z.string().min(1).max(200);

const productSchema = z.strictObject({
  /** For people: how alerts call it. The name that the chain knows is used otherwise. */
  label: z.string().min(1).max(100).optional(),
  trustRoot: path.optional(),
  product: productIdSchema.optional(),
  chainId: z.int().min(1).optional(),
  registry: lowerCase(addressSchema).optional(),
  announced: path.optional(),
  expectedSigners: z.array(signerTextSchema).max(256).optional(),
  rpc: rpcListSchema.optional(),
  quorum: z.int().min(1).max(16).optional(),
  server: webUrl.optional(),
  sources: z.array(webUrl).max(16).optional(),
});

const webhookSchema = z.strictObject({
  url: z.union([webUrl, secretReferenceSchema]),
  secret: secretReferenceSchema,
  /** The one before, while receivers change over. */
  previousSecret: secretReferenceSchema.optional(),
});

const mailAddress = z
  .string()
  .max(320)
  .regex(/^[^\s@<>",;:\\]+@[^\s@<>",;:\\]+$/, 'is no mail address');
const emailSchema = z.strictObject({
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535).default(587),
  /** starttls: plain until it is encrypted, refused if it is not. tls: from the first byte. none: only on one machine. */
  security: z.enum(['starttls', 'tls', 'none']).default('starttls'),
  user: z.string().min(1).max(320).optional(),
  password: secretReferenceSchema.optional(),
  from: mailAddress,
  to: z.array(mailAddress).min(1).max(50),
  /** PEM of whoever has issued the server's certificate, where the system does not know it. */
  certificateAuthority: path.optional(),
});

const syslogSchema = z.strictObject({
  host: z.string().min(1).max(255),
  port: z.int().min(1).max(65_535).optional(),
  protocol: z.enum(['udp', 'tcp', 'tls']).default('udp'),
  /** As RFC 5424 numbers them; 16 is local0. */
  facility: z.int().min(0).max(23).default(16),
  certificateAuthority: path.optional(),
});

const sinkName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, 'is no name: small letters, digits and "-"');
const sinkSchema = z
  .strictObject({
    name: sinkName.optional(),
    webhook: webhookSchema.optional(),
    email: emailSchema.optional(),
    syslog: syslogSchema.optional(),
  })
  .refine(
    ({ webhook, email, syslog }) => [webhook, email, syslog].filter((sink) => sink !== undefined).length === 1,
    'is not one of {"webhook": {…}}, {"email": {…}}, {"syslog": {…}}',
  );

/** The one file of the monitor (docs/monitor.md). */
export const configSchema = z.strictObject({
  state: path.default('monitor-state'),
  intervalSeconds: seconds(60, 1, 86_400),
  rpc: rpcListSchema.optional(),
  quorum: z.int().min(1).max(16).optional(),
  server: webUrl.optional(),
  sources: z.array(webUrl).max(16).optional(),
  products: z.array(productSchema).min(1).max(1000),
  alerts: z.array(sinkSchema).max(32).default([]),
  rateLimit: z
    .strictObject({ messages: z.int().min(1).max(10_000).default(20), perSeconds: seconds(600, 1) })
    .prefault({}),
  patience: z
    .strictObject({
      /** The server's index runs behind the chain. */
      serverSeconds: seconds(600, 0),
      /** Nodes and sources fail for a moment. */
      carrierSeconds: seconds(300, 0),
      /** The final block of a chain that lives is never older. */
      stalledSeconds: seconds(3600, 10),
    })
    .prefault({}),
  content: z
    .strictObject({
      everySeconds: seconds(21_600, 1),
      /** Blocks of each image that are fetched and hashed in each look, chosen anew each time. */
      blocks: z.int().min(0).max(100_000).default(16),
    })
    .prefault({}),
});
/** Of a document that does not hold: the parts that do, so that what they name can be looked at all the same. */
export const soundPartsSchema = z.object({
  /** None: what stands there is no list of nodes. */
  rpc: rpcListSchema.optional().catch([]),
  quorum: configSchema.shape.quorum.catch(undefined),
  server: configSchema.shape.server.catch(undefined),
  sources: configSchema.shape.sources.catch(undefined),
  products: z.array(productSchema.nullable().catch(null)).catch([]),
  alerts: z.array(sinkSchema.nullable().catch(null)).catch([]),
});

export type ConfigDocument = z.output<typeof configSchema>;
export type SinkDocument = ConfigDocument['alerts'][number];
export type WebhookDocument = z.output<typeof webhookSchema>;
export type EmailDocument = z.output<typeof emailSchema>;
export type SyslogDocument = z.output<typeof syslogSchema>;
export type ProductDocument = ConfigDocument['products'][number];
