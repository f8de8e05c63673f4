import { resolve } from 'node:path';
import {
  addressSchema,
  describeIssues,
  FirmproofError,
  redactUrl,
  type Sha256Digest,
  sha256,
} from '@firmproof/protocol';
import { z } from 'zod';

const integer = (fallback: number, minimum = 0) => z.coerce.number().int().min(minimum).default(fallback);
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

const environmentSchema = z
  .object({
    FIRMPROOF_DATA: z.string().default('.firmproof').describe('Directory that holds all state.'),
    FIRMPROOF_HOST: z.string().default('127.0.0.1').describe('Address to listen on.'),
    FIRMPROOF_PORT: z.coerce
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(8440)
      .describe('Port to listen on; 0 takes a free one.'),
    FIRMPROOF_PUBLIC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('The origin that vendors and devices see, when a proxy stands in front.'),
    FIRMPROOF_RPC_URL: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('RPC node of the chain. Without it an embedded development chain is started.'),
    FIRMPROOF_DEVELOPMENT_CHAIN_ID: z
      .enum(['31337', '1337'])
      .default('31337')
      .describe('Chain id of the embedded chain; the other one is for trying a move between two.'),
    FIRMPROOF_REGISTRY: z.string().optional().describe('Address of the registry; needed with FIRMPROOF_RPC_URL.'),
    FIRMPROOF_REGISTRY_BLOCK: integer(0).describe('Block that the registry was deployed in: indexing starts there.'),
    FIRMPROOF_RELAYER_KEY_FILE: z
      .string()
      .optional()
      .describe(
        "File with the relayer's private key (0x…); needed with FIRMPROOF_RPC_URL. It can spend gas, nothing else.",
      ),
    FIRMPROOF_WITNESSES: list.describe(
      'Witness daemons, comma separated: operator=URL. Needed with FIRMPROOF_RPC_URL.',
    ),
    FIRMPROOF_POLL_MILLISECONDS: integer(2000, 20).describe('How often the chain is looked at.'),
    FIRMPROOF_EVIDENCE_RENEWAL_SECONDS: integer(86_400, 10).describe('Age at which evidence gets a newer block.'),
    FIRMPROOF_EVIDENCE_MAX_AGE_SECONDS: integer(60).describe('Cache-Control max-age of evidence.'),
    FIRMPROOF_MAXIMUM_IMAGE_BYTES: integer(4 * 2 ** 30, 1).describe('Largest image that is accepted.'),
    FIRMPROOF_DAILY_UPLOAD_BYTES: integer(64 * 2 ** 30, 1).describe('Upload quota of a publisher per day.'),
    FIRMPROOF_UPLOAD_STALL_SECONDS: integer(30, 1).describe('An upload that brings no byte for this long is ended.'),
    FIRMPROOF_PENDING_DEVICES: integer(1000).describe(
      'Devices of a product that may wait to be accepted; further ones are refused.',
    ),
    FIRMPROOF_TOKEN_SECONDS: integer(30 * 86_400, 60).describe('Lifetime of API tokens.'),
    FIRMPROOF_ALLOWED_PUBLISHERS: list.describe('Publishers that may log in, comma separated; empty: any.'),
    FIRMPROOF_WEBHOOK_PRIVATE_HOSTS: list.describe(
      'Hosts of webhooks that may have private addresses, comma separated. Others are not called.',
    ),
    FIRMPROOF_WEBHOOK_RETRY_SECONDS: integer(5, 1).describe(
      'Pause before a webhook that failed is tried again; four times as long after each further try, up to six hours.',
    ),
    FIRMPROOF_PAGES: z
      .string()
      .min(1)
      .optional()
      .describe('Directory of the pages, or off. Default: those that `npm run build:web` has made.'),
    FIRMPROOF_OIDC_ISSUERS: list.describe(
      'Issuers whose ID tokens CI may log in with, comma separated: issuer, or issuer=address of its keys.',
    ),
    FIRMPROOF_LOG_LEVEL: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent'])
      .default('info')
      .describe('Least severe line that is logged.'),
  })
  .superRefine((environment, context) => {
    const mistake = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (environment.FIRMPROOF_RPC_URL !== undefined) {
      if (!environment.FIRMPROOF_REGISTRY) mistake('FIRMPROOF_REGISTRY', 'is needed with FIRMPROOF_RPC_URL');
      if (!environment.FIRMPROOF_RELAYER_KEY_FILE)
        mistake('FIRMPROOF_RELAYER_KEY_FILE', 'is needed with FIRMPROOF_RPC_URL');
      if (environment.FIRMPROOF_WITNESSES.length === 0)
        mistake('FIRMPROOF_WITNESSES', 'is needed with FIRMPROOF_RPC_URL');
    }
    if (
      environment.FIRMPROOF_REGISTRY &&
      !addressSchema.safeParse(environment.FIRMPROOF_REGISTRY.toLowerCase()).success
    ) {
      mistake('FIRMPROOF_REGISTRY', 'is not an address');
    }
    for (const witness of environment.FIRMPROOF_WITNESSES) {
      const [operator, url] = splitOnce(witness);
      if (!operator || !URL.canParse(url)) mistake('FIRMPROOF_WITNESSES', `"${operator}" is not operator=URL`);
    }
    for (const entry of environment.FIRMPROOF_OIDC_ISSUERS) {
      const [issuer, keys] = splitOnce(entry);
      if (!isHttpUrl(issuer) || (keys !== '' && !isHttpUrl(keys)))
        mistake('FIRMPROOF_OIDC_ISSUERS', `"${issuer}" is no issuer or issuer=URL`);
    }
    for (const publisher of environment.FIRMPROOF_ALLOWED_PUBLISHERS) {
      if (!addressSchema.safeParse(publisher.toLowerCase()).success)
        mistake('FIRMPROOF_ALLOWED_PUBLISHERS', 'has something that is no address');
    }
  });

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('=');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

const isHttpUrl = (text: string) => /^https?:\/\//.test(text) && URL.canParse(text);

export type Config = ReturnType<typeof parseConfig>;

/**
 * The server's configuration, read once from the environment.
 * @throws FirmproofError `config-invalid`, naming every mistake at once
 */
export function parseConfig(environment: Readonly<Record<string, string | undefined>>) {
  const known = Object.keys(environmentSchema.shape);
  const unknown = Object.keys(environment).filter(
    (name) => name.startsWith('FIRMPROOF_') && !known.includes(name) && !shared.has(name),
  );
  const parsed = environmentSchema.safeParse(environment);
  const mistakes = [
    ...(parsed.success ? [] : describeIssues(parsed.error)),
    ...unknown.map((name) => `${name}: is not a variable of the server`),
  ];
  if (!parsed.success || mistakes.length > 0) {
    throw new FirmproofError('config-invalid', mistakes.join('; '), { details: { mistakes } });
  }
  const values = parsed.data;
  return {
    dataDirectory: resolve(values.FIRMPROOF_DATA),
    host: values.FIRMPROOF_HOST,
    port: values.FIRMPROOF_PORT,
    publicUrl: values.FIRMPROOF_PUBLIC_URL,
    chain:
      values.FIRMPROOF_RPC_URL === undefined
        ? undefined
        : {
            rpcUrl: values.FIRMPROOF_RPC_URL,
            registry: addressSchema.parse(values.FIRMPROOF_REGISTRY?.toLowerCase()),
            registryBlock: values.FIRMPROOF_REGISTRY_BLOCK,
            relayerKeyFile: values.FIRMPROOF_RELAYER_KEY_FILE ?? '',
            witnesses: values.FIRMPROOF_WITNESSES.map((witness) => {
              const [operator, url] = splitOnce(witness);
              return { operator, url };
            }),
          },
    developmentChainId: Number(values.FIRMPROOF_DEVELOPMENT_CHAIN_ID),
    pollMilliseconds: values.FIRMPROOF_POLL_MILLISECONDS,
    evidenceRenewalSeconds: values.FIRMPROOF_EVIDENCE_RENEWAL_SECONDS,
    evidenceMaxAgeSeconds: values.FIRMPROOF_EVIDENCE_MAX_AGE_SECONDS,
    maximumImageBytes: values.FIRMPROOF_MAXIMUM_IMAGE_BYTES,
    dailyUploadBytes: values.FIRMPROOF_DAILY_UPLOAD_BYTES,
    uploadStallSeconds: values.FIRMPROOF_UPLOAD_STALL_SECONDS,
    pendingDevices: values.FIRMPROOF_PENDING_DEVICES,
    tokenSeconds: values.FIRMPROOF_TOKEN_SECONDS,
    allowedPublishers: values.FIRMPROOF_ALLOWED_PUBLISHERS.map((address) => addressSchema.parse(address.toLowerCase())),
    oidcIssuers: values.FIRMPROOF_OIDC_ISSUERS.map((entry) => {
      const [issuer, keysUrl] = splitOnce(entry);
      return { issuer, keysUrl: keysUrl === '' ? null : keysUrl };
    }),
    webhookPrivateHosts: values.FIRMPROOF_WEBHOOK_PRIVATE_HOSTS.map((host) => host.toLowerCase()),
    webhookRetrySeconds: values.FIRMPROOF_WEBHOOK_RETRY_SECONDS,
    pages: values.FIRMPROOF_PAGES,
    logLevel: values.FIRMPROOF_LOG_LEVEL,
  };
}

/** Tells one configuration from another without telling what is in it; what an RPC address may hide in it does not count. */
export function configurationDigest(config: Config): Sha256Digest {
  const { chain, ...others } = config;
  const shown = {
    ...others,
    chain: chain && {
      ...chain,
      rpcUrl: redactUrl(chain.rpcUrl),
      witnesses: chain.witnesses.map(({ operator, url }) => ({ operator, url: redactUrl(url) })),
    },
  };
  return sha256(new TextEncoder().encode(JSON.stringify(shown)));
}

/** Variables of the command line and the agent, which may be set in the same shell. */
const shared = new Set([
  'FIRMPROOF_HOME',
  'FIRMPROOF_PASSPHRASE',
  'FIRMPROOF_SERVER',
  'FIRMPROOF_AGENT_CONFIG',
  'FIRMPROOF_TOKEN',
  'FIRMPROOF_ID_TOKEN',
  'FIRMPROOF_FULCIO_URL',
  'FIRMPROOF_REKOR_URL',
  'FIRMPROOF_TIMESTAMP_URL',
  'FIRMPROOF_IDENTITY_AUDIENCE',
]);

/** Every variable with its default and its meaning, for the docs. */
export function describeConfig(): readonly {
  readonly name: string;
  readonly fallback: string;
  readonly meaning: string;
}[] {
  const defaults: Readonly<Record<string, unknown>> = environmentSchema.parse({});
  return Object.entries(environmentSchema.shape).map(([name, schema]) => {
    const value = defaults[name];
    const fallback = value === undefined || (Array.isArray(value) && value.length === 0) ? '' : String(value);
    return { name, fallback, meaning: schema.description ?? '' };
  });
}
