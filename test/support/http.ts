import { type Problem, problemSchema } from '@firmproof/protocol';

export const boundary = 'firmproof-test-boundary';

/** A multipart body, part by part, so that a test can leave out, repeat or spoil what it likes. */
export function multipart(
  parts: readonly (readonly [name: string, content: string | Buffer, file?: true])[],
  end = true,
): Buffer {
  const chunks = parts.flatMap(([name, content, file]) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${file ? '; filename="image.bin"\r\ncontent-type: application/octet-stream' : ''}\r\n\r\n`,
    ),
    Buffer.from(content as string),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...chunks, Buffer.from(end ? `--${boundary}--\r\n` : '')]);
}

/** The answer must be a problem of RFC 9457; answers with it. */
export async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) {
    throw new Error(`no problem: ${response.status} ${text.slice(0, 200)}`);
  }
  const problem = problemSchema.parse(JSON.parse(text));
  if (problem.status !== response.status)
    throw new Error(`status ${response.status}, the problem says ${problem.status}`);
  return problem;
}
