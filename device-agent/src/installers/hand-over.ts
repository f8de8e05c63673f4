import { createHash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { FirmproofError, type Sha256Digest } from '@firmproof/protocol';
import { type Argv, type ProgramEnd, runProgram, type StdinWriter } from './program.ts';

/** An image in a file, and what was verified about it. */
export type StagedImage = { readonly file: string; readonly digest: Sha256Digest; readonly sizeBytes: number };

export type Receiver = {
  /** Where `input` is `path`, `{image}` in it is replaced. */
  readonly command: Argv;
  readonly input: 'stdin' | 'path';
  readonly timeoutSeconds: number;
  readonly environment: Readonly<Record<string, string>>;
};

const chunkBytes = 1024 * 1024;

/**
 * Gives an image to a program so that what it gets is what was verified: the file is opened once, hashed, and handed over
 * from that same descriptor; what goes out is hashed again. A program that reads stdin never sees the end of other bytes, nor
 * their last chunk: it is killed. One that is given a path reads the descriptor, which is hashed once more afterwards (I4).
 * @param beforeStart awaited when the image has been hashed, right before the program is started
 * @throws FirmproofError `handover-mismatch`, `installer-not-started`, `installer-failed`, `installer-timed-out`
 */
export async function handOver(
  image: StagedImage,
  receiver: Receiver,
  beforeStart: () => Promise<void> = async () => undefined,
): Promise<void> {
  const handle = await open(image.file, 'r').catch(() => {
    throw changed(image, 'before it was handed over');
  });
  try {
    await requireVerified(handle, image, 'before it was handed over');
    await beforeStart();
    if (receiver.input === 'stdin') await throughStdin(handle, image, receiver);
    else await byPath(handle, image, receiver);
  } finally {
    await handle.close();
  }
}

async function throughStdin(handle: FileHandle, image: StagedImage, receiver: Receiver): Promise<void> {
  let sent: 'whole' | 'part' | 'other' = 'part';
  const stdin: StdinWriter = async (send) => {
    sent = await sendVerified(handle, image, send);
    return sent === 'other' ? 'kill' : 'end';
  };
  const { command, timeoutSeconds, environment } = receiver;
  const end = await runProgram(command, { timeoutSeconds, environment, stdin });
  if ((sent as string) === 'other') throw changed(image, 'while it was handed over');
  requireSuccess(command, end);
  if ((sent as string) === 'part')
    throw new FirmproofError('installer-failed', `${command[0]} ended well, but did not read the whole image`);
}

/** The last chunk waits until all of it, and all before it, has been hashed. */
async function sendVerified(
  handle: FileHandle,
  image: StagedImage,
  send: (bytes: Uint8Array) => Promise<boolean>,
): Promise<'whole' | 'part' | 'other'> {
  const hash = createHash('sha256');
  let waiting: Uint8Array | null = null;
  for (let position = 0; position < image.sizeBytes; ) {
    if (waiting !== null && !(await send(waiting))) return 'part';
    const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, image.sizeBytes - position));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) return 'other';
    waiting = chunk.subarray(0, bytesRead);
    hash.update(waiting);
    position += bytesRead;
  }
  if (hash.digest('hex') !== image.digest) return 'other';
  return waiting === null || (await send(waiting)) ? 'whole' : 'part';
}

async function byPath(handle: FileHandle, image: StagedImage, receiver: Receiver): Promise<void> {
  // Through this process, since what opens the path may be a service that the program only asks.
  const path = `/proc/${process.pid}/fd/${handle.fd}`;
  const command = receiver.command.map((part) => part.replaceAll('{image}', path));
  const end = await runProgram(command, receiver);
  await requireVerified(handle, image, 'while it was handed over');
  requireSuccess(command, end);
}

async function requireVerified(handle: FileHandle, image: StagedImage, when: string): Promise<void> {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  let position = 0;
  for (let bytesRead = 1; bytesRead > 0 && position <= image.sizeBytes; position += bytesRead) {
    ({ bytesRead } = await handle.read(chunk, 0, chunk.length, position));
    hash.update(chunk.subarray(0, bytesRead));
  }
  if (position !== image.sizeBytes || hash.digest('hex') !== image.digest) throw changed(image, when);
  const [opened, named] = [await handle.stat(), await stat(image.file).catch(() => null)];
  if (named?.ino !== opened.ino || named.dev !== opened.dev) throw changed(image, when);
}

const changed = (image: StagedImage, when: string) =>
  new FirmproofError('handover-mismatch', `${image.file} was changed after it was verified, ${when}`);

/** @throws FirmproofError `installer-not-started`, `installer-failed`, `installer-timed-out` */
export function requireSuccess(command: Argv, end: ProgramEnd): void {
  if (end.how === 'exited' && end.exitCode === 0) return;
  throw new FirmproofError(failureCodes[end.how], `${command[0]} ${end.reason}`);
}

const failureCodes = {
  'not-started': 'installer-not-started',
  'timed-out': 'installer-timed-out',
  exited: 'installer-failed',
  killed: 'installer-failed',
} as const;
