import { spawn } from 'node:child_process';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import {
  type Address,
  bytesOfBase64,
  FirmproofError,
  fromHex,
  isFirmproofError,
  type PublicKey,
  parseAddress,
  parseSigner,
  pointOfPublicKey,
  redactUrl,
  type Signer,
  signerOfPoint,
  toHex,
} from '@firmproof/protocol';
import { compactP256Signature, isSignedBy, type TypedData, typedDataHash } from '@firmproof/protocol/approval';
import { createRpc, publicKeyOf, signP256Hash } from '@firmproof/protocol/node';
import type { BaseWallet } from 'ethers';

/** A key that approves, wherever it is kept. */
export type SignerKey = {
  readonly signer: Signer;
  /** The signature in the form that a vendor account takes from this kind of signer. */
  sign(data: TypedData): Promise<`0x${string}`>;
};

/** A secp256k1 key on this machine. */
export function walletKey(wallet: BaseWallet): SignerKey {
  return {
    signer: parseSigner(wallet.address),
    sign: async ({ domain, types, message }) => {
      // ethers finds the primary type by itself: the one that no other refers to.
      const mutable = Object.fromEntries(Object.entries(types).map(([name, fields]) => [name, [...fields]]));
      return (await wallet.signTypedData(domain, mutable, message)) as `0x${string}`;
    },
  };
}

/** A P-256 key on this machine. @throws FirmproofError `key-invalid` */
export function p256Key(key: KeyObject): SignerKey {
  return {
    signer: signerOfKey(publicKeyOf(key)),
    sign: async (data) => toHex(signP256Hash(key, fromHex(typedDataHash(data)))),
  };
}

const signerOfKey = (publicKey: PublicKey): Signer => signerOfPoint('p256', pointOfPublicKey(publicKey));

const commandTimeoutMilliseconds = 120_000;
const maximumOutputBytes = 4096;

/**
 * A P-256 key in hardware or behind a service, reached through a command of the owner's: it gets the 32 bytes of the hash on
 * its standard input and answers with the signature on its standard output, in DER, or r ‖ s; raw, hexadecimal or base64. The
 * words of the command are its program and arguments; no shell looks at them.
 * @throws FirmproofError `signer-command-failed`
 */
export function commandKey(command: readonly string[], publicKey: PublicKey): SignerKey {
  const signer = signerOfKey(publicKey);
  return {
    signer,
    async sign(data) {
      const hash = typedDataHash(data);
      const signature = toHex(readSignature(await run(command, fromHex(hash))));
      if (isSignedBy(signer, hash, signature)) return signature;
      throw new FirmproofError(
        'signer-command-failed',
        `${command[0]} has not signed with the key that it was set up for`,
      );
    },
  };
}

async function run([program = '', ...args]: readonly string[], input: Uint8Array): Promise<Buffer> {
  const failed = (why: string, cause?: unknown) =>
    new FirmproofError('signer-command-failed', `${program} ${why}`, cause === undefined ? {} : { cause });
  // stderr is the person's: that is where such programs ask for a touch or a PIN.
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: commandTimeoutMilliseconds,
  });
  const ended = once(child, 'close').catch((cause: unknown) => {
    throw failed('cannot be started', cause);
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let output = Buffer.alloc(0);
  child.stdout.on('data', (chunk: Buffer) => {
    output = Buffer.concat([output, chunk]);
    if (output.length > maximumOutputBytes) child.kill();
  });
  const [code] = await ended;
  if (code !== 0) throw failed(`ended with ${code ?? 'a signal'}`);
  return output;
}

/** @throws FirmproofError `signer-command-failed` */
function readSignature(output: Buffer): Uint8Array {
  const text = output.toString('latin1').trim();
  const candidates = [output, /^[0-9a-f]+$/i.test(text) ? Buffer.from(text, 'hex') : null, bytesOfBase64(text)];
  for (const bytes of candidates) {
    if (bytes === null) continue;
    try {
      return compactP256Signature(bytes);
    } catch {
      // Another of the forms.
    }
  }
  throw new FirmproofError('signer-command-failed', 'the command has answered with something that is no signature');
}

/**
 * A wallet that speaks JSON-RPC (Frame, Clef, a hardware wallet's bridge): it shows the typed data to its owner and asks.
 * @throws FirmproofError `signer-command-failed`, `signer-unreachable`
 */
export function walletRpcKey(url: string, address: Address): SignerKey {
  return {
    signer: parseSigner(parseAddress(address)),
    async sign({ domain, types, primaryType, message }) {
      const rpc = createRpc(url, commandTimeoutMilliseconds);
      const data = JSON.stringify({
        domain,
        types: { EIP712Domain: domainTypes(domain), ...types },
        primaryType,
        message,
      });
      try {
        return await rpc<`0x${string}`>('eth_signTypedData_v4', [address, data]);
      } catch (cause) {
        if (isFirmproofError(cause))
          throw new FirmproofError('signer-unreachable', `the wallet at ${redactUrl(url)} does not answer`, { cause });
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new FirmproofError('signer-command-failed', `the wallet has not signed: ${why}`, { cause });
      }
    },
  };
}

const domainFieldTypes = {
  name: 'string',
  version: 'string',
  chainId: 'uint256',
  verifyingContract: 'address',
  salt: 'bytes32',
};

const domainTypes = (domain: TypedData['domain']) =>
  Object.entries(domainFieldTypes)
    .filter(([name]) => Object.hasOwn(domain, name))
    .map(([name, type]) => ({ name, type }));
