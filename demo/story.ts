import type { TestDevice } from '../test/support/device.ts';
import type { EvidenceDocument } from '../test/support/lying-server.ts';
import { stolenKey } from './attacks.ts';
import type { FirmwareVersion } from './firmware.ts';
import type { Narrator, Outcome } from './narrator.ts';
import {
  type Approving,
  openDevice,
  openStack,
  openTeam,
  publish,
  qaOf,
  seen,
  sizeOf,
  stable,
  type World,
} from './world.ts';

type Ports = { readonly server: number; readonly between: number };

/** From nothing to a fleet of two: one device on 7.28.0, one that could be. Answers the world and evidence of 7.27.0. */
export async function tell(
  directory: string,
  narrator: Narrator,
  ports: Ports,
): Promise<{ readonly world: World; readonly old: EvidenceDocument }> {
  const world = {} as { -readonly [Key in keyof World]: World[Key] };
  Object.assign(world, { directory });
  world.stop = async () => {
    await world.team?.officer.leave();
    await world.between?.stop();
    await world.stack?.stop();
  };
  let old: EvidenceDocument = null;
  const requireStep = async (name: string, story: string, act: () => Promise<Outcome>) => {
    if (await narrator.step(name, story, act)) return;
    await world.stop();
    throw new StoryEnded();
  };

  await requireStep(
    'start',
    'A server starts: an Ethereum chain of its own, an IPFS block store, three witnesses.',
    async () => {
      Object.assign(world, await openStack(directory, ports));
      const { chainId, registry, witnesses } = world.stack.info;
      return { ok: true, saw: `chain ${chainId}, registry ${registry}, ${witnesses.length} witnesses` };
    },
  );
  await requireStep(
    'team',
    'A vendor’s team registers a product. Two of three have to approve: the build system’s wallet, QA’s P-256 key, the security officer’s passkey.',
    async () => {
      Object.assign(world, await openTeam(directory, world.stack));
      world.kitchen = openDevice(directory, 'kitchen', world.trustRoot, world.between.url);
      world.garage = openDevice(directory, 'garage', world.trustRoot, world.between.url);
      return {
        ok: true,
        saw: `account ${world.vendor.account.slice(0, 10)}…, product prime-hub ${world.product.slice(0, 10)}…, the passkey ${world.team.officer.place}`,
      };
    },
  );
  await requireStep(
    'publish-7.27.0',
    'The build system proposes the LEGO Prime hub firmware 7.27.0, and QA approves it with the P-256 key.',
    () => published(world, '7.27.0', qaOf(world)),
  );
  await requireStep(
    'install-7.27.0',
    'Two devices, kitchen and garage, prove the record for themselves and install it.',
    async () => {
      const outcomes = [await installed(world.kitchen, '7.27.0'), await installed(world.garage, '7.27.0')];
      old = JSON.parse(await world.vendor.client.evidence(world.product, stable));
      return outcomes.find(({ ok }) => !ok) ?? { ok: true, saw: 'both run 7.27.0' };
    },
  );
  await requireStep(
    'stolen-key',
    'A thief has the build machine: its API token, its build key and its approval key. One of three is not two.',
    () => stolenKey(world),
  );
  await requireStep(
    'publish-7.28.0',
    'The build system proposes 7.28.0. The security officer opens the approval page, drops the image on it, and approves with the passkey.',
    () => published(world, '7.28.0', world.team.officer.approve),
  );
  await requireStep(
    'update-7.28.0',
    'The kitchen device updates into its other slot. The garage is offline today.',
    () => installed(world.kitchen, '7.28.0'),
  );
  return { world, old };
}

/** A step failed; the narrator has said which. */
export class StoryEnded extends Error {}

async function published(world: World, version: FirmwareVersion, approve: Approving): Promise<Outcome> {
  const { digest, sizeBytes, cid } = await publish(world, version, approve);
  return {
    ok: true,
    saw: `${sizeOf(sizeBytes)}, sha-256 ${digest.slice(0, 16)}…, pinned as ${cid.slice(0, 16)}…, recorded on chain`,
  };
}

async function installed(device: TestDevice, version: string): Promise<Outcome> {
  const verdict = await seen(device, 'update');
  const result = await device.install();
  const ok = verdict.outcome === 'update' && result.outcome === 'installed' && result.version === version;
  return { ok, saw: ok ? `proven, downloaded, verified, activated: ${version} runs` : JSON.stringify(result) };
}
