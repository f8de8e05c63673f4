import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { FirmproofError, isFirmproofError, redactUrl } from '@firmproof/protocol';
import { createWitness, createWitnessServer, publicKeyOf } from '@firmproof/protocol/node';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import type { Command } from 'commander';
import { parseWholeNumber } from '../../units.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type WitnessFlags = {
  readonly rpc?: string;
  readonly operator?: string;
  readonly data?: string;
  readonly host: string;
  readonly port: string;
  readonly poll: string;
  readonly showKey?: boolean;
};

/** A daemon has nobody to type a passphrase: its key is a file that only its user can read. */
function witnessKey(directory: string): KeyObject {
  const file = join(directory, 'key.pem');
  if (!existsSync(file)) {
    makeDirectory(directory, 0o700);
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' });
  }
  return createPrivateKey(readFileSync(file));
}

async function witness(session: Session, flags: WitnessFlags): Promise<void> {
  const { output } = session;
  const operator = flags.operator;
  if (!operator)
    throw new FirmproofError('usage-invalid', '--operator is missing', {
      hint: 'The name that devices count: one voice an operator.',
    });
  const directory = flags.data ?? join(session.home.directory, 'witness');
  const key = witnessKey(directory);
  const member = `${operator}=${publicKeyOf(key)}`;
  if (flags.showKey) return output.result({ operator, publicKey: publicKeyOf(key), member }, member);
  if (!flags.rpc)
    throw new FirmproofError('usage-invalid', '--rpc is missing', {
      hint: 'A witness follows the chain through a node of its own.',
    });
  let trouble = '';
  const daemon = createWitness({
    rpcUrl: flags.rpc,
    key,
    operator,
    stateFile: join(directory, 'signed.json'),
    pollMilliseconds: parseWholeNumber(flags.poll, '--poll', 600_000),
    onTrouble: (error) => {
      const message = isFirmproofError(error) ? `${error.code}: ${error.message}` : String(error);
      if (message !== trouble) process.stderr.write(`${message}\n`);
      trouble = message;
    },
  });
  const server = createWitnessServer(daemon);
  const url = await listen(server, flags.host, parseWholeNumber(flags.port, '--port', 65_535));
  daemon.start();
  // Before anybody is told that it runs: who is told may want to end it.
  const stopping = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  output.result(
    { url, operator, publicKey: daemon.publicKey, member },
    `witness ${operator} at ${url}, following ${redactUrl(flags.rpc)}\n${member}`,
  );
  await stopping;
  server.close();
  server.closeAllConnections();
  await daemon.stop();
}

function listen(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        cause.code === 'EADDRINUSE'
          ? new FirmproofError('port-in-use', `port ${port} on ${host} is taken`, { cause })
          : cause,
      ),
    );
    server.listen(port, host, () => {
      const address = server.address();
      resolve(`http://${host}:${typeof address === 'object' && address ? address.port : port}`);
    });
  });
}

export function addWitness(program: Command, run: Run): void {
  program
    .command('witness')
    .description('vouch for final blocks: never backwards, never two hashes for one number')
    .option('--operator <name>', 'whose voice this is')
    .option('--rpc <url>', 'RPC node of your own')
    .option('--data <directory>', 'key and signed blocks (default: witness in the home directory)')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on', '8450')
    .option('--poll <milliseconds>', 'how often the chain is looked at', '2000')
    .option('--show-key', 'print operator=key for trust roots, making the key if there is none, and end')
    .action(run((session, flags: WitnessFlags) => witness(session, flags)));
}
