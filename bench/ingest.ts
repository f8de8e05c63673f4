// How fast and in how much memory the server takes in a large image, against sha256sum on the same file in the same run.
import { spawnSync } from 'node:child_process';
import { createCipheriv, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseVersion } from '@firmproof/protocol';
import { makeVendor } from '../test/support/stack.ts';
import { figure, megabyte } from './figure.ts';
import { withServerProcess } from './server-process.ts';

const sizeMebibytes = Number(process.argv[2] ?? 2048);
const mebibyte = 1024 * 1024;

/** Bytes that nothing can deduplicate, at the speed of AES. */
async function writeImage(file: string): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(mebibyte);
  async function* bytes() {
    for (let written = 0; written < sizeMebibytes; written += 1) yield cipher.update(zeros);
  }
  await pipeline(bytes, createWriteStream(file));
}

const secondsOf = async (act: () => Promise<unknown> | unknown) => {
  const start = performance.now();
  await act();
  return (performance.now() - start) / 1000;
};

await withServerProcess(async ({ url, info, directory, peakBytes }) => {
  const { vendor, product, buildKey } = await makeVendor({ url, info });
  const file = join(directory, 'image.bin');
  await writeImage(file);
  const idleBytes = peakBytes();
  const prepared = await vendor.prepare(file, { product, version: parseVersion('1.0.0') }, buildKey);
  const hashSeconds = await secondsOf(() => {
    const { status } = spawnSync('sha256sum', [file], { stdio: 'ignore' });
    if (status !== 0) throw new Error('sha256sum failed');
  });
  const uploadSeconds = await secondsOf(async () => {
    const proposal = await vendor.upload(file, prepared);
    await vendor.client.follow(proposal.id);
  });
  const sizeBytes = sizeMebibytes * mebibyte;
  const more = { sizeMebibytes };
  figure('ingest.throughput', sizeBytes / uploadSeconds / megabyte, 'MB/s', more);
  figure('ingest.sha256sum', sizeBytes / hashSeconds / megabyte, 'MB/s', more);
  figure('ingest.ratio-to-sha256sum', hashSeconds / uploadSeconds, 'ratio', more);
  figure('ingest.peak-memory', peakBytes() / megabyte, 'MB', more);
  figure('ingest.peak-memory-before', idleBytes / megabyte, 'MB');
});
