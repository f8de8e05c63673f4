import {
  enrolmentTag,
  FirmproofError,
  maximumMessageBytes,
  type ProductId,
  parseEnrolment,
  parseProductId,
  readMessageSignature,
  sha256,
} from '@firmproof/protocol';
import { verifyMessage } from '@firmproof/protocol/node/message-signature';
import express, { type Request, Router } from 'express';
import type { SignedMessage } from '../devices/signed-message.ts';
import type { Dependencies } from './dependencies.ts';
import { parameter } from './parameters.ts';
import { createRateLimit } from './rate-limit.ts';

/** Behind one address there may be a whole site of devices, or a factory. */
const receiptsPerMinute = 3000;
const enrolmentsPerMinute = 300;

/** What devices send, signed by their keys. The body is taken as it came: the signature is about its bytes (S1). */
export function deviceMessageRoutes({ devices, intake, nowSeconds }: Dependencies): Router {
  const router = Router();
  const readBody = express.text({ type: () => true, limit: maximumMessageBytes });

  function limited(perMinute: number, what: string) {
    const may = createRateLimit({ perMinute, nowSeconds });
    return (request: Request, _response: unknown, next: () => void) => {
      if (!may(request.socket.remoteAddress ?? ''))
        throw new FirmproofError('quota-exceeded', `at most ${perMinute} ${what} a minute from one address`);
      next();
    };
  }

  async function productOf(request: Request): Promise<ProductId> {
    const product = parseProductId(parameter(request, 'product'));
    await intake.productRow(product);
    return product;
  }

  router.post(
    '/v1/products/:product/receipts',
    limited(receiptsPerMinute, 'receipts'),
    readBody,
    async (request, response) => {
      await devices.receipts.receive(await productOf(request), messageOf(request));
      response.status(204).end();
    },
  );

  router.post(
    '/v1/products/:product/devices',
    limited(enrolmentsPerMinute, 'enrolments'),
    readBody,
    async (request, response) => {
      const product = await productOf(request);
      const message = messageOf(request);
      const signature = readMessageSignature(message.headers, {
        tag: enrolmentTag,
        nowSeconds: nowSeconds(),
        maximumAgeSeconds: null,
      });
      const enrolment = parseEnrolment(message.body);
      const { keyDigest } = signature;
      if (sha256(Buffer.from(enrolment.publicKey, 'base64')) !== keyDigest)
        throw new FirmproofError('enrolment-malformed', 'the message is signed by another key than it names');
      verifyMessage(message, enrolment.publicKey);
      const answer = await devices.enrolments.enrol(product, enrolment, keyDigest);
      response
        .status(answer.state === 'enrolled' ? 201 : 202)
        .setHeader('cache-control', 'no-store')
        .json(answer);
    },
  );

  return router;
}

const messageOf = (request: Request): SignedMessage => ({
  path: request.path,
  headers: request.headers,
  body: typeof request.body === 'string' ? request.body : '',
});
