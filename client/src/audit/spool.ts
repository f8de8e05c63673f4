import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';

const frameBytes = 8;
const flushBytes = 256 * 1024;
const windowBytes = 1024 * 1024;
/** No record is larger: an entry has half a kilobyte, a transaction at most a quarter of a megabyte as text. */
const maximumRecordBytes = windowBytes - 2 * frameBytes;

/**
 * Records in a file, appended and read forwards or backwards, with one window of it in memory. Each record is framed by its length
 * and a checksum on both sides, so that a torn end (kill -9, power cut) is cut off when the file is opened.
 */
export class Spool {
  readonly #file: number;
  #size: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;

  private constructor(file: number, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /** @param bytes how much of the file counts; what is behind it was never finished */
  static open(path: string, bytes?: number): Spool {
    const file = openSync(path, 'a+', 0o600);
    const spool = new Spool(file, Math.min(fstatSync(file).size, bytes ?? Number.POSITIVE_INFINITY));
    spool.#cutTornEnd();
    return spool;
  }

  /** Bytes of whole records, those included that wait to be written. */
  get size(): number {
    return this.#size + this.#waitingBytes;
  }

  append(record: Uint8Array): void {
    if (record.length > maximumRecordBytes) throw new RangeError('the record is too large');
    const frame = frameOf(record);
    this.#waiting.push(frame, Buffer.from(record), frame);
    this.#waitingBytes += record.length + 2 * frameBytes;
    if (this.#waitingBytes >= flushBytes) this.flush();
  }

  flush(): void {
    if (this.#waitingBytes === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    this.#size += bytes.length;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }

  /** On the disk, whatever happens next. */
  sync(): void {
    this.flush();
    fdatasyncSync(this.#file);
  }

  /** Forgets what comes behind so many bytes, which have to be those of whole records. */
  cut(bytes = 0): void {
    this.flush();
    if (bytes >= this.#size) return;
    ftruncateSync(this.#file, bytes);
    this.#size = bytes;
  }

  close(): void {
    this.flush();
    closeSync(this.#file);
  }

  /** The records in the order in which they were appended. Each is good until the next is asked for. */
  *forwards(): Generator<Buffer, void> {
    this.flush();
    let window: Buffer = Buffer.alloc(0);
    let start = 0;
    for (let at = 0; at < this.#size; ) {
      if (at + frameBytes > start + window.length) [window, start] = [this.#read(at, windowBytes), at];
      const length = window.readUInt32BE(at - start) + 2 * frameBytes;
      if (at + length > start + window.length) [window, start] = [this.#read(at, windowBytes), at];
      yield window.subarray(at - start + frameBytes, at - start + length - frameBytes);
      at += length;
    }
  }

  /** The records, the last one first. */
  *backwards(): Generator<Buffer, void> {
    this.flush();
    let window: Buffer = Buffer.alloc(0);
    let start = this.#size;
    for (let end = this.#size; end > 0; ) {
      if (end - frameBytes < start) [window, start] = this.#readBefore(end);
      const length = window.readUInt32BE(end - frameBytes - start) + 2 * frameBytes;
      if (end - length < start) [window, start] = this.#readBefore(end);
      yield window.subarray(end - length + frameBytes - start, end - frameBytes - start);
      end -= length;
    }
  }

  #readBefore(end: number): [Buffer, number] {
    const start = Math.max(0, end - windowBytes);
    return [this.#read(start, end - start), start];
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(Math.min(length, this.#size - at));
    for (let done = 0; done < bytes.length; ) {
      const count = readSync(this.#file, bytes, done, bytes.length - done, at + done);
      if (count === 0) throw new Error('the file became shorter while it was read');
      done += count;
    }
    return bytes;
  }

  /** Goes from record to record as long as they are whole. */
  #cutTornEnd(): void {
    let whole = 0;
    while (whole < this.#size) {
      const head = this.#read(whole, frameBytes);
      const length = head.length === frameBytes ? head.readUInt32BE(0) : Number.POSITIVE_INFINITY;
      if (length > maximumRecordBytes || whole + length + 2 * frameBytes > this.#size) break;
      const rest = this.#read(whole + frameBytes, length + frameBytes);
      const record = rest.subarray(0, length);
      if (!frameOf(record).equals(head) || !rest.subarray(length).equals(head)) break;
      whole += length + 2 * frameBytes;
    }
    if (whole < fstatSync(this.#file).size) ftruncateSync(this.#file, whole);
    this.#size = whole;
  }
}

function frameOf(record: Uint8Array): Buffer {
  const frame = Buffer.alloc(frameBytes);
  frame.writeUInt32BE(record.length, 0);
  frame.writeUInt32BE(crc32(record), 4);
  return frame;
}
