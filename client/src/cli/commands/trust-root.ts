import type { KeyObject } from 'node:crypto';
import {
  FirmproofError,
  type ProductId,
  type PublicKey,
  parseAddress,
  parsePublicKey,
  type Rebuilder,
  rebuilderNameSchema,
  type TrustRoot,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import type { Command } from 'commander';
import { registerSuccessor } from '../../move-product.ts';
import { majorityOf } from '../../product-setup.ts';
import {
  addBuildKey,
  addRebuilder,
  addWitness,
  changeQuorum,
  changeRootKeys,
  dropBuildKey,
  dropRebuilder,
  dropWitness,
  liveAttestations,
  nextTrustRoot,
  setKeyless,
  type TrustRootChange,
} from '../../trust-root-change.ts';
import { parseDurationSeconds, parseWholeNumber } from '../../units.ts';
import type { Vendor } from '../../vendor.ts';
import { waitsForPeople } from '../../waits-for-people.ts';
import { readPrivateKey, readPublicKey, readText } from '../files.ts';
import { type KeylessProductFlags, keylessTrustOf, withKeylessProductOptions } from '../keyless-options.ts';
import { newestTrustRoot } from '../newest-trust-root.ts';
import { fields } from '../output.ts';
import type { Session } from '../session.ts';
import { replaceOption, requireNothingScheduled, scheduleChange } from './configuration.ts';
import { witnessesFrom } from './product-options.ts';
import type { Run } from './setup.ts';

async function show(session: Session, reference: string | undefined): Promise<void> {
  const product = await session.product(reference);
  const root = await newestTrustRoot(session, product);
  const { envelope: _envelope, ...document } = root;
  session.output.result(document, describe(root));
}

function describe(root: TrustRoot): string {
  const { witnesses, buildKeys, rootKeys } = root;
  return fields([
    ['version', String(root.version)],
    ['sha-256', root.digest],
    ['product', `${root.name} ${root.product}`],
    ['chain', `${root.chainId}, registry ${root.registry}`],
    ['evidence', `at most ${root.maxAgeSeconds} s old`],
    ...witnesses.members.map(({ operator, publicKey }) => ['witness', `${operator}=${publicKey}`] as const),
    ['quorum', `${witnesses.quorum} of ${new Set(witnesses.members.map(({ operator }) => operator)).size} operators`],
    ...buildKeys.map((key) => ['build key', key] as const),
    ...(root.sigstore?.identities ?? []).map(
      ({ identity, issuer }) => ['identity', `${identity}, issued by ${issuer}`] as const,
    ),
    ...(root.rebuilders ?? []).map(({ name, publicKey }) => ['rebuilder', `${name}=${publicKey}`] as const),
    ['accepted', `${root.acceptedAttestations.length} attestations of dropped build keys`],
    ...rootKeys.keys.map((key) => ['root key', key] as const),
    ['threshold', `${rootKeys.threshold} of ${rootKeys.keys.length} root keys`],
    ...(root.servers ?? []).map((server) => ['server', server] as const),
  ]);
}

type RotateFlags = KeylessProductFlags & {
  readonly addBuildKey: readonly string[];
  readonly dropBuildKey: readonly string[];
  readonly accept?: string;
  readonly addWitness: readonly string[];
  readonly dropWitness: readonly string[];
  readonly addRebuilder: readonly string[];
  readonly dropRebuilder: readonly string[];
  readonly quorum?: string;
  readonly addRootKey: readonly string[];
  readonly dropRootKey: readonly string[];
  readonly rootThreshold?: string;
  readonly rootKey: readonly string[];
  readonly replace?: boolean;
};

async function rotate(session: Session, reference: string | undefined, flags: RotateFlags): Promise<void> {
  const product = await session.product(reference);
  const current = await newestTrustRoot(session, product);
  const keyless = await keylessTrustOf(flags);
  const vendor = await session.vendor(product);
  const changes = [
    ...(keyless ? [setKeyless(keyless)] : []),
    ...flags.addBuildKey.map((key) => addBuildKey(parsePublicKey(key))),
    ...(await droppedBuildKeys(session, vendor, product, flags)),
    ...flags.addWitness.map(witnessOf).map(addWitness),
    ...flags.dropWitness.map(dropWitness),
    ...flags.addRebuilder.map(rebuilderOf).map(addRebuilder),
    ...flags.dropRebuilder.map(dropRebuilder),
    ...(flags.quorum === undefined ? [] : [changeQuorum(parseWholeNumber(flags.quorum, '--quorum', 32))]),
    ...changedRootKeys(current, flags),
  ];
  if (changes.length === 0) {
    throw new FirmproofError('usage-invalid', 'nothing is to be changed', {
      hint: 'Say what: --add-build-key, --drop-witness …; see firmproof trust-root rotate --help.',
    });
  }
  // Before it is signed: a signed trust root that nobody adopts is a danger.
  await requireNothingScheduled(vendor, product, flags.replace ?? false);
  const next = nextTrustRoot(current, changes, await rootKeysFor(session, flags.rootKey));
  session.output.note(`Trust root ${next.version}, sha-256 ${next.digest}`);
  const sent = { trustRoot: next, ...(keyless && { sigstoreTrustedRoot: keyless.trustedRoot }) };
  await scheduleChange(session, vendor, product, sent);
}

function witnessOf(text: string): { operator: string; publicKey: PublicKey } {
  const at = text.indexOf('=');
  if (at < 1) throw new FirmproofError('usage-invalid', `the witness "${text}" is not operator=key`);
  return { operator: text.slice(0, at), publicKey: parsePublicKey(text.slice(at + 1)) };
}

/** `name=key`, where the key stands there or in a file. */
function rebuilderOf(text: string): Rebuilder {
  const at = text.indexOf('=');
  const name = rebuilderNameSchema.safeParse(text.slice(0, Math.max(0, at)));
  if (!name.success)
    throw new FirmproofError('usage-invalid', `the rebuilder "${text.slice(0, 80)}" is not name=key`, {
      hint: 'A name is 1 to 63 of a-z, 0-9, with single - or . between them; the key is a PEM file, or base64.',
    });
  return { name: name.data, publicKey: readPublicKey(text.slice(at + 1)) };
}

/** What a dropped key has signed stays installable, or as much of it as was said: each is named, so that people can look. */
async function droppedBuildKeys(
  session: Session,
  vendor: Vendor,
  product: ProductId,
  { dropBuildKey: dropped, accept }: RotateFlags,
): Promise<readonly TrustRootChange[]> {
  const only = accept === undefined ? null : accept.split(',').map((version) => version.trim());
  const changes: TrustRootChange[] = [];
  for (const text of dropped) {
    const key = parsePublicKey(text);
    const live = (await liveAttestations(vendor.client, product, key)).filter(
      ({ version }) => only === null || only.includes(version),
    );
    const versions = live.map(({ version }) => version).join(', ') || 'none';
    session.output.note(`Releases of the dropped build key that devices may still install: ${versions}`);
    changes.push(
      dropBuildKey(
        key,
        live.map(({ attestation }) => attestation),
      ),
    );
  }
  return changes;
}

function changedRootKeys(
  current: TrustRoot,
  { addRootKey, dropRootKey, rootThreshold }: RotateFlags,
): readonly TrustRootChange[] {
  if (addRootKey.length === 0 && dropRootKey.length === 0 && rootThreshold === undefined) return [];
  const dropped = dropRootKey.map(parsePublicKey);
  const keys = [...current.rootKeys.keys.filter((key) => !dropped.includes(key)), ...addRootKey.map(parsePublicKey)];
  const threshold =
    rootThreshold === undefined
      ? current.rootKeys.threshold
      : parseWholeNumber(rootThreshold, '--root-threshold', keys.length);
  return [changeRootKeys({ threshold, keys })];
}

/** The root key of this machine, where it has one, and those in files. */
async function rootKeysFor(session: Session, files: readonly string[]): Promise<readonly KeyObject[]> {
  const own = session.home.hasKey('root') ? [await session.home.openRootKey(await session.passphrase())] : [];
  const keys = [...own, ...files.map(readPrivateKey)];
  if (keys.length > 0) return [...new Map(keys.map((key) => [publicKeyOf(key), key])).values()];
  throw new FirmproofError('key-not-found', 'no root key is here', { hint: 'Give it with --root-key FILE.' });
}

type MoveFlags = {
  readonly to: string;
  readonly witness: readonly string[];
  readonly quorum?: string;
  readonly guardian?: string;
  readonly delay?: string;
  readonly rootKey: readonly string[];
  readonly sigstoreRoot?: string;
  readonly chainIsDead?: boolean;
  readonly replace?: boolean;
};

async function move(session: Session, reference: string | undefined, flags: MoveFlags): Promise<void> {
  const { output } = session;
  const product = await session.product(reference);
  const current = await newestTrustRoot(session, product);
  const before = await session.client().product(product);
  const here = flags.chainIsDead ? null : await session.vendor(product);
  if (here) await requireNothingScheduled(here, product, flags.replace ?? false);
  const there = await session.vendorAt(flags.to);
  const members = witnessesFrom(session, there.info, flags.witness).map(({ operator, publicKey }) => ({
    operator,
    publicKey: parsePublicKey(publicKey),
  }));
  const quorum = flags.quorum === undefined ? majorityOf(members) : parseWholeNumber(flags.quorum, '--quorum', 32);
  const { next, proposal } = await registerSuccessor(there, {
    current,
    chain: await session.client().trustRoots(product),
    place: { witnesses: { quorum, members }, servers: [flags.to] },
    rootKeys: await rootKeysFor(session, flags.rootKey),
    sigstoreTrustedRoot: flags.sigstoreRoot && readText(flags.sigstoreRoot),
    guardian: flags.guardian === undefined ? before.guardian : parseAddress(flags.guardian),
    delaySeconds: flags.delay === undefined ? before.delaySeconds : parseDurationSeconds(flags.delay),
  });
  output.note(`Registering ${next.product} on chain ${next.chainId}`);
  const registered = await session.follow(there, proposal);
  if (waitsForPeople(registered))
    output.note('  the old chain is told meanwhile; apply it there only when the product is registered here');
  if (before.topIndex > 0) {
    output.note(
      `  devices may have confirmed rollback index ${before.topIndex}: the new registry lets it rise by one a release, so publish until it is there`,
    );
  }
  if (here === null) {
    output.result(
      { product, successor: next.product, trustRoot: next.digest, version: next.version },
      `registered as ${next.product}; without the old chain devices follow after 90 days without evidence`,
    );
    return;
  }
  await scheduleChange(session, here, product, { trustRoot: next });
}

const collect = (value: string, before: readonly string[]) => [...before, value];

/** `trust-root show | rotate | move`: what devices believe, and how they come to believe the next. */
export function addTrustRoot(program: Command, run: Run): void {
  const command = program
    .command('trust-root')
    .description('what devices believe: show it, change it, move the product');
  command
    .command('show')
    .argument('[product]', 'name or id')
    .description('place, witnesses and keys of the trust root that the chain names')
    .action(run((session, name: string | undefined) => show(session, name)));
  withKeylessProductOptions(
    command
      .command('rotate')
      .argument('[product]', 'name or id')
      .description('make the next trust root and schedule it'),
  )
    .option('--add-build-key <key>', 'may sign attestations (repeat)', collect, [])
    .option('--drop-build-key <key>', 'may not any more (repeat)', collect, [])
    .option('--accept <versions>', 'of a dropped build key: releases that stay installable (default: all not revoked)')
    .option('--add-witness <operator=key>', 'devices believe it (repeat)', collect, [])
    .option('--drop-witness <operator>', 'devices do not believe it any more (repeat)', collect, [])
    .option(
      '--add-rebuilder <name=key>',
      'counts where devices want rebuilders; a PEM file or base64 (repeat)',
      collect,
      [],
    )
    .option('--drop-rebuilder <name>', 'does not any more, with all its keys; or one key (repeat)', collect, [])
    .option('--quorum <n>', 'how many witnesses have to agree')
    .option('--add-root-key <key>', 'may sign trust roots (repeat)', collect, [])
    .option('--drop-root-key <key>', 'may not any more (repeat)', collect, [])
    .option('--root-threshold <n>', 'how many root keys have to sign')
    .option('--root-key <file>', 'a root key in PEM that signs as well: new and old ones have to (repeat)', collect, [])
    .option(...replaceOption)
    .action(run((session, name: string | undefined, flags: RotateFlags) => rotate(session, name, flags)));
  command
    .command('move')
    .argument('[product]', 'name or id')
    .description('register the product at another chain or registry, and schedule that devices follow')
    .requiredOption('--to <url>', 'server of the new place')
    .option('--witness <operator=key>', 'witness of the new chain (repeat)', collect, [])
    .option('--quorum <n>', 'how many of them have to agree (default: more than half)')
    .option('--guardian <address>', 'guardian there (default: the same)')
    .option('--delay <duration>', 'veto window there (default: the same)')
    .option('--root-key <file>', 'a root key in PEM that signs as well (repeat)', collect, [])
    .option('--sigstore-root <file>', 'the Sigstore TrustedRoot, where the trust root names one')
    .option('--chain-is-dead', 'the old chain cannot be told: devices follow after 90 days')
    .option(...replaceOption)
    .action(run((session, name: string | undefined, flags: MoveFlags) => move(session, name, flags)));
}
