import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofClient,
  firstTrustRoot,
  Home,
  majorityOf,
  SignerApprover,
  Vendor,
  writeDeviceFiles,
} from '@firmproof/client';
import { vendorAccountAddress } from '@firmproof/contracts';
import {
  type AccountParameters,
  type Channel,
  type ProductId,
  type Proposal,
  parseAddress,
  parseChannel,
  parseProductName,
  parseVersion,
  type TrustRoot,
} from '@firmproof/protocol';
import { encryptSecret } from '../client/src/key-file.ts';
import { makeDevice, type TestDevice } from '../test/support/device.ts';
import { LyingServer } from '../test/support/lying-server.ts';
import { eventually, type Stack, startStack } from '../test/support/stack.ts';
import { p256Signer } from '../test/support/team.ts';
import { approveWith } from './approve.ts';
import { documentsOf } from './documents.ts';
import { type FirmwareVersion, primeHubFirmware } from './firmware.ts';
import { callOfficer, type Officer } from './officer.ts';

export const demoPassphrase = 'demo';
export const hardware = 'prime-hub';
export const stable: Channel = parseChannel('stable');

/** A vendor, its server, two devices, and somebody between the server and the second device. */
export type World = {
  readonly directory: string;
  readonly stack: Stack;
  readonly between: LyingServer;
  readonly vendor: Vendor;
  readonly home: Home;
  readonly team: Team;
  readonly product: ProductId;
  readonly trustRoot: TrustRoot;
  readonly kitchen: TestDevice;
  readonly garage: TestDevice;
  stop(): Promise<void>;
};

const mebibyte = 1024 * 1024;
export const sizeOf = (sizeBytes: number) => `${(sizeBytes / mebibyte).toFixed(2)} MiB`;

export async function openStack(directory: string, ports: { readonly server: number; readonly between: number }) {
  const stack = await startStack(join(directory, 'server'), { FIRMPROOF_PORT: String(ports.server) });
  const between = await LyingServer.start(stack.url, ports.between);
  return { stack, between };
}

/** Whoever approves what the build system has proposed. */
export type Approving = (vendor: Vendor, proposal: Proposal, imageFile?: string) => Promise<void>;

/** Two of three approve what the vendor does: the build system's wallet, and one of these. */
type Team = { readonly qa: ReturnType<typeof p256Signer>; readonly officer: Officer };

const productName = parseProductName('prime-hub');
const homeOf = (directory: string) => new Home(join(directory, 'vendor'));

/** The trust root that was made here on another day. */
export function knownTrustRoot(directory: string): TrustRoot {
  const home = homeOf(directory);
  const id = home.settings.products[productName]?.id;
  const root = id && home.trustRootOf(id);
  if (!root) throw new Error(`${directory} holds no vendor`);
  return root;
}

/** QA with its P-256 key. */
export const qaOf =
  ({ team }: Pick<World, 'team'>): Approving =>
  (vendor, proposal) =>
    approveWith(vendor, proposal, team.qa);

/** What `firmproof setup --team 2-of-3` does, with the build system's wallet here and two people elsewhere. */
export async function openTeam(directory: string, stack: Stack) {
  const home = homeOf(directory);
  await home.makeKeys(demoPassphrase);
  const key = await home.openApprovalKey(async () => demoPassphrase);
  const team: Team = { qa: p256Signer(), officer: await callOfficer(stack.url) };
  const parameters: AccountParameters = {
    signers: [key.signer, team.qa.signer, team.officer.signer],
    threshold: 2,
    passkeysAlone: false,
    recoverySigners: [],
    recoveryThreshold: 0,
  };
  const account = parseAddress(vendorAccountAddress(parameters));
  const approver = new SignerApprover(account, key, { epoch: async () => 1, parameters });
  const { vendor, token } = await Vendor.login(new FirmproofClient({ server: stack.url }), approver);
  await vendor.client.follow((await vendor.client.createAccount(parameters)).id);
  const { chainId, registry, witnesses } = stack.info;
  const settings = { server: stack.url, team: { account }, registry: { chainId, registry } };
  await home.change(settings);
  await keepKeyOf(directory, team, settings);
  await home.keepToken(stack.url, token);
  const options = {
    name: productName,
    witnesses,
    quorum: majorityOf(witnesses),
    maxAgeSeconds: 7 * 86_400,
    delaySeconds: 0,
  };
  const [build, root] = [await home.openBuildKey(demoPassphrase), await home.openRootKey(demoPassphrase)];
  const trustRoot = firstTrustRoot(vendor, options, { build, root });
  writeDeviceFiles(home.productDirectory(productName), trustRoot, {
    hardware,
    channels: [stable],
    servers: [stack.url],
  });
  const registration = await vendor.register(productName, trustRoot);
  await approveWith(vendor, registration, team.qa);
  const product = vendor.productId(productName);
  await home.addProduct(productName, product);
  return { home, vendor, team, trustRoot, product };
}

/** QA's directory: whoever plays on by hand approves with its key. */
async function keepKeyOf(directory: string, { qa }: Team, settings: Parameters<Home['change']>[0]): Promise<void> {
  const home = new Home(join(directory, 'qa'));
  await home.change({ ...settings, signer: qa.signer });
  mkdirSync(join(home.directory, 'keys'), { mode: 0o700 });
  const secret = qa.privateKey.export({ format: 'der', type: 'pkcs8' });
  writeFileSync(join(home.directory, 'keys', 'approval.json'), await encryptSecret(secret, demoPassphrase), {
    mode: 0o600,
  });
}

/** A device as it leaves the factory: the files that an image must contain, and an older firmware. */
export function openDevice(directory: string, name: string, trustRoot: TrustRoot, server: string): TestDevice {
  return makeDevice(
    trustRoot,
    [server],
    { hardware, channels: ['stable'], image: { version: '7.26.0', rollbackIndex: 0, buildTimeSeconds: 1_700_000_000 } },
    join(directory, name),
  );
}

export async function publish(world: World, version: FirmwareVersion, approve: Approving) {
  const { vendor, home, product, directory } = world;
  const file = primeHubFirmware(version, join(directory, 'images'));
  const buildKey = await home.openBuildKey(demoPassphrase);
  const prepared = await vendor.prepare(
    file,
    {
      product,
      version: parseVersion(version),
      hardware: [hardware],
      documents: await documentsOf(version, join(directory, 'documents')),
      severity: 'none',
      supportUntil: '2031-12-31',
    },
    buildKey,
  );
  await approve(vendor, await vendor.upload(file, prepared), file);
  await promote(world, version, approve);
  return prepared.image;
}

export async function promote(
  { vendor, product }: Pick<World, 'vendor' | 'product'>,
  version: string,
  approve: Approving,
): Promise<void> {
  await approve(vendor, await vendor.promote(product, stable, parseVersion(version)));
}

/** Evidence follows the chain by a moment: asks until the device sees what has just happened. */
export function seen(device: TestDevice, what: string) {
  return eventually(
    async () => (await device.check()).verdict,
    (verdict) => (verdict.outcome === 'update' ? what === 'update' : verdict.code === what),
    what,
  );
}
