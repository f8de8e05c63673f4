import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isFirmproofError, parseAddress, parseTrustRoot } from '@firmproof/protocol';
import { z } from 'zod';

export const usage = `npm run build:web -- [--pages all|approvals|audit] [--out DIRECTORY] [--server URL] [--chain-id N --registry ADDRESS]
  [--rpc-url URL …] [--rpc-quorum N] [--trust-root FILE …]

  --pages       which pages: both (approvals in DIRECTORY, audit pages in DIRECTORY/audit), or one of the two in DIRECTORY
  --out         where the files go (default: web/dist)
  --server      the server's address (default: the origin that serves the pages); the approval pages can connect to nothing else
  --chain-id    pins the chain, with --registry: what a server says of another is refused
  --rpc-url     audit pages: an RPC node to ask; visitors may name others
  --rpc-quorum  audit pages: how many of those nodes have to agree (default: more than half)
  --trust-root  audit pages: trust-root.json of a product, whose witnesses are believed`;

/** A mistake on the command line, in one line. */
export class UsageMistake extends Error {}

const serverSchema = z.url({ protocol: /^https?$/ });
const countSchema = z
  .string()
  .regex(/^[1-9][0-9]*$/)
  .transform(Number)
  .pipe(z.int());
const pagesSchema = z.enum(['all', 'approvals', 'audit']);

export type BuildOptions = {
  readonly help: boolean;
  readonly pages: z.infer<typeof pagesSchema>;
  readonly out: string;
  /** What goes into config.json of both. */
  readonly configuration: { readonly server?: string; readonly chainId?: number; readonly registry?: string };
  /** What goes into config.json of the audit pages besides. */
  readonly audit: {
    readonly rpcUrls?: readonly string[];
    readonly rpcQuorum?: number;
    readonly trustRoots?: readonly unknown[];
  };
};

/** @throws UsageMistake */
export function readBuildOptions(args: readonly string[], defaultOut: string): BuildOptions {
  const values = valuesOf(args);
  const { help, out, server, registry, 'chain-id': chainId } = values;
  if ((chainId === undefined) !== (registry === undefined))
    throw new UsageMistake('--chain-id and --registry go together');
  const pages = pagesSchema.safeParse(values.pages ?? 'all');
  if (!pages.success) throw new UsageMistake(`--pages "${values.pages}" is none of ${pagesSchema.options.join(', ')}`);
  return {
    help: help ?? false,
    pages: pages.data,
    out: resolve(out ?? defaultOut),
    configuration: {
      ...(server !== undefined && { server: originOf(server) }),
      ...(chainId !== undefined && registry !== undefined && pinned(chainId, registry)),
    },
    audit: auditOptions(values),
  };
}

function valuesOf(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const list = { type: 'string', multiple: true } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        pages: text,
        out: text,
        server: text,
        'chain-id': text,
        registry: text,
        'rpc-url': list,
        'rpc-quorum': text,
        'trust-root': list,
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageMistake(error instanceof Error ? error.message : String(error));
  }
}

function auditOptions(values: ReturnType<typeof valuesOf>): BuildOptions['audit'] {
  const { 'rpc-url': rpcUrls, 'rpc-quorum': rpcQuorum, 'trust-root': trustRoots } = values;
  for (const url of rpcUrls ?? [])
    if (!serverSchema.safeParse(url).success) throw new UsageMistake(`--rpc-url "${url}" is no http(s) address`);
  const quorum = rpcQuorum === undefined ? undefined : wholeNumber('--rpc-quorum', rpcQuorum);
  if (quorum !== undefined && quorum > (rpcUrls?.length ?? 0))
    throw new UsageMistake('--rpc-quorum is larger than the number of --rpc-url');
  return {
    ...(rpcUrls && { rpcUrls }),
    ...(quorum !== undefined && { rpcQuorum: quorum }),
    ...(trustRoots && { trustRoots: trustRoots.map(trustRootOf) }),
  };
}

function trustRootOf(file: string): unknown {
  try {
    return parseTrustRoot(readFileSync(file, 'utf8')).envelope;
  } catch (error) {
    throw new UsageMistake(`--trust-root "${file}": ${error instanceof Error ? error.message : String(error)}`);
  }
}

function originOf(server: string): string {
  if (!serverSchema.safeParse(server).success) throw new UsageMistake(`--server "${server}" is no http(s) address`);
  return new URL(server).origin;
}

function wholeNumber(option: string, text: string): number {
  const number = countSchema.safeParse(text);
  if (!number.success) throw new UsageMistake(`${option} "${text}" is no whole number above 0`);
  return number.data;
}

function pinned(chainIdText: string, registry: string) {
  const chainId = wholeNumber('--chain-id', chainIdText);
  try {
    return { chainId, registry: parseAddress(registry) };
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    throw new UsageMistake(`--registry "${registry}" is no address (0x and 40 hexadecimal digits)`);
  }
}
