import { FirmproofError, parseProductId, parseSha256Digest } from '@firmproof/protocol';
import { type Request, type Response, Router } from 'express';
import type { Documents, KeptDocument } from '../documents/documents.ts';
import { receiveDocument } from '../documents/receive.ts';
import { cachingFor, sendBytes } from '../images/gateway.ts';
import type { Dependencies } from './dependencies.ts';
import { isUnchanged, parameter } from './parameters.ts';

/** Documents about releases. Before anything parses a body: they are taken as they come. */
export function documentRoutes({ config, documents, intake, tokens, uploadQuota }: Dependencies): Router {
  const router = Router();

  router.post('/v1/products/:product/documents', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const owner = await tokens.require(request);
    await intake.requireProposer(product, owner);
    await uploadQuota.require(owner);
    await documents.requireRoom(product);
    const { store } = documents;
    const stallMilliseconds = config.uploadStallSeconds * 1000;
    const received = await receiveDocument(request, response, { store, stallMilliseconds });
    try {
      await uploadQuota.count(owner, received.sizeBytes);
      await documents.pin(product, received);
    } catch (error) {
      await received.discard();
      throw error;
    }
    received.release();
    const { digest, cid, sizeBytes } = received;
    response.status(201).setHeader('cache-control', 'no-store').json({ digest, cid, sizeBytes });
  });

  router.get('/v1/products/:product/documents/:digest', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    const digest = parseSha256Digest(parameter(request, 'digest'));
    const document = await documents.find(product, digest);
    const { publisher } = await intake.productRow(product);
    // That it is here, too, is told only to those who may have it.
    if (document === null || !(document.isOpen || (await tokens.publisherOf(request)) === publisher))
      throw missing(digest);
    await sendDocument(request, response, documents, document);
  });

  return router;
}

export const missing = (digest: string) =>
  new FirmproofError('document-missing', `there is no document ${digest} here`);

/** Whatever is in it, a browser only ever keeps it as a file: nothing of it runs on this origin. */
export async function sendDocument(
  request: Request,
  response: Response,
  { store }: Documents,
  { digest, cid, isOpen }: KeptDocument,
): Promise<void> {
  response.setHeader('content-type', 'application/octet-stream');
  response.setHeader('content-disposition', `attachment; filename="${digest}"`);
  response.setHeader('content-security-policy', "default-src 'none'; sandbox");
  response.setHeader('cache-control', cachingFor(isOpen ? 'everybody' : 'publisher'));
  response.setHeader('etag', `"${digest}"`);
  if (isUnchanged(request, `"${digest}"`)) response.status(304).end();
  else await sendBytes(request, response, store, cid);
}
