import { accountInterface, anchorInterface, registryInterface } from '@firmproof/contracts';
import { errorCatalogue } from '@firmproof/protocol';
import { describe, expect, test } from 'vitest';
import { revertCodes } from '../../../server/src/chain/contracts.ts';

/** Of a library for short strings, thrown by constructors at most. */
const ofNoCall = ['InvalidShortString', 'StringTooLong'];

const errorsOf = (abi: typeof registryInterface) =>
  abi.fragments
    .filter(({ type }) => type === 'error')
    .map((fragment) => ('name' in fragment ? String(fragment.name) : ''))
    .filter((name) => !ofNoCall.includes(name));

describe.each([
  ['registry', registryInterface],
  ['vendor account', accountInterface],
  ['device anchor', anchorInterface],
])('the errors of the %s', (_, abi) => {
  test.each(errorsOf(abi))('%s has a code that people can do something with', (name) => {
    expect(revertCodes).toHaveProperty(name);
    expect(errorCatalogue).toHaveProperty(String(revertCodes[name]));
  });
});
