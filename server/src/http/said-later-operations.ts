import { keptStatementSchema, pageOf, signedStatementRequestSchema } from '@firmproof/protocol';
import type { Operation } from './openapi.ts';

const product = '/v1/products/{product}';

/** Rows of the API's table for what is signed about releases later. */
export const saidLaterOperations: readonly Operation[] = [
  {
    method: 'post',
    path: `${product}/releases/{version}/rebuilds`,
    summary: 'Send a rebuild that a rebuilder of the trust root has signed; 200 where it is here already',
    request: signedStatementRequestSchema,
    status: 201,
    answer: keptStatementSchema,
  },
  {
    method: 'get',
    path: `${product}/releases/{version}/rebuilds`,
    summary: 'What rebuilders have signed about a release, newest first',
    status: 200,
    answer: pageOf(keptStatementSchema),
  },
  {
    method: 'post',
    path: `${product}/advisories`,
    summary:
      'Publish a revision of an advisory that a build key or an identity has signed; 200 where it is here already',
    request: signedStatementRequestSchema,
    token: ['publish', 'propose'],
    status: 201,
    answer: keptStatementSchema,
  },
  {
    method: 'get',
    path: `${product}/advisories`,
    summary: 'The newest revision of each advisory, by id. ?version=VERSION: only those about it',
    status: 200,
    answer: pageOf(keptStatementSchema),
  },
  {
    method: 'get',
    path: `${product}/advisories/{id}`,
    summary: 'All revisions of an advisory, newest first',
    status: 200,
    answer: pageOf(keptStatementSchema),
  },
];
