// Writes docs/spec/vectors/steps.json from evidence.json: `node test/docs/generate-step-vectors.ts`.
import { readFileSync, writeFileSync } from 'node:fs';
import { stepsOf } from '../support/step-vectors.ts';

const vector = (name: string) => new URL(`../../docs/spec/vectors/${name}.json`, import.meta.url);
const { device, ...evidence } = JSON.parse(readFileSync(vector('evidence'), 'utf8'));
const rolloutSecret = '00'.repeat(32);
const steps = await stepsOf({ ...evidence, device: { ...device, rolloutSecret } });
writeFileSync(vector('steps'), `${JSON.stringify({ of: 'evidence.json', rolloutSecret, steps }, null, 2)}\n`);
