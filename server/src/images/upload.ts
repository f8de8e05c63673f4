import { FirmproofError, isFirmproofError } from '@firmproof/protocol';
import type { Request, Response } from 'express';
import multer, { MulterError, type StorageEngine } from 'multer';
import type { ImageStore, ReceivedImage } from './image-store.ts';

const maximumAttestationPartBytes = 128 * 1024;
/** The boundary, the headers and the two text parts around an image. */
const maximumOverheadBytes = 512 * 1024;

type UploadParts = { readonly attestation: string; readonly approval: string };
export type ReceivedUpload = UploadParts & { readonly image: ReceivedImage };

export type UploadOptions = {
  readonly store: ImageStore;
  readonly maximumImageBytes: number;
  /** An upload that brings no byte for this long is ended. */
  readonly stallMilliseconds: number;
  /** Looks at the parts before the first byte of the image is kept. */
  readonly checkParts: (parts: UploadParts) => Promise<unknown>;
};

/**
 * Receives `attestation`, `approval` and `image`, in this order. The image goes through hash and import as it arrives: it is
 * never whole in memory, nor in a temporary file. On any failure nothing of it is kept.
 * @throws FirmproofError `image-too-large`, `upload-*`, `storage-full`, and what `checkParts` throws
 */
export async function receiveUpload(
  request: Request,
  response: Response,
  options: UploadOptions,
): Promise<ReceivedUpload> {
  refuseEarly(request, response, options.maximumImageBytes);
  const failure = new AbortController();
  const stopWatching = watchProgress(request, options.stallMilliseconds, failure);
  const engine = new ImageEngine(options, failure);
  try {
    await Promise.race([
      runMulter(request, response, engine, options.maximumImageBytes),
      engine.failed,
      aborted(failure),
    ]);
    if (engine.received === undefined) {
      throw new FirmproofError('upload-part-missing', 'the part "image" is missing');
    }
    // A second file is refused by multer after the first was kept: `received` is released or discarded by the caller then.
    return { ...partsOf(request), image: engine.received };
  } catch (error) {
    // Whatever still reads is told to end, so that nothing is kept after the answer.
    failure.abort(error);
    await engine.idle;
    await engine.received?.discard();
    stopReading(request, response);
    throw explain(error, failure.signal);
  } finally {
    stopWatching();
  }
}

/** What the headers tell already is refused before the body is read. */
function refuseEarly(request: Request, response: Response, maximumImageBytes: number): void {
  if (!request.is('multipart/form-data')) {
    stopReading(request, response);
    throw new FirmproofError('upload-malformed', 'the request is no multipart/form-data');
  }
  const length = Number(request.get('content-length') ?? 0);
  if (length <= maximumImageBytes + maximumOverheadBytes) return;
  stopReading(request, response);
  throw new FirmproofError('image-too-large', `images may have at most ${maximumImageBytes} bytes`);
}

/** How long the rest of a refused upload is read and thrown away. */
const lingeringMilliseconds = 1000;

/**
 * Nobody has to send the rest of a refused upload. It is read for a moment all the same: closing at once resets the
 * connection, and the client would never see the answer (RFC 9112, 9.6).
 */
export function stopReading(request: Request, response: Response): void {
  if (request.complete) return;
  request.unpipe();
  request.resume();
  const close = () => {
    if (!request.complete) request.socket.destroy();
  };
  response.once('finish', () => setTimeout(close, lingeringMilliseconds).unref());
}

function watchProgress(request: Request, stallMilliseconds: number, failure: AbortController): () => void {
  const stalled = () => {
    failure.abort(
      new FirmproofError('upload-timeout', `no byte arrived for ${Math.round(stallMilliseconds / 1000)} s`),
    );
  };
  let timer = setTimeout(stalled, stallMilliseconds);
  const progress = () => {
    clearTimeout(timer);
    timer = setTimeout(stalled, stallMilliseconds);
  };
  const closed = () => {
    if (!request.complete)
      failure.abort(new FirmproofError('upload-aborted', 'the client went away during the upload'));
  };
  request.on('data', progress);
  request.on('close', closed);
  return () => {
    clearTimeout(timer);
    request.off('data', progress);
    request.off('close', closed);
  };
}

/** multer answers only once the whole request has been read: a failure must not wait for gigabytes, or for ever. */
function aborted({ signal }: AbortController): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function partsOf(request: Request): UploadParts {
  const body: Readonly<Record<string, unknown>> = request.body ?? {};
  const part = (name: string): string => {
    const value = body[name];
    if (typeof value === 'string') return value;
    throw value === undefined
      ? new FirmproofError('upload-part-missing', `the part "${name}" is missing before the image`)
      : new FirmproofError('upload-part-unexpected', `the part "${name}" comes more than once`);
  };
  const unknown = Object.keys(body).find((name) => name !== 'attestation' && name !== 'approval');
  if (unknown !== undefined) throw new FirmproofError('upload-part-unexpected', 'the upload has an unknown part');
  return { attestation: part('attestation'), approval: part('approval') };
}

class ImageEngine implements StorageEngine {
  received: ReceivedImage | undefined;
  /** Settles when nothing of the image is being received any more. */
  idle: Promise<void> = Promise.resolve();
  /** Rejects as soon as the image or what came before it is refused. */
  readonly failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  readonly #options: UploadOptions;
  readonly #failure: AbortController;

  constructor(options: UploadOptions, failure: AbortController) {
    this.#options = options;
    this.#failure = failure;
    const { promise, reject } = Promise.withResolvers<never>();
    promise.catch(() => undefined);
    this.failed = promise;
    this.#fail = reject;
  }

  _handleFile(request: Request, file: Express.Multer.File, callback: (error?: unknown) => void): void {
    const receiving = this.#receive(request, file);
    this.idle = receiving.catch(this.#fail);
    receiving.then(() => callback(), callback);
  }

  async #receive(request: Request, file: Express.Multer.File): Promise<void> {
    const { store, maximumImageBytes, checkParts } = this.#options;
    const { stream } = file;
    const abort = () => stream.destroy(this.#failure.signal.reason);
    this.#failure.signal.addEventListener('abort', abort, { once: true });
    try {
      await checkParts(partsOf(request));
      const image = await store.receive(stream, maximumImageBytes);
      // Past the limit the stream ends as if it were whole (multer 2): the flag is the only sign.
      if ('truncated' in stream && stream.truncated === true) {
        await image.discard();
        throw new FirmproofError('image-too-large', `images may have at most ${maximumImageBytes} bytes`);
      }
      this.received = image;
    } catch (error) {
      stream.resume();
      throw error;
    } finally {
      this.#failure.signal.removeEventListener('abort', abort);
    }
  }

  /** multer calls this for files that came before a failure; the import cleans up after itself. */
  _removeFile(_request: Request, _file: Express.Multer.File, callback: (error: Error | null) => void): void {
    callback(null);
  }
}

function runMulter(
  request: Request,
  response: Response,
  engine: StorageEngine,
  maximumImageBytes: number,
): Promise<void> {
  const receive = multer({
    storage: engine,
    limits: {
      fileSize: maximumImageBytes + 1,
      files: 1,
      fields: 4,
      fieldSize: maximumAttestationPartBytes,
      fieldNameSize: 64,
      parts: 6,
      headerPairs: 16,
    },
  }).single('image');
  return new Promise((resolve, reject) => {
    receive(request, response, (error: unknown) => (error === undefined || error === null ? resolve() : reject(error)));
  });
}

const codesOfMulter: Readonly<Record<string, 'upload-part-unexpected' | 'image-too-large'>> = {
  LIMIT_FILE_SIZE: 'image-too-large',
};

function explain(error: unknown, failure: AbortSignal): unknown {
  if (failure.aborted && isFirmproofError(failure.reason)) return failure.reason;
  if (isFirmproofError(error)) return error;
  if (error instanceof MulterError) {
    return new FirmproofError(
      codesOfMulter[error.code] ?? 'upload-part-unexpected',
      `the upload is refused: ${error.message}`,
      { cause: error },
    );
  }
  const text = error instanceof Error ? error.message : '';
  if (/unexpected end|truncated/i.test(text))
    return new FirmproofError('upload-truncated', 'the upload ends in the middle', { cause: error });
  if (/aborted|closed/i.test(text))
    return new FirmproofError('upload-aborted', 'the client went away during the upload', { cause: error });
  if (/multipart|boundary|malformed|header/i.test(text))
    return new FirmproofError('upload-malformed', 'the upload is no well-formed multipart/form-data', { cause: error });
  return error;
}
