// The page for small devices is proved by a verifier in C that knows the page and nothing of the agent: it comes to the same
// verdicts, by the same numbers.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evidenceCases } from '../support/evidence-cases.ts';
import { compileForSmallDevice, compiler } from '../support/small-device.ts';
import { temporaryDirectory } from '../support/stack.ts';

// biome-ignore lint/suspicious/noExplicitAny: read as another language would.
const vectors = (name: string): any =>
  JSON.parse(readFileSync(new URL(`../../docs/spec/vectors/${name}.json`, import.meta.url), 'utf8'));
const vector = vectors('evidence');
const { rolloutSecret, steps } = vectors('steps');

describe.skipIf(compiler === undefined)('a verifier in C', () => {
  let directory: string;
  let verify: ReturnType<typeof compileForSmallDevice>;

  beforeAll(() => {
    directory = temporaryDirectory();
    verify = compileForSmallDevice('verify', directory);
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function judge(
    evidence: object | string,
    change: object = {},
    more: readonly string[] = [],
    trustRoot = vector.trustRoot,
  ) {
    const { device, nowSeconds } = vector;
    const files = {
      'trust-root.json': trustRoot,
      'evidence.json': evidence,
      'device.json': { ...device, nowSeconds, rolloutSecret, ...change },
    };
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
    return verify(...Object.keys(files).map((name) => join(directory, name)), ...more);
  }

  test('comes to the verdict of the vectors, by every number of them', () => {
    const { code, lines } = judge(vector.evidence, {}, ['steps']);
    expect(lines.pop()).toBe(`update ${vector.proves.version} ${vector.proves.image}`);
    expect(Object.fromEntries(lines.map((line) => line.split(' ')))).toEqual(steps);
    expect(code).toBe(0);
  });

  test('refuses every change of the evidence with the code that the agent has for it', () => {
    const cases = evidenceCases(vector);
    expect(cases.length).toBeGreaterThan(10);
    for (const [expected, document, change, nowSeconds] of cases) {
      const result = judge(document, { ...change, ...(nowSeconds && { nowSeconds }) });
      expect(result, expected).toEqual({ code: 1, lines: [expected] });
    }
  });

  test('refuses signatures of a byte less, or over other bytes', () => {
    const { payload, ...envelope } = vector.trustRoot;
    const changed = { ...envelope, payload: Buffer.from(`${Buffer.from(payload, 'base64')} `).toString('base64') };
    expect(judge(vector.evidence, {}, [], changed).lines).toEqual(['trust-root-signature-invalid']);
    const twice = [vector.evidence.cosignatures[0], vector.evidence.cosignatures[0]];
    expect(judge({ ...vector.evidence, cosignatures: twice }).lines).toEqual(['no-quorum']);
  });

  test('ends with a code on evidence that is cut off anywhere', () => {
    const text = JSON.stringify(vector.evidence);
    for (let length = 0; length < text.length; length += 997) {
      const { code, lines } = judge(text.slice(0, length));
      expect(code, lines.join()).toBe(1);
    }
  });
});
