// As a hardware token's program does: the hash on standard input, the signature in DER on standard output.
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { signP256Hash } from '@firmproof/protocol/node';
import { p256 } from '@noble/curves/nist.js';

const [keyFile = ''] = process.argv.slice(2);
const signature = signP256Hash(createPrivateKey(readFileSync(keyFile)), readFileSync(0));
process.stdout.write(p256.Signature.fromBytes(signature, 'compact').toBytes('der'));
