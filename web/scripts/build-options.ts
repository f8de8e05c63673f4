import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isFirmproofError, parseAddress } from '@firmproof/protocol';
import { z } from 'zod';

export const usage = `npm run build:web -- [--out DIRECTORY] [--server URL] [--chain-id N --registry ADDRESS]

  --out        where the files go (default: web/dist)
  --server     the server's address (default: the origin that serves the pages); nothing else can be connected to
  --chain-id   pins the chain, with --registry: what a server says of another is refused`;

/** A mistake on the command line, in one line. */
export class UsageMistake extends Error {}

const serverSchema = z.url({ protocol: /^https?$/ });
const chainIdSchema = z
  .string()
  .regex(/^[1-9][0-9]*$/)
  .transform(Number)
  .pipe(z.int());

export type BuildOptions = {
  readonly help: boolean;
  readonly out: string;
  /** What goes into config.json. */
  readonly configuration: { readonly server?: string; readonly chainId?: number; readonly registry?: string };
};

/** @throws UsageMistake */
export function readBuildOptions(args: readonly string[], defaultOut: string): BuildOptions {
  const { help, out, server, registry, 'chain-id': chainId } = valuesOf(args);
  if ((chainId === undefined) !== (registry === undefined))
    throw new UsageMistake('--chain-id and --registry go together');
  return {
    help: help ?? false,
    out: resolve(out ?? defaultOut),
    configuration: {
      ...(server !== undefined && { server: originOf(server) }),
      ...(chainId !== undefined && registry !== undefined && pinned(chainId, registry)),
    },
  };
}

function valuesOf(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { out: text, server: text, 'chain-id': text, registry: text, help: { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new UsageMistake(error instanceof Error ? error.message : String(error));
  }
}

function originOf(server: string): string {
  if (!serverSchema.safeParse(server).success) throw new UsageMistake(`--server "${server}" is no http(s) address`);
  return new URL(server).origin;
}

function pinned(chainIdText: string, registry: string) {
  const chainId = chainIdSchema.safeParse(chainIdText);
  if (!chainId.success) throw new UsageMistake(`--chain-id "${chainIdText}" is no whole number above 0`);
  try {
    return { chainId: chainId.data, registry: parseAddress(registry) };
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    throw new UsageMistake(`--registry "${registry}" is no address (0x and 40 hexadecimal digits)`);
  }
}
