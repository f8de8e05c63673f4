import { join } from 'node:path';
import {
  FirmproofClient,
  firstTrustRoot,
  Home,
  majorityOf,
  type ProductOptions,
  registerProduct,
  Vendor,
  WalletApprover,
  writeDeviceFiles,
} from '@firmproof/client';
import {
  type Channel,
  type ProductId,
  parseChannel,
  parseProductName,
  parseVersion,
  type TrustRoot,
} from '@firmproof/protocol';
import { makeDevice, type TestDevice } from '../test/support/device.ts';
import { LyingServer } from '../test/support/lying-server.ts';
import { eventually, type Stack, startStack } from '../test/support/stack.ts';
import { type FirmwareVersion, primeHubFirmware } from './firmware.ts';

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

/** The vendor's keys and product; what `firmproof setup --solo` does. */
export async function openVendor(directory: string, stack: Stack) {
  const home = new Home(join(directory, 'vendor'));
  await home.makeKeys(demoPassphrase);
  const approver = new WalletApprover(await home.openApprovalKey(async () => demoPassphrase));
  const { vendor, token } = await Vendor.login(new FirmproofClient({ server: stack.url }), approver);
  await home.change({ server: stack.url });
  await home.keepToken(stack.url, token);
  const name = parseProductName('prime-hub');
  const known = home.trustRootOf(vendor.productId(name));
  if (known) return { home, vendor, trustRoot: known, product: known.product };
  const { witnesses } = stack.info;
  const options: ProductOptions = {
    name,
    witnesses,
    quorum: majorityOf(witnesses),
    maxAgeSeconds: 7 * 86_400,
    delaySeconds: 0,
  };
  const [build, root] = [await home.openBuildKey(demoPassphrase), await home.openRootKey(demoPassphrase)];
  const trustRoot = firstTrustRoot(vendor, options, { build, root });
  writeDeviceFiles(home.productDirectory(name), trustRoot, { hardware, channels: [stable], servers: [stack.url] });
  const product = await registerProduct(vendor, trustRoot, options);
  await home.addProduct(name, product);
  return { home, vendor, trustRoot, product };
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

export async function publish({ vendor, home, product, directory }: World, version: FirmwareVersion) {
  const file = primeHubFirmware(version, join(directory, 'images'));
  const buildKey = await home.openBuildKey(demoPassphrase);
  const prepared = await vendor.prepare(
    file,
    { product, version: parseVersion(version), hardware: [hardware] },
    buildKey,
  );
  await vendor.client.follow((await vendor.upload(file, prepared)).id);
  await promote({ vendor, product }, version);
  return prepared.image;
}

export async function promote({ vendor, product }: Pick<World, 'vendor' | 'product'>, version: string): Promise<void> {
  await vendor.client.follow((await vendor.promote(product, stable, parseVersion(version))).id);
}

/** Evidence follows the chain by a moment: asks until the device sees what has just happened. */
export function seen(device: TestDevice, what: string) {
  return eventually(
    async () => (await device.check()).verdict,
    (verdict) => (verdict.outcome === 'update' ? what === 'update' : verdict.code === what),
    what,
  );
}
