import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registryInterface } from '@firmproof/contracts';
import type { InstallResult } from '@firmproof/device-agent';
import { type ErrorCode, parseVersion, sha256 } from '@firmproof/protocol';
import type { TestDevice } from '../test/support/device.ts';
import { type EvidenceDocument, flipByte, forgeProof, type Lie } from '../test/support/lying-server.ts';
import { lyingCosignature, publishDirectly, publishWithStolenApprovalKey } from '../test/support/thief.ts';
import type { Narrator, Outcome } from './narrator.ts';
import { demoPassphrase, hardware, promote, qaOf, seen, stable, type World } from './world.ts';

/** What `npm run play` offers too: lies of whoever owns the server or the way to it. */
export const lies = {
  'flip-byte': (): Lie => ({ block: (bytes) => flipByte(bytes) }),
  'old-release': (old: EvidenceDocument): Lie => ({ evidence: () => old }),
  'forge-record': (): Lie => ({
    evidence: (document) => {
      const { storageProofs } = document;
      return {
        ...document,
        storageProofs: { ...storageProofs, releaseCommitment: forgeProof(storageProofs.releaseCommitment) },
      };
    },
  }),
};

/** The device must refuse with exactly this code and be none the worse for it. */
async function refuses(device: TestDevice, code: ErrorCode, attack: () => Promise<InstallResult>): Promise<Outcome> {
  const before = JSON.stringify(await device.fingerprint());
  const result = await attack();
  const unchanged = JSON.stringify(await device.fingerprint()) === before;
  const answer = 'code' in result ? result.code : undefined;
  const ok = answer === code && unchanged;
  const saw = 'message' in result ? result.message : `the device took it: ${result.outcome}`;
  return {
    ok,
    saw: `${saw}${unchanged ? '; what ran keeps running' : '; THE DEVICE CHANGED'}`,
    ...(answer && { code: answer }),
  };
}

/** Two of three witnesses, or one, say that the block was another. */
function lyingWitnesses(world: World, liars: readonly number[]): Lie {
  return {
    evidence: (document) => {
      const other = { ...document.block, stateRoot: `0x${createHash('sha256').update('another state').digest('hex')}` };
      const lying = liars.map((index) => lyingCosignature(join(world.directory, 'server'), index, other));
      const cosignatures = document.cosignatures.map(
        (honest: { publicKey: string }) => lying.find(({ publicKey }) => publicKey === honest.publicKey) ?? honest,
      );
      return { ...document, cosignatures };
    },
  };
}

/** The server waits for a second approval that never comes, and the contract refuses the first one alone. */
export async function stolenKey(world: World): Promise<Outcome> {
  const { vendor, product, home, stack, directory, garage } = world;
  const file = join(directory, 'images', 'prime-hub-thief.bin');
  writeFileSync(file, 'what the thief wants you to run');
  const options = { product, version: parseVersion('6.6.6'), hardware: [hardware] };
  const prepared = await vendor.prepare(file, options, await home.openBuildKey(demoPassphrase));
  const proposal = await vendor.upload(file, prepared);
  const waiting = await vendor.client.follow(proposal.id, undefined, { untilItWaits: true });
  const stolen = { server: stack, directory: join(directory, 'server'), vendor };
  const release = { image: prepared.image.digest, attestation: sha256(Buffer.from('any')), rollbackIndex: 0 };
  const past = await publishDirectly(stolen, product, parseVersion('6.6.7'), release).then(
    () => 'the registry took it',
    (error: unknown) => (String(error).includes(approvalRefused) ? 'refused' : String(error)),
  );
  const { verdict } = await garage.check();
  const ok = waiting.reason?.code === 'approvals-missing' && past === 'refused' && verdict.outcome === 'current';
  return {
    ok,
    saw: `the server: ${waiting.reason?.message}; the contract, asked past the server: ${past}; devices see nothing`,
    code: 'approvals-missing',
  };
}

/** What the registry reverts with: the selector of its error. */
const approvalRefused = registryInterface.getError('ApprovalRefused')?.selector ?? 'ApprovalRefused';

/** The attempts on devices, in the order of the story. `old` is evidence from when 7.27.0 was the newest. */
export async function attack(world: World, narrator: Narrator, old: EvidenceDocument): Promise<void> {
  const { between, kitchen, garage } = world;

  await narrator.step(
    'flip-byte',
    'Somebody owns the gateway that the garage device downloads from, and flips one byte of every block.',
    async () => {
      await seen(garage, 'update');
      return refuses(garage, 'block-digest-mismatch', () => between.lying(lies['flip-byte'](), () => garage.install()));
    },
  );
  await narrator.step(
    'old-release',
    'Somebody owns the server and offers the kitchen device 7.27.0 again, with the genuine evidence of that day.',
    () => refuses(kitchen, 'sequence-rollback', () => between.lying(lies['old-release'](old), () => kitchen.install())),
  );
  await narrator.step('forge-record', 'Then it changes what the contract is said to have stored.', () =>
    refuses(garage, 'storage-proof-invalid', () => between.lying(lies['forge-record'](), () => garage.install())),
  );
  await narrator.step(
    'stranger-key',
    'A thief has two approval keys *and* the server: the release is really on chain. But the build key is the thief’s own.',
    () => strangersKey(world),
  );
  await narrator.step(
    'one-lying-witness',
    'The vendor puts 7.28.0 back. One of the three witnesses now swears to a block that never was.',
    () => oneLyingWitness(world),
  );
  await narrator.step(
    'two-lying-witnesses',
    'Two of three witnesses swear to it: too few are left for the real block.',
    () => refuses(garage, 'no-quorum', () => between.lying(lyingWitnesses(world, [1, 2]), () => garage.install())),
  );
  await narrator.step(
    'revoked',
    'The vendor finds a hole in 7.28.0 and revokes it. The garage device, still on 7.27.0, must not take it any more.',
    () => revoked(world),
  );
}

async function strangersKey(world: World): Promise<Outcome> {
  const { garage, product, stack, vendor, directory } = world;
  const file = join(directory, 'images', 'prime-hub-hostile.bin');
  writeFileSync(file, 'hostile firmware');
  const options = { product, version: parseVersion('7.29.0'), hardware: [hardware] };
  await publishWithStolenApprovalKey(
    { server: stack, directory: join(directory, 'server'), vendor, signers: [world.team.qa] },
    file,
    options,
    stable,
  );
  await seen(garage, 'attestation-key-unknown');
  return refuses(garage, 'attestation-key-unknown', () => garage.install());
}

async function oneLyingWitness(world: World): Promise<Outcome> {
  const { garage, between, vendor, product } = world;
  const qa = qaOf(world);
  await qa(vendor, await vendor.revoke(product, parseVersion('7.29.0')));
  await promote(world, '7.28.0', qa);
  await seen(garage, 'update');
  const { verdict } = await between.lying(lyingWitnesses(world, [1]), () => garage.check());
  const ok = verdict.outcome === 'update';
  return { ok, saw: ok ? 'the other two are enough: 7.28.0 is proven' : `${verdict.outcome}: ${verdict.message}` };
}

async function revoked(world: World): Promise<Outcome> {
  const { garage, kitchen, vendor, product, team } = world;
  await team.officer.approve(vendor, await vendor.revoke(product, parseVersion('7.28.0')));
  await seen(garage, 'head-revoked');
  const outcome = await refuses(garage, 'head-revoked', () => garage.install());
  const { installed } = await kitchen.status();
  return { ...outcome, ok: outcome.ok && installed.version === '7.28.0' };
}
