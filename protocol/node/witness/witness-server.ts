import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Witness } from './witness.ts';

const problem = {
  type: 'https://firmproof.dev/errors#witness-refused',
  title: 'witness-refused',
  code: 'witness-refused',
};

/** Hands out cosignatures: GET /v1/cosignatures/latest, GET /v1/cosignatures/{number}, GET /healthz. */
export function createWitnessServer(witness: Witness): Server {
  return createServer((request, response) => {
    void answer(witness, request.method ?? '', request.url ?? '', response);
  });
}

async function answer(witness: Witness, method: string, path: string, response: ServerResponse): Promise<void> {
  if (method !== 'GET') return send(response, 405, { ...problem, status: 405, detail: 'only GET is served' });
  if (path === '/healthz')
    return send(response, 200, { status: 'ok', operator: witness.operator, publicKey: witness.publicKey });
  const wanted = /^\/v1\/cosignatures\/(latest|\d{1,15})$/.exec(path)?.[1];
  const found =
    wanted === undefined ? null : wanted === 'latest' ? witness.latest() : await witness.cosignatureFor(Number(wanted));
  if (found === null) {
    return send(response, 404, {
      ...problem,
      status: 404,
      detail: 'this witness vouches for no such block',
      hint: 'Ask for a final block.',
    });
  }
  send(response, 200, found);
}

function send(response: ServerResponse, status: number, body: object): void {
  const type = status === 200 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(JSON.stringify(body));
}
