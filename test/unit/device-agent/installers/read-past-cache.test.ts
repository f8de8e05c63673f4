import { randomBytes } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPastCache } from '../../../../device-agent/src/installers/read-past-cache.ts';
import { temporaryDirectory } from '../../../support/stack.ts';

let directory: string;
beforeAll(() => {
  directory = temporaryDirectory();
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function read(bytes: Buffer, sizeBytes: number, where = directory): Promise<Buffer> {
  const file = join(where, `read-past-cache-${process.pid}`);
  writeFileSync(file, bytes);
  try {
    const chunks: Uint8Array[] = [];
    for await (const chunk of readPastCache(file, sizeBytes)) chunks.push(Buffer.from(chunk));
    return Buffer.concat(chunks);
  } finally {
    rmSync(file);
  }
}

describe('reading past the page cache', () => {
  test.each([0, 1, 511, 512, 4096, 1_048_576, 1_048_577, 2_500_001])('gives all of %i bytes', async (sizeBytes) => {
    const bytes = randomBytes(sizeBytes);
    expect((await read(bytes, sizeBytes)).equals(bytes)).toBe(true);
  });

  test('gives no more than was asked for', async () => {
    const bytes = randomBytes(2_500_001);
    expect((await read(bytes, 1_300_001)).equals(bytes.subarray(0, 1_300_001))).toBe(true);
  });

  test('ends where there is no more', async () => {
    const bytes = randomBytes(1000);
    expect((await read(bytes, 5000)).equals(bytes)).toBe(true);
  });

  test.skipIf(!existsSync('/dev/shm'))('also works where the file system keeps everything in memory', async () => {
    const bytes = randomBytes(1_300_001);
    expect((await read(bytes, bytes.length, '/dev/shm')).equals(bytes)).toBe(true);
  });
});
