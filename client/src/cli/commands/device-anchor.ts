import {
  type BatchDevice,
  type Bytes32,
  bytes32Schema,
  deviceLeaf,
  FirmproofError,
  type ProductId,
  type Proposal,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { parseDeviceFile } from '../../device-list.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import { requireConsent } from '../ask.ts';
import { readText } from '../files.ts';
import { fields } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type DeviceFlags = { readonly from?: string; readonly yes?: boolean; readonly wait?: boolean };

const nextStep = (proposal: Proposal, done: string): string =>
  waitsForPeople(proposal) ? `it waits for approvals: firmproof approve ${proposal.id}` : done;

function devicesFrom(file: string | undefined): readonly BatchDevice[] {
  if (file === undefined)
    throw new FirmproofError('usage-invalid', 'which devices?', { hint: 'Name a file of them with --from.' });
  return parseDeviceFile(readText(file));
}

async function anchor(session: Session, name: string, flags: DeviceFlags): Promise<void> {
  const devices = devicesFrom(flags.from);
  const product = await session.product(name);
  const vendor = await session.vendor(product);
  await requireConsent(session, `Vouch for ${devices.length} devices on chain?`, flags.yes);
  session.output.note(`Anchoring ${devices.length} devices`);
  const proposed = await vendor.anchorDevices({ product, devices });
  const proposal = await session.follow(vendor, proposed, { wait: flags.wait ?? false });
  const { root } = proposal.message ?? {};
  const { id, state, transaction } = proposal;
  session.output.result(
    { product, root, count: devices.length, proposal: id, state, transaction },
    [
      fields([
        ['devices', String(devices.length)],
        ['Merkle root', String(root)],
      ]),
      nextStep(proposal, `anchored, in one transaction: ${transaction}`),
    ].join('\n'),
  );
}

/** The leaf of a device: as such, or by the device's id. @throws FirmproofError `usage-invalid` */
function leafOf(product: ProductId, device: string, file: string | undefined): Bytes32 {
  const leaf = bytes32Schema.safeParse(device);
  if (leaf.success) return leaf.data;
  const found = devicesFrom(file).find((candidate) => candidate.device === device);
  if (found) return deviceLeaf(product, found.keyDigest, found.salt);
  throw new FirmproofError('usage-invalid', `${file} does not name the device ${device}`);
}

async function revoke(session: Session, name: string, device: string, flags: DeviceFlags): Promise<void> {
  const product = await session.product(name);
  const leaf = leafOf(product, device, flags.from);
  const vendor = await session.vendor(product);
  await requireConsent(session, `Revoke ${device} for ever?`, flags.yes);
  session.output.note(`Revoking ${device}`);
  const proposed = await vendor.revokeDevice(product, leaf);
  const proposal = await session.follow(vendor, proposed, { wait: flags.wait ?? false });
  const { id, state, transaction } = proposal;
  session.output.result(
    { product, device, leaf, proposal: id, state, transaction },
    nextStep(proposal, `${device} is revoked: ${transaction}`),
  );
}

/** What stands on chain of devices; `device` is the command that all that is about devices hangs under. */
export function addDeviceAnchor(device: Command, run: Run): void {
  device
    .command('anchor')
    .argument('<product>', 'name or id')
    .description('vouch for devices on chain, any number of them in one transaction')
    .option('--from <file>', 'the devices: CSV with the header device,keyDigest,salt, or a JSON array')
    .option('--yes', 'without being asked')
    .option('--wait', 'until it is on chain, where others have to approve')
    .action(run((session, product: string, flags: DeviceFlags) => anchor(session, product, flags)));
  device
    .command('revoke')
    .argument('<product>', 'name or id')
    .argument('<device>', 'its id, or its leaf (0x…)')
    .description('vouch for a device no longer, for ever: its key is stolen, or it was cloned')
    .option('--from <file>', 'the list that names the device, as for anchor')
    .option('--yes', 'without being asked')
    .option('--wait', 'until it is on chain, where others have to approve')
    .action(run((session, product: string, id: string, flags: DeviceFlags) => revoke(session, product, id, flags)));
}
