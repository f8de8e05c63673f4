import { FirmproofError, parseProductId, signedReportSchema } from '@firmproof/protocol';
import { Router } from 'express';
import type { Dependencies } from './dependencies.ts';
import { bodyOf, parameter } from './parameters.ts';
import { createRateLimit } from './rate-limit.ts';

/** A device has a few words to say a month; behind one address there may be a whole site of them. */
const reportsPerMinute = 600;

/** What devices report, and what it comes to. */
export function reportRoutes({ reports, intake, tokens, nowSeconds }: Dependencies): Router {
  const router = Router();
  const mayReport = createRateLimit({ perMinute: reportsPerMinute, nowSeconds });

  router.post('/v1/products/:product/reports', async (request, response) => {
    const product = parseProductId(parameter(request, 'product'));
    if (!mayReport(request.socket.remoteAddress ?? '')) {
      throw new FirmproofError('quota-exceeded', `at most ${reportsPerMinute} reports a minute from one address`);
    }
    await intake.productRow(product);
    await reports.receive(product, bodyOf(request, signedReportSchema));
    response.status(204).end();
  });

  router.get('/v1/products/:product/reports/summary', async (request, response) => {
    const owner = await tokens.require(request);
    const product = parseProductId(parameter(request, 'product'));
    await intake.requireProposer(product, owner);
    response.setHeader('cache-control', 'no-store').json(await reports.summary(product));
  });

  return router;
}
