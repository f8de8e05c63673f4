import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { errorsFile, renderErrors } from './render-errors.ts';

test('docs/errors.md says what the catalogue says', () => {
  expect(readFileSync(errorsFile, 'utf8')).toBe(renderErrors());
});
