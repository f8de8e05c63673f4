import '../jitless.ts';
import { describeImage } from '@firmproof/protocol/image';

/** Hashes an image apart from the page, which stays alive meanwhile. One image a worker. */
self.onmessage = async ({ data: file }: MessageEvent<File>) => {
  try {
    const read = async (offset: number, length: number) =>
      new Uint8Array(await file.slice(offset, offset + length).arrayBuffer());
    const image = await describeImage(file.size, read, (doneBytes) => self.postMessage({ doneBytes }));
    self.postMessage({ image });
  } catch (error) {
    self.postMessage({ failure: error instanceof Error ? error.message : String(error) });
  }
};
