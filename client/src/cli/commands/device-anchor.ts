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
import { counted, fields } from '../output.ts';
import { productAnd, withProductAnd, withProductArgument } from '../product-argument.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type DeviceFlags = { readonly from?: string; readonly yes?: boolean; readonly wait?: boolean };

const nextStep = (proposal: Proposal, done: string): string =>
  waitsForPeople(proposal) ? `it waits for approvals: firmproof approve ${proposal.id}` : done;

async function anchor(session: Session, name: string | undefined, flags: DeviceFlags): Promise<void> {
  const given = flags.from === undefined ? null : parseDeviceFile(readText(flags.from));
  const product = await session.product(name);
  const vendor = await session.vendor(product);
  const devices = given ?? parseDeviceList(await vendor.client.unanchoredDevices(product));
  if (devices.length === 0) {
    session.output.result({ product, count: 0 }, 'no enrolled device waits to be anchored');
    return;
  }
  const those = counted(devices.length, 'device');
  const afterNo = 'Look at the list (`firmproof device export`), then run the command again.';
  await requireConsent(session, `Vouch for ${those} on chain?`, flags.yes, afterNo);
  session.output.note(`Anchoring ${those}`);
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

async function revoke(session: Session, name: string | undefined, device: string, flags: DeviceFlags): Promise<void> {
  const product = await session.product(name);
  const vendor = await session.vendor(product);
  const { leaf, what } = await leafOf(vendor, product, device, flags.from);
  if ((await vendor.client.deviceAnchorState(product, leaf)).state === 'revoked')
    throw new FirmproofError('device-revoked', `${what} is revoked on chain already`, {
      hint: 'Nothing is left to do.',
    });
  const afterNo =
    'Compare the key with what `firmproof-agent identity show` says on the device, then run the command again.';
  await requireConsent(session, `Revoke ${what} for ever?`, flags.yes, afterNo);
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
  withProductArgument(device.command('anchor'))
    .description('vouch for devices on chain, any number of them in one transaction')
    .option(
      '--from <file>',
      'the devices: CSV with the header device,keyDigest,salt, or a JSON array (default: the enrolled ones that are not anchored)',
    )
    .option('--yes', 'without being asked')
    .option('--wait', 'until it is on chain, where others have to approve')
    .action(run((session, product: string | undefined, flags: DeviceFlags) => anchor(session, product, flags)));
  withProductAnd(device.command('revoke'), 'device', 'its id, the digest of its key, or its leaf (0x…)')
    .description('vouch for a device no longer, for ever: its key is stolen, or it was cloned')
    .option('--from <file>', 'the list that names the device, as for anchor (default: the server)')
    .option('--yes', 'without being asked')
    .option('--wait', 'until it is on chain, where others have to approve')
    .action(run(productAnd('device', revoke)));
}
