import './small-memory.ts';
import { inspect, parseArgs } from 'node:util';
import { FirmproofError, isFirmproofError } from '@firmproof/protocol';
import { outliveReaders } from '@firmproof/protocol/node/broken-pipe';
import { explainSystemError, isStorageFull } from '@firmproof/protocol/node/system-error';
import { useProxies } from '../network/proxy.ts';
import { agentVersion } from '../version.ts';
import { type Flags, flagOptions } from './command.ts';
import { commands } from './commands.ts';
import { exitCodeOfError, exitCodes } from './exit-codes.ts';
import { help } from './help.ts';
import { leadsToJournal, withoutCredentials } from './log.ts';
import { requireNode } from './require-node.ts';

async function main(): Promise<number> {
  requireNode(process.versions.node);
  const { values, positionals } = readArguments(process.argv.slice(2));
  const [name, ...rest] = positionals;
  if (values.version) {
    process.stdout.write(`${agentVersion}\n`);
    return exitCodes.done;
  }
  if (values.help || name === undefined) {
    process.stdout.write(help);
    return values.help ? exitCodes.done : exitCodes.usage;
  }
  const { config, json, help: _, version: __, ...flags } = values;
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined || rest.length > (command.words ?? 0)) {
    throw new FirmproofError('usage-invalid', `"${positionals.join(' ')}" is no command`);
  }
  const foreign = Object.keys(flags).find((flag) => !command.flags?.includes(flag as keyof Flags));
  if (foreign !== undefined) throw new FirmproofError('usage-invalid', `${name} has no option --${foreign}`);
  return command.run({ configFile: config, json, toJournal: leadsToJournal(process.env), words: rest, flags });
}

function readArguments(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: {
          type: 'string',
          short: 'c',
          default: process.env['FIRMPROOF_AGENT_CONFIG'] ?? '/etc/firmproof/agent.json',
        },
        json: { type: 'boolean', default: false },
        ...flagOptions,
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (cause) {
    // The first sentence says it; the others are about positional arguments.
    const [said] = cause instanceof Error ? cause.message.split(/\.? To specify /) : [];
    throw new FirmproofError('usage-invalid', said ?? 'unknown option', { cause });
  }
}

function report(raw: unknown): number {
  const error = isStorageFull(raw)
    ? new FirmproofError('device-storage-full', 'the storage of the device is full', { cause: raw })
    : explainSystemError(raw);
  if (!isFirmproofError(error)) {
    console.error(withoutCredentials(inspect(error)));
    return exitCodes.internal;
  }
  const { code, message, hint } = error;
  const json = process.argv.includes('--json');
  process.stderr.write(json ? `${JSON.stringify({ code, message, hint })}\n` : `${code}: ${message}\n${hint}\n`);
  return exitCodeOfError(code);
}

outliveReaders();
useProxies(process.env);
process.exitCode = await main().catch(report);
