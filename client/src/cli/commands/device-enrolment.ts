import { type DeviceResource, FirmproofError, maximumClaimSeconds, maximumClaims } from '@firmproof/protocol';
import type { Command } from 'commander';
import { checkFactoryList, openFactoryFile } from '../../factory-file.ts';
import { parseDurationSeconds, parseWholeNumber } from '../../units.ts';
import { counted, fields, humanTime } from '../output.ts';
import { productAnd, withProductAnd, withProductArgument } from '../product-argument.ts';
import type { Session } from '../session.ts';
import { deviceFields } from './device-fleet.ts';
import type { Run } from './setup.ts';

/** The list is read once here, so that every bad line is named before anything is sent, and once more to be sent. */
async function importList(session: Session, name: string | undefined, file: string): Promise<void> {
  const { output } = session;
  const list = await openFactoryFile(file);
  const reading = output.progress('Checking');
  const devices = await checkFactoryList(list.read((done) => reading.update(done, list.sizeBytes))).finally(
    reading.stop,
  );
  output.note(`${file} names ${counted(devices, 'device')}`);
  const product = await session.product(name);
  const { client } = await session.vendor(product);
  const sending = output.progress('Importing');
  const sent = list.read((done) => sending.update(done, list.sizeBytes));
  const imported = await client.importDevices(product, sent).finally(sending.stop);
  output.result(
    imported,
    `enrolled: ${imported.added} new, ${imported.known} already there\nnext: firmproof device export ${name ?? product}, to anchor them`,
  );
}

type ClaimFlags = { readonly devices: string; readonly lifetime: string; readonly revoke?: string };

const minimumClaimSeconds = 60;

/** @throws FirmproofError `usage-invalid` */
function lifetimeOf(text: string): number {
  const seconds = parseDurationSeconds(text);
  if (seconds >= minimumClaimSeconds && seconds <= maximumClaimSeconds) return seconds;
  throw new FirmproofError('usage-invalid', `--lifetime is between 1m and 366d, not ${text}`);
}

async function claimToken(session: Session, name: string | undefined, flags: ClaimFlags): Promise<void> {
  const devices = parseWholeNumber(flags.devices, '--devices', maximumClaims, 1);
  const lifetimeSeconds = lifetimeOf(flags.lifetime);
  const product = await session.product(name);
  const { client } = await session.vendor(product);
  if (flags.revoke !== undefined) {
    await client.revokeClaimToken(product, flags.revoke);
    session.output.result({ product, id: flags.revoke, revoked: true }, `claim token ${flags.revoke} is revoked`);
    return;
  }
  const minted = await client.mintClaimToken(product, { devices, lifetimeSeconds });
  session.output.note('It is shown once. Whoever has it can enrol devices until it is used up.');
  session.output.result(
    minted,
    fields([
      ['claim token', minted.token],
      ['id', minted.id],
      ['devices', String(minted.devices)],
      ['good until', humanTime(minted.expiresAt)],
      ['on a device', `firmproof-agent identity enrol --claim-token ${minted.token}`],
    ]),
  );
}

async function decide(
  session: Session,
  name: string | undefined,
  device: string,
  verb: 'acceptDevice' | 'rejectDevice',
): Promise<void> {
  const product = await session.product(name);
  const { client } = await session.vendor(product);
  const changed: DeviceResource = await client[verb](product, device);
  session.output.result(changed, fields(deviceFields(changed)));
}

/** How devices come to be enrolled. */
export function addDeviceEnrolment(device: Command, run: Run): void {
  const listColumns = 'CSV with the columns device and key (PEM, JWK, base64 or digest), perhaps salt';
  withProductAnd(device.command('import'), 'file', listColumns)
    .description("enrol all devices of a factory's list, or none of them")
    .action(run(productAnd('file', importList)));
  withProductArgument(device.command('claim-token'))
    .description('make a token by which devices enrol themselves')
    .option('--devices <number>', 'as many devices as it is good for', '1')
    .option('--lifetime <duration>', 'how long it is good', '7d')
    .option('--revoke <id>', 'revoke the token with this id instead')
    .action(run((session, product: string | undefined, flags: ClaimFlags) => claimToken(session, product, flags)));
  const decision = (command: string, verb: 'acceptDevice' | 'rejectDevice', description: string) =>
    withProductAnd(device.command(command), 'device', 'its id, or the digest of its key')
      .description(description)
      .action(run(productAnd('device', (session, product, name) => decide(session, product, name, verb))));
  decision('accept', 'acceptDevice', 'enrol a device that waits, or take back the flags of one that was looked at');
  decision('reject', 'rejectDevice', 'take nothing of a device any more, on this server; for the chain see revoke');
}
