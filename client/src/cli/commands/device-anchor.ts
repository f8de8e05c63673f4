import {
  bytes32Schema,
  deviceLeaf,
  FirmproofError,
  type ProductId,
  type Proposal,
  parseDeviceList,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { parseDeviceFile } from '../../device-list.ts';
import type { Vendor } from '../../vendor.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import { requireConsent } from '../ask.ts';
import { readText } from '../files.ts';
import { fields } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type DeviceFlags = { readonly from?: string; readonly yes?: boolean; readonly wait?: boolean };

const nextStep = (proposal: Proposal, done: string): string =>
  waitsForPeople(proposal) ? `it waits for approvals: firmproof approve ${proposal.id}` : done;

async function anchor(session: Session, name: string, flags: DeviceFlags): Promise<void> {
  const given = flags.from === undefined ? null : parseDeviceFile(readText(flags.from));
  const product = await session.product(name);
  const vendor = await session.vendor(product);
  const devices = given ?? parseDeviceList(await vendor.client.unanchoredDevices(product));
  if (devices.length === 0) {
    session.output.result({ product, count: 0 }, 'no enrolled device waits to be anchored');
    return;
  }
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

/** The device as a file lists it, or else the server. @throws FirmproofError `usage-invalid`, `device-not-found` */
async function findDevice({ client }: Vendor, product: ProductId, name: string, file: string | undefined) {
  if (file === undefined) return client.anchoredDevice(product, name);
  const found = parseDeviceFile(readText(file)).find(({ device, keyDigest }) => device === name || keyDigest === name);
  if (found) return found;
  throw new FirmproofError('usage-invalid', `${file} does not name the device ${name}`);
}

/** A leaf as such, or that of a device: computed here, and shown with the key that it is of. */
async function leafOf(vendor: Vendor, product: ProductId, name: string, file: string | undefined) {
  const leaf = bytes32Schema.safeParse(name);
  if (leaf.success) return { leaf: leaf.data, what: `the leaf ${name}` };
  const { device, keyDigest, salt } = await findDevice(vendor, product, name, file);
  return { leaf: deviceLeaf(product, keyDigest, salt), what: `device ${device} with the key ${keyDigest}` };
}

async function revoke(session: Session, name: string, device: string, flags: DeviceFlags): Promise<void> {
  const product = await session.product(name);
  const vendor = await session.vendor(product);
  const { leaf, what } = await leafOf(vendor, product, device, flags.from);
  await requireConsent(session, `Revoke ${what} for ever?`, flags.yes);
  session.output.note(`Revoking ${what}`);
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
    .option(
      '--from <file>',
      'the devices: CSV with the header device,keyDigest,salt, or a JSON array (default: the enrolled ones that are not anchored)',
    )
    .option('--yes', 'without being asked')
    .option('--wait', 'until it is on chain, where others have to approve')
    .action(run((session, product: string, flags: DeviceFlags) => anchor(session, product, flags)));
  device
    .command('revoke')
    .argument('<product>', 'name or id')
    .argument('<device>', 'its id, the digest of its key, or its leaf (0x…)')
    .description('vouch for a device no longer, for ever: its key is stolen, or it was cloned')
    .option('--from <file>', 'the list that names the device, as for anchor (default: the server)')
    .option('--yes', 'without being asked')
    .option('--wait', 'until it is on chain, where others have to approve')
    .action(run((session, product: string, id: string, flags: DeviceFlags) => revoke(session, product, id, flags)));
}
