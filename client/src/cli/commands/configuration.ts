import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofError,
  isSamePlace,
  type ProductId,
  parseAddress,
  type TrustRoot,
  zeroAddress,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { parseDurationSeconds } from '../../units.ts';
import type { ConfigurationChange, Vendor } from '../../vendor.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import { changeRows } from '../change-text.ts';
import { newestTrustRoot } from '../newest-trust-root.ts';
import { fields, humanTime } from '../output.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

type ConfigureFlags = {
  readonly publisher?: string;
  readonly guardian?: string;
  readonly delay?: string;
  readonly replace?: boolean;
};

/**
 * One change at a time: another would take the place of what is scheduled, and leave a signed trust root about that nobody
 * adopts.
 * @throws FirmproofError `configuration-pending` unless `replace`
 */
export async function requireNothingScheduled(vendor: Vendor, product: ProductId, replace: boolean): Promise<void> {
  if (replace) return;
  const { pending } = await vendor.client.product(product);
  const open = (await vendor.client.proposalsOf(product)).find(
    ({ kind, state }) => kind === 'configure' && !['confirmed', 'rejected', 'expired'].includes(state),
  );
  if (!pending && !open) return;
  const what = pending
    ? `a change is scheduled already, applicable from ${humanTime(pending.applicableFrom)}`
    : `a change waits for approvals already: ${open?.id}`;
  throw new FirmproofError('configuration-pending', what, {
    hint: 'Apply it first (`firmproof product apply`), or put this one in its place with --replace.',
  });
}

/** Schedules a change, and says when it can be applied. */
export async function scheduleChange(
  session: Session,
  vendor: Vendor,
  product: ProductId,
  change: ConfigurationChange,
): Promise<void> {
  session.output.note('Scheduling the change');
  const proposal = await session.follow(vendor, await vendor.configure(product, change));
  const { pending, guardian } = await vendor.client.product(product);
  const waits = waitsForPeople(proposal);
  session.output.result(
    { product, proposal: proposal.id, state: proposal.state, ...(pending && !waits && { pending }) },
    waits || !pending
      ? `it waits for approvals: firmproof approve ${proposal.id}`
      : [
          fields(changeRows(pending.configuration)),
          `applicable from ${humanTime(pending.applicableFrom)}; ${
            guardian === zeroAddress ? 'there is no guardian who could veto it' : 'until then the guardian can veto it'
          }`,
          'next: firmproof product apply',
        ].join('\n'),
  );
}

async function configure(session: Session, reference: string | undefined, flags: ConfigureFlags): Promise<void> {
  const { publisher, guardian, delay } = flags;
  const change: ConfigurationChange = {
    ...(publisher !== undefined && { publisher: parseAddress(publisher) }),
    ...(guardian !== undefined && { guardian: guardian === 'none' ? zeroAddress : parseAddress(guardian) }),
    ...(delay !== undefined && { delaySeconds: parseDurationSeconds(delay) }),
  };
  if (Object.keys(change).length === 0) {
    throw new FirmproofError('usage-invalid', 'nothing is to be changed', {
      hint: 'Say what: --publisher, --guardian or --delay; for the trust root see `firmproof trust-root rotate`.',
    });
  }
  const product = await session.product(reference);
  const vendor = await session.vendor(product);
  await requireNothingScheduled(vendor, product, flags.replace ?? false);
  await scheduleChange(session, vendor, product, change);
}

async function apply(session: Session, reference: string | undefined): Promise<void> {
  const product = await session.product(reference);
  const vendor = await session.vendor(product);
  session.output.note('Applying what is scheduled');
  const proposal = await session.follow(vendor, await vendor.applyConfiguration(product));
  const { id, state } = proposal;
  if (waitsForPeople(proposal)) {
    session.output.result({ product, proposal: id, state }, `it waits for approvals: firmproof approve ${id}`);
    return;
  }
  const root = await newestTrustRoot(session, product);
  const moved = await keepNewest(session, product, root);
  const now = await vendor.client.product(product);
  session.output.result(
    { product, proposal: id, state, publisher: now.publisher, trustRoot: root.digest, version: root.version },
    moved
      ? `devices leave for ${root.product} on chain ${root.chainId}; this machine publishes there from now on`
      : `applied: publisher ${now.publisher}, guardian ${now.guardian === zeroAddress ? 'none' : now.guardian}, veto window ${now.delaySeconds} s, trust root version ${root.version}`,
  );
}

/** New device images start from the newest trust root; where it names another place, this machine goes there. */
async function keepNewest({ home }: Session, product: ProductId, root: TrustRoot): Promise<boolean> {
  const known = home.trustRootOf(product);
  if (known === null) return false;
  const file = join(home.productDirectory(root.name), 'trust-root.json');
  writeFileSync(file, `${JSON.stringify(root.envelope, null, 2)}\n`);
  if (isSamePlace(known, root)) return false;
  const server = root.servers?.[0];
  await home.change({
    registry: { chainId: root.chainId, registry: root.registry },
    ...(server && { server }),
  });
  await home.addProduct(root.name, root.product);
  return true;
}

async function veto(session: Session, reference: string | undefined): Promise<void> {
  const product = await session.product(reference);
  const vendor = await session.vendor(product);
  session.output.note('Vetoing what is scheduled');
  const proposal = await session.follow(vendor, await vendor.veto(product));
  session.output.result(
    { product, proposal: proposal.id, state: proposal.state },
    waitsForPeople(proposal)
      ? `it waits for approvals: firmproof approve ${proposal.id}`
      : 'vetoed: nothing is scheduled',
  );
}

export const replaceOption = ['--replace', 'put it in the place of what is scheduled'] as const;

/** `product configure | apply | veto`: changes that take effect after the veto window. */
export function addConfiguration(product: Command, run: Run): void {
  product
    .command('configure')
    .argument('[product]', 'name or id')
    .description('schedule another publisher, guardian or veto window')
    .option('--publisher <address>', 'account that approves everything from then on; it has to accept')
    .option('--guardian <address>', 'account that can only stop, or none')
    .option('--delay <duration>', 'veto window, up to 30d')
    .option(...replaceOption)
    .action(run((session, name: string | undefined, flags: ConfigureFlags) => configure(session, name, flags)));
  product
    .command('apply')
    .argument('[product]', 'name or id')
    .description('apply what is scheduled, after its veto window; a new publisher accepts with this')
    .action(run((session, name: string | undefined) => apply(session, name)));
  product
    .command('veto')
    .argument('[product]', 'name or id')
    .description('as guardian: what is scheduled is never applied')
    .action(run((session, name: string | undefined) => veto(session, name)));
}
