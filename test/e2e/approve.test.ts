import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseVersion } from '@firmproof/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { destroyStack, eventually, type Stack, stable, startStack } from '../support/stack.ts';
import { cycloneDx } from '../support/supply-chain.ts';
import { p256Signer, passkeySigner, walletSigner } from '../support/team.ts';
import { type Member, memberOf } from '../support/team-home.ts';
import { makeTeam, type TeamVendor } from '../support/team-vendor.ts';

const [wallet, p256, passkey, guardianKey] = [walletSigner(), p256Signer(), passkeySigner(), walletSigner()];
const sbom = (...parts: [string, string, string?][]) =>
  JSON.stringify(cycloneDx(parts.map(([name, version, license = 'MIT']) => ({ name, version, license }))));

let stack: Stack;
let team: TeamVendor;
let builder: Member;
let officer: Member;
let guardian: Member;
let image: string;

beforeAll(async () => {
  stack = await startStack();
  team = await makeTeam(stack, { signers: [wallet, p256, passkey], guardian: guardianKey.wallet.address });
  builder = await memberOf(team, wallet, { isBuilder: true });
  officer = await memberOf(team, p256);
  guardian = await memberOf(team, guardianKey, { isAlone: true });
  image = file('image.bin', randomBytes(300_000));
});
afterAll(() => destroyStack(stack));

function file(name: string, content: Buffer | string): string {
  const path = join(stack.directory, name);
  writeFileSync(path, content);
  return path;
}

/** Must fail with this code, in one line of JSON on stderr, and exit so. */
async function fails(member: Member, code: string, exitCode: number, ...args: string[]) {
  const outcome = await member.run(...args, '--json');
  expect(JSON.parse(outcome.stderr)).toMatchObject({ code, hint: expect.stringMatching(/\S/) });
  expect(outcome.code).toBe(exitCode);
}

/** A release on chain, by the API: what the commands start from. */
async function released(version: string): Promise<void> {
  const proposal = await team.propose(version, randomBytes(5000));
  await team.approve(proposal, p256);
  await team.settle(proposal);
}

async function promoted(version: string): Promise<void> {
  const promotion = await team.vendor.promote(team.product, stable, parseVersion(version));
  await team.approve(promotion, p256);
  await team.settle(promotion);
}

const channel = () => team.vendor.client.channel(team.product, stable);
const both = async (member: Member, ...ids: string[]) => member.json('approve', '--yes', '--wait', ...ids);

describe('a release by a team', () => {
  test('is proposed by one and approved by another, who has seen what it is', async () => {
    const materials = file('sbom-1.json', sbom(['openssl', '3.5.0'], ['zlib', '1.3']));
    const proposed = await builder.json(
      'publish',
      image,
      '--version',
      '1.0.0',
      '--channel',
      'stable',
      '--sbom',
      materials,
    );
    expect(proposed).toMatchObject({ state: 'approving' });
    const { proposal, promotion } = proposed as never as { proposal: string; promotion: string };
    const { stderr, stdout, code } = await officer.run('approve', proposal, '--image', image, '--yes', '--wait');
    expect(code, stderr).toBe(0);
    expect(stderr).toContain('Release team-product 1.0.0');
    expect(stderr).toContain('✓ The link');
    expect(stderr).toContain('✓ The attestation');
    expect(stderr).toContain('✓ The image');
    expect(stderr).toContain('? The attestation');
    expect(stdout).toContain('on chain');
    // With several ids the image is compared with the release among them; what is approved already is said to be.
    const again = await officer.run('approve', proposal, promotion, '--image', image, '--yes', '--wait');
    expect(again.code, again.stderr).toBe(0);
    expect(again.stdout).toContain('Release team-product 1.0.0: you have approved it already');
    expect(again.stdout).toContain('approved, and on chain');
    await fails(officer, 'usage-invalid', 2, 'approve', promotion, '--image', image, '--yes');
    expect(await channel()).toMatchObject({ version: '1.0.0' });
  });

  test('shows how it differs from the one before', async () => {
    const materials = file('sbom-2.json', sbom(['openssl', '3.5.1', 'AGPL-3.0-only'], ['mbedtls', '4.0']));
    const next = file('image-2.bin', randomBytes(310_000));
    const { proposal } = await builder.json('publish', next, '--version', '1.1.0', '--sbom', materials);
    const { stderr } = await officer.run('approve', String(proposal), '--yes', '--wait');
    expect(stderr).toContain('Compared with 1.0.0');
    expect(stderr).toMatch(/Component openssl +3\.5\.0 +3\.5\.1/);
    expect(stderr).toMatch(/License of openssl +MIT +AGPL-3\.0-only/);
    expect(stderr).toContain('✓ The documents');
    expect(stderr).toMatch(/SBOM +sbom-2\.json: cyclonedx, [\d,]+ bytes/);
    expect(stderr).toMatch(/Component zlib +1\.3 +–/);
    expect(stderr).toMatch(/Component mbedtls +– +4\.0/);
    expect(stderr).toMatch(/Size +300,000 bytes.* +310,000 bytes/);
  });

  test('is not approved with another image, by a stranger, or without being asked', async () => {
    const { proposal } = await builder.json('publish', image, '--version', '1.2.0');
    await fails(
      officer,
      'statement-subject',
      3,
      'approve',
      String(proposal),
      '--yes',
      '--image',
      join(stack.directory, 'image-2.bin'),
    );
    await fails(officer, 'usage-invalid', 2, 'approve', String(proposal));
    await fails(guardian, 'signer-unknown', 4, 'approve', String(proposal), '--yes');
    const { approvals } = await team.vendor.client.proposal(String(proposal));
    expect(approvals).toHaveLength(1);
    await officer.json('reject', String(proposal), '--reason', 'not tested on rev-3');
    expect(await officer.json('proposal', 'show', String(proposal))).toMatchObject({
      rejections: [{ reason: 'not tested on rev-3' }],
    });
    const { stdout } = await officer.run('proposal', 'list');
    expect(stdout.split('\n')[1]).toMatch(/publish 1\.2\.0 +approving +1 of 2 +rejected/);
    const { proposals } = await officer.json('proposal', 'list');
    expect((proposals as unknown as { id: string }[]).map(({ id }) => id)).toContain(proposal);
  });
});

describe('a server that does not relay', () => {
  beforeAll(async () => {
    for (const version of ['2.0.0', '2.1.0']) await released(version);
    await promoted('2.0.0');
  });

  test('is done without: export, and any node of the chain (A24)', async () => {
    const { fallbacks, proposal } = (await builder.json(
      ...['promote', '--version', '2.1.0', '--fallback', '2.0.0'],
    )) as never as { fallbacks: string[]; proposal: string };
    await both(officer, proposal);
    // Held back, this server relays it for nobody: what happens here would happen with one that will not.
    const [back = ''] = fallbacks;
    const exported = join(stack.directory, 'back.json');
    await fails(builder, 'approvals-missing', 3, 'proposal', 'export', back, '--output', exported);
    await officer.json('approve', back, '--yes');
    await builder.json('proposal', 'export', back, '--output', exported);
    expect(JSON.parse(readFileSync(exported, 'utf8'))).toMatchObject({ to: stack.info.registry, kind: 'promote' });
    const key = join(stack.directory, 'chain', 'relayer.key');
    await fails(
      builder,
      'relay-file-malformed',
      2,
      ...['proposal', 'relay', key, '--rpc', stack.rpcUrl, '--key-file', key],
    );
    const sent = await builder.json('proposal', 'relay', exported, '--rpc', stack.rpcUrl, '--key-file', key);
    expect(sent).toMatchObject({ transaction: expect.stringMatching(/^0x/) });
    await eventually(channel, ({ version }) => version === '2.0.0', 'the way back');
    await fails(
      builder,
      'transaction-reverted',
      3,
      ...['proposal', 'relay', exported, '--rpc', stack.rpcUrl, '--key-file', key],
    );
  });
});

describe('a bad night', () => {
  beforeAll(async () => {
    for (const version of ['3.0.0', '3.1.0']) await released(version);
  });
  beforeEach(() => promoted('3.0.0'));

  test('one person stops a release, and takes the prepared way back', async () => {
    const { fallbacks, proposal } = (await builder.json(
      ...['promote', '--version', '3.1.0', '--fallback', '3.0.0'],
    )) as never as { fallbacks: string[]; proposal: string };
    expect(fallbacks).toHaveLength(2);
    await both(officer, proposal);
    for (const id of fallbacks) await officer.json('approve', id, '--yes');
    await eventually(
      () => team.vendor.client.evidence(team.product, stable),
      () => true,
      'evidence',
    );
    const stopped = await guardian.json('stop', 'stable');
    expect(stopped).toMatchObject({ halted: true, stopped: { version: '3.1.0' }, reachedPercent: 100 });
    expect(await channel()).toMatchObject({ halted: true });
    expect(await guardian.json('fall-back', 'stable')).toMatchObject({ version: '3.0.0', state: 'confirmed' });
    expect(await channel()).toMatchObject({ halted: false, version: '3.0.0' });
    await fails(guardian, 'proposal-not-found', 3, 'fall-back', 'stable');
  });

  test('without a guardian’s key the server stops at once, and the halt waits for approvals', async () => {
    const stopped = await builder.json('stop', 'stable');
    expect(stopped).toMatchObject({ halted: false });
    expect(await channel()).toMatchObject({ stopped: true, halted: false });
    expect(await builder.json('resume', 'stable')).toMatchObject({ version: '3.0.0' });
    expect(await channel()).toMatchObject({ stopped: false });
  });

  test('a halted channel goes on with a promotion that people approve', async () => {
    await guardian.json('stop', 'stable');
    const { proposal, state } = await builder.json('resume', 'stable');
    expect(state).toBe('approving');
    await both(officer, String(proposal));
    expect(await channel()).toMatchObject({ halted: false, version: parseVersion('3.0.0') });
  });
});
