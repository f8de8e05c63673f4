// What the command line says of a proposal's attestation before a person signs.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reviewOf } from '../../client/src/proposal-review.ts';
import { trustRootOf } from '../support/documents.ts';
import { ed25519Key, p256Key } from '../support/keys.ts';
import { destroyStack, type Stack, startStack } from '../support/stack.ts';
import { makeTeam, type TeamVendor } from '../support/team-vendor.ts';

let stack: Stack;
let team: TeamVendor;
beforeAll(async () => {
  stack = await startStack();
  team = await makeTeam(stack);
});
afterAll(() => destroyStack(stack));

test('the signature is checked: only a build key of the trust root passes', async () => {
  const { id } = await team.propose('1.0.0', randomBytes(2000));
  const outcomeBy = async (trustRoot: TeamVendor['trustRoot'] | null) => {
    const { review } = await reviewOf(team.vendor.client, stack.info, id, { registry: stack.info, trustRoot });
    return review.checks.find(({ name }) => name === "The attestation's signature")?.outcome;
  };
  expect(await outcomeBy(team.trustRoot)).toBe('passed');
  const another = trustRootOf({ product: team.product, buildKeys: [p256Key().publicKey] }, [ed25519Key()]);
  expect(await outcomeBy(another)).toBe('failed');
  expect(await outcomeBy(null)).toBe('unchecked');
});
