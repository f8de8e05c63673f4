import { FirmproofError, isErrorCode, problemSchema } from '@firmproof/protocol';
import type * as z from 'zod';

const timeoutMilliseconds = 30_000;
const maximumAnswerBytes = 32 * 1024 * 1024;

/**
 * Asks a server, as somebody whom it does not know: no cookies, no referrer, no redirect to elsewhere.
 * @throws FirmproofError `server-unreachable`, and what the server answers
 */
export async function requestFrom(server: string, path: string, init: RequestInit = {}): Promise<Response> {
  const response = await fetch(`${server}${path}`, {
    signal: AbortSignal.timeout(timeoutMilliseconds),
    credentials: 'omit',
    referrerPolicy: 'no-referrer',
    redirect: 'error',
    cache: 'no-store',
    ...init,
  }).catch((cause: unknown) => {
    throw new FirmproofError('server-unreachable', `${server} does not answer`, { cause });
  });
  if (!response.ok) throw await problemOf(response, server);
  return response;
}

/** As `requestFrom`, with the answer as text of bounded size. */
export async function textFrom(
  server: string,
  path: string,
  init?: RequestInit,
  maximumBytes = maximumAnswerBytes,
): Promise<string> {
  return new TextDecoder().decode(await bytesFrom(server, path, init, maximumBytes));
}

/** As `requestFrom`, with the answer as bytes, of which there are at most `maximumBytes`. */
export async function bytesFrom(
  server: string,
  path: string,
  init?: RequestInit,
  maximumBytes = maximumAnswerBytes,
): Promise<Uint8Array<ArrayBuffer>> {
  return boundedBytes(await requestFrom(server, path, init), server, maximumBytes);
}

/** As `requestFrom`, with the answer read by its schema. */
export async function readFrom<Schema extends z.ZodType>(
  server: string,
  schema: Schema,
  path: string,
  init?: RequestInit,
): Promise<z.output<Schema>> {
  const text = await textFrom(server, path, init);
  const parsed = schema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw new FirmproofError('server-unreachable', `${server} answers in a form that these pages do not know`, {
    hint: 'Check that the pages and the server are of the same version.',
  });
}

/** Who answers without end is stopped: a server is not believed in this either. */
export async function boundedBytes(
  response: Response,
  server: string,
  maximumBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  try {
    for (const reader = response.body?.getReader(); reader !== undefined; ) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > maximumBytes) {
        await reader.cancel();
        throw new FirmproofError('server-unreachable', `${server} answers with more than ${maximumBytes} bytes`);
      }
      chunks.push(value);
    }
  } catch (cause) {
    if (cause instanceof FirmproofError) throw cause;
    throw new FirmproofError('server-unreachable', `the answer of ${server} breaks off`, { cause });
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function problemOf(response: Response, server: string): Promise<FirmproofError> {
  const problem = problemSchema.safeParse(await response.json().catch(() => null));
  if (!problem.success) return new FirmproofError('server-unreachable', `${server} answers ${response.status}`);
  const { code, detail, hint } = problem.data;
  return new FirmproofError(isErrorCode(code) ? code : 'internal', detail, { hint });
}
