import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signTrustRoot } from '@firmproof/client';
import { parseAddress, parseProductId, parseProductName, trustRootType } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { expect, test } from 'vitest';
import { readTrustRootFile } from '../../../client/src/cli/trust-root-file.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const key = publicKeyOf(privateKey);
const root = signTrustRoot(
  {
    type: trustRootType,
    version: 1,
    product: parseProductId(`0x${'1'.repeat(64)}`),
    name: parseProductName('prime-hub'),
    chainId: 1,
    registry: parseAddress(`0x${'2'.repeat(40)}`),
    maxAgeSeconds: 604_800,
    witnesses: { quorum: 1, members: [{ operator: 'alpha', publicKey: key }] },
    buildKeys: [key],
    rootKeys: { threshold: 1, keys: [key] },
  },
  [privateKey],
);

test('a trust root that somebody was given is read, or refused with words for a reader, not for its maker', () => {
  const directory = mkdtempSync(join(tmpdir(), 'firmproof-root-'));
  const file = join(directory, 'trust-root.json');
  const read = (text: string) => {
    writeFileSync(file, text);
    return readTrustRootFile(file);
  };
  try {
    expect(read(JSON.stringify(root.envelope)).digest).toBe(root.digest);
    const forged = { ...root.envelope, signatures: [{ sig: Buffer.alloc(64).toString('base64') }] };
    expect(() => read(JSON.stringify(forged))).toThrow(
      expect.objectContaining({
        code: 'trust-root-signature-invalid',
        message: expect.stringContaining(file),
        hint: expect.stringMatching(/^Do not believe this file\./),
      }),
    );
    expect(() => read('{"payload":')).toThrow(
      expect.objectContaining({ code: 'trust-root-malformed', hint: expect.stringContaining('Get it again') }),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
