import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  channelSchema,
  describeIssues,
  FirmproofError,
  parseTrustRoot,
  sha256DigestSchema,
  type TrustRoot,
  versionSchema,
} from '@firmproof/protocol';
import * as z from 'zod';
import { identityConfigSchema } from './identity/identity.ts';
import { hooksSchema, installerSchema, programSchema } from './installers/config.ts';
import { maintenanceSchema } from './policy/maintenance.ts';
import { meteredSchema } from './policy/metered.ts';

/** What happens by itself with a proven update: all of it, the download, or nothing but saying so. */
const updateMode = z.enum(['automatic', 'download', 'notify']).default('automatic');

const serverUrl = z.url({ protocol: /^https?$/ }).transform((url) => url.replace(/\/+$/, ''));

/** What a device image must contain, besides the trust root. Relative paths are relative to the file. */
const configSchema = z
  .object({
    trustRoot: z.string().min(1),
    hardware: z.string().min(1).max(63),
    /** Channels that this device may ever follow. */
    channels: z.array(channelSchema).min(1),
    channel: channelSchema,
    image: z.object({
      version: versionSchema,
      digest: sha256DigestSchema.nullable().default(null),
      rollbackIndex: z.int().min(0).max(0xffff_ffff),
      /** Seconds since 1970: time never goes back behind it. */
      buildTimeSeconds: z.int().min(0),
    }),
    servers: z.array(serverUrl).min(1).max(16),
    installer: installerSchema,
    hooks: hooksSchema,
    /** How to reboot into a slot that only a boot starts; without it somebody else's reboot is waited for. */
    reboot: programSchema.optional(),
    health: z
      .object({
        command: z.array(z.string()).min(1).optional(),
        deadlineSeconds: z.number().positive().max(86_400).default(300),
        /** command: its success confirms. external: `firmproof-agent confirm` does. */
        confirm: z.enum(['command', 'external']).default('command'),
        /** An image on trial that is booted more often than this is rolled back. */
        maximumBoots: z.int().min(1).max(1000).default(5),
      })
      .default({ deadlineSeconds: 300, confirm: 'command', maximumBoots: 5 }),
    dataDirectory: z.string().min(1),
    maximumImageBytes: z
      .int()
      .min(1)
      .default(4 * 2 ** 30),
    /** A source that is slower is given up for the next. */
    minimumBytesPerSecond: z.int().min(0).default(1024),
    identity: identityConfigSchema.prefault({}),
    /** Whether signed receipts are sent to the servers. */
    receipts: z.boolean().default(true),
    /** People's choice (docs/spec/device.md P1 to P5). */
    updates: z
      .object({ security: updateMode, feature: updateMode })
      .strict()
      .default({ security: 'automatic', feature: 'automatic' }),
    /** How many independent rebuilders have to vouch for a release before it is installed (docs/spec/device.md D17). */
    rebuilders: z
      .object({ minimum: z.int().min(0).max(32) })
      .strict()
      .optional(),
    maintenance: maintenanceSchema.optional(),
    metered: meteredSchema.optional(),
    /** How long the postponements of one update may last together. */
    maximumPostponeHours: z.number().positive().max(8760).default(336),
    /** How much of the line a download may take; null: all of it. */
    maximumBytesPerSecond: z.int().min(1024).nullable().default(null),
    pollHours: z.number().positive().max(168).default(6),
  })
  .strict()
  .superRefine((config, context) => {
    if (!config.channels.includes(config.channel)) {
      context.addIssue({ code: 'custom', path: ['channel'], message: 'is not one of the allowed channels' });
    }
    if (config.health.confirm === 'external' && config.health.command !== undefined) {
      context.addIssue({ code: 'custom', path: ['health'], message: 'has a command although confirm is external' });
    }
  });

export type AgentConfig = z.output<typeof configSchema> & { readonly imageTrustRoot: TrustRoot };

/**
 * Reads the agent's configuration and the trust root that it names.
 * @throws FirmproofError `file-not-found`, `config-invalid` naming every mistake at once, `trust-root-*`
 */
export function readConfig(file: string): AgentConfig {
  const value = parseJsonFile(file);
  const parsed = configSchema.safeParse(value);
  if (!parsed.success) {
    const mistakes = describeIssues(parsed.error);
    throw new FirmproofError('config-invalid', `${file}: ${mistakes.join('; ')}`, { details: { mistakes } });
  }
  const config = parsed.data;
  const at = (path: string) => resolve(dirname(file), path);
  return {
    ...config,
    installer:
      'directory' in config.installer
        ? { ...config.installer, directory: at(config.installer.directory) }
        : config.installer,
    identity: { ...config.identity, machineIdFile: at(config.identity.machineIdFile) },
    ...(config.metered?.file !== undefined && { metered: { ...config.metered, file: at(config.metered.file) } }),
    dataDirectory: at(config.dataDirectory),
    imageTrustRoot: parseTrustRoot(readText(at(config.trustRoot))),
  };
}

function parseJsonFile(file: string): unknown {
  const text = readText(file, 'Check the path and its permissions, or name the configuration with --config FILE.');
  try {
    return JSON.parse(text);
  } catch (cause) {
    // Says where, in the words of the parser.
    const where = cause instanceof Error ? cause.message.replaceAll(/\s+/g, ' ') : '';
    throw new FirmproofError('config-invalid', `${file} is no JSON: ${where}`, { cause });
  }
}

function readText(file: string, hint?: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FirmproofError('file-not-found', `${file} cannot be read`, { cause, ...(hint && { hint }) });
  }
}
