import * as z from 'zod';

const problemSchema = z.object({ code: z.string().regex(/^[a-z0-9-]{1,64}$/) });

/**
 * ` (code)` of a problem+json, or nothing. The rest of what a server says is not repeated: it may say back what it was sent,
 * a claim token among it (A40).
 */
export function problemCode(text: string): string {
  try {
    return ` (${problemSchema.parse(JSON.parse(text)).code})`;
  } catch {
    return '';
  }
}
