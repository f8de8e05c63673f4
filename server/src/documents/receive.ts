import { FirmproofError, isFirmproofError, maximumDocumentBytes } from '@firmproof/protocol';
import type { Request, Response } from 'express';
import type { ImageStore, ReceivedImage } from '../images/image-store.ts';
import { stopReading } from '../images/upload.ts';

/**
 * Streams the body of a request into the block store, whatever it is: nothing of a document is parsed here. On any failure
 * nothing of it is kept.
 * @throws FirmproofError `document-too-large`, `document-empty`, `upload-timeout`, `upload-aborted`, `storage-full`
 */
export async function receiveDocument(
  request: Request,
  response: Response,
  options: {
    readonly store: ImageStore;
    /** A document that brings no byte for this long is given up. */
    readonly stallMilliseconds: number;
  },
): Promise<ReceivedImage> {
  try {
    if (Number(request.get('content-length') ?? 0) > maximumDocumentBytes) throw tooLarge();
    return await options.store.receive(bytesOf(request, options.stallMilliseconds), maximumDocumentBytes);
  } catch (error) {
    stopReading(request, response);
    throw explain(error);
  }
}

const tooLarge = () =>
  new FirmproofError('document-too-large', `documents may have at most ${maximumDocumentBytes} bytes`);

/** The store reads what it wants of the request; the socket stays open for the answer. */
async function* bytesOf(request: Request, stallMilliseconds: number): AsyncGenerator<Uint8Array> {
  const stalled = () =>
    request.destroy(
      new FirmproofError('upload-timeout', `no byte arrived for ${Math.round(stallMilliseconds / 1000)} s`),
    );
  let timer = setTimeout(stalled, stallMilliseconds);
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      clearTimeout(timer);
      yield chunk;
      timer = setTimeout(stalled, stallMilliseconds);
    }
  } finally {
    clearTimeout(timer);
  }
}

function explain(error: unknown): unknown {
  if (!isFirmproofError(error)) {
    return error instanceof Error && 'code' in error && error.code === 'ECONNRESET'
      ? new FirmproofError('upload-aborted', 'the client went away during the upload', { cause: error })
      : error;
  }
  if (error.code === 'image-too-large') return tooLarge();
  if (error.code === 'image-empty') return new FirmproofError('document-empty', 'the document has no bytes');
  return error;
}
