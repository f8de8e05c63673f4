import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { type DeviceResource, enrolmentStates, FirmproofError } from '@firmproof/protocol';
import type { Command } from 'commander';
import type { DeviceFilter } from '../../api-client.ts';
import { parseWholeNumber } from '../../units.ts';
import { fields, humanTime, table } from '../output.ts';
import { productAnd, withProductAnd, withProductArgument } from '../product-argument.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type ListFlags = { readonly state?: string; readonly flagged?: boolean; readonly limit: string };

const flagText = ({ flags }: DeviceResource) => flags.map(({ code }) => code).join(', ') || '–';
const seenText = ({ lastSeenAt }: DeviceResource) => (lastSeenAt === null ? 'never' : humanTime(lastSeenAt));

function filterOf({ state, flagged }: ListFlags): DeviceFilter {
  const known = enrolmentStates.find((one) => one === state);
  if (state !== undefined && known === undefined)
    throw new FirmproofError('usage-invalid', `"${state}" is no state of a device`, {
      hint: `One of ${enrolmentStates.join(', ')}.`,
    });
  return { state: known, flagged };
}

async function list(session: Session, name: string | undefined, flags: ListFlags): Promise<void> {
  const filter = filterOf(flags);
  const limit = parseWholeNumber(flags.limit, '--limit');
  const product = await session.product(name);
  const { client } = await session.vendor(product);
  const fleet = await client.fleet(product);
  const devices: DeviceResource[] = [];
  let more = false;
  for await (const device of client.devices(product, filter)) {
    more = devices.length >= limit;
    if (more) break;
    devices.push(device);
  }
  const rows = devices.map((device) => [
    device.device,
    device.state,
    device.running?.version ?? '–',
    seenText(device),
    flagText(device),
  ]);
  const { enrolled, pending, revoked, flagged, heard } = fleet;
  session.output.result(
    { ...fleet, devices, more },
    [
      `${enrolled} enrolled, ${heard} of them heard; ${pending} pending, ${revoked} revoked, ${flagged} to look at`,
      ...(rows.length > 0 ? [table(['device', 'state', 'runs', 'last seen', 'flags'], rows)] : []),
      ...(more ? [`and more: --limit ${limit * 10}`] : []),
    ].join('\n'),
  );
}

/** A device in names and values, for people. */
export function deviceFields(device: DeviceResource): (readonly [name: string, value: string])[] {
  const { state, revokedOnChain, enrolledBy, outcome, running, seen, flags } = device;
  const how = revokedOnChain ? ' on chain' : enrolledBy === null ? '' : ` (${enrolledBy})`;
  return [
    ['device', device.device],
    ['key digest', device.keyDigest],
    ['state', `${state}${how}`],
    ['hardware', device.hardware ?? '–'],
    ['last seen', seenText(device)],
    ['runs', running === null ? '–' : running.version],
    [
      'last outcome',
      outcome === null ? '–' : `${outcome.result} ${outcome.version}${outcome.code ? ` [${outcome.code}]` : ''}`,
    ],
    ['saw', seen === null ? '–' : `block ${seen.block.number}, event ${seen.sequence} of the product`],
    ['agent', device.agentVersion ?? '–'],
    ...flags.map(({ code, at, evidence }) => ['LOOK AT', `${code} at ${humanTime(at)}: ${evidence}`] as const),
  ];
}

async function show(session: Session, name: string | undefined, device: string): Promise<void> {
  const product = await session.product(name);
  const { client } = await session.vendor(product);
  const found = await client.device(product, device);
  const { state, leaf, root } = await client.anchoredDevice(product, found.keyDigest);
  const rows = [
    ...deviceFields(found),
    ['on chain', state === 'unanchored' ? 'not anchored' : state],
    ['leaf', leaf],
  ] as const;
  session.output.result({ ...found, anchor: { state, leaf, root } }, fields(rows));
}

async function exportList(session: Session, name: string | undefined, flags: { readonly to: string }): Promise<void> {
  const product = await session.product(name);
  const { client } = await session.vendor(product);
  await pipeline(client.deviceList(product), createWriteStream(flags.to, { mode: 0o600 }));
  session.output.result(
    { product, file: flags.to },
    `${flags.to} lists the enrolled devices with their salts: keep it\nnext: firmproof device anchor ${name ?? product} --from ${flags.to}`,
  );
}

/** The devices of a product, and what they have signed. */
export function addDeviceFleet(device: Command, run: Run): void {
  withProductArgument(device.command('list'))
    .description('the devices of a product, and what they run')
    .option('--state <state>', `only those that are ${enrolmentStates.join(', ')}`)
    .option('--flagged', 'only those that somebody should look at')
    .option('--limit <number>', 'as many as are shown', '100')
    .action(run((session, product: string | undefined, flags: ListFlags) => list(session, product, flags)));
  withProductAnd(device.command('show'), 'device', 'its id, or the digest of its key')
    .description('what is known of a device, and why somebody should look at it')
    .action(run(productAnd('device', show)));
  withProductArgument(device.command('export'))
    .description('the enrolled devices as a list to anchor')
    .option('--to <file>', 'where the list goes', 'devices.csv')
    .action(run((session, product: string | undefined, flags: { to: string }) => exportList(session, product, flags)));
}
