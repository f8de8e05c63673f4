// A release that CI signs without a key, from the command line to a device: Fulcio, Rekor and the timestamp authority of
// @sigstore/mock, real ID tokens, a team that approves.
import { randomBytes } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAttestation, parseEvidence, sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Ci } from '../support/ci.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice } from '../support/device.ts';
import { eventually, stable, temporaryDirectory } from '../support/stack.ts';

let ci: Ci;
let directory: string;
const image = randomBytes(1_300_000);

beforeAll(async () => {
  ci = await Ci.open();
  directory = temporaryDirectory();
  writeFileSync(join(directory, 'firmware.bin'), image);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await ci.close();
});

describe('a team whose releases CI signs', () => {
  test('publishes from a job without any stored secret, and a device proves and installs it', async () => {
    const team = await ci.team('lamp');
    const publish = ['publish', join(directory, 'firmware.bin'), '--keyless', '--product', 'lamp'];
    const done = await ci.command([...publish, '--version', '1.0.0', '--channel', 'stable']);
    expect(done.stderr).toBe('');
    expect(done.code).toBe(0);
    const proposed = JSON.parse(done.stdout);
    expect(proposed).toMatchObject({
      product: team.product,
      version: '1.0.0',
      image: { digest: sha256(image) },
      state: 'approving',
      proposal: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      promotion: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    });
    await team.approve(proposed.proposal);
    await team.approve(proposed.promotion);

    const device = makeDevice(team.trustRoot, [ci.stack.url]);
    try {
      await eventually(
        async () => (await device.check()).verdict,
        ({ outcome }) => outcome === 'update',
        'the update',
      );
      const installed = await runCommand(firmproofAgent, ['install', '--config', device.configFile]);
      expect(installed.stdout).toContain('installed: 1.0.0 runs and is confirmed');
      expect(device.running()).toBe(sha256(image));
    } finally {
      device.destroy();
    }
    const evidence = parseEvidence(await team.vendor.client.evidence(team.product, stable));
    expect(evidence.sigstoreTrustedRoot).toBe(ci.sigstore.trustedRoot);
    expect(parseAttestation(evidence.release?.attestation ?? '')).toMatchObject({ kind: 'keyless' });
  });
});
