import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofClient, prepareDocuments, Vendor, WalletApprover, walletKey } from '@firmproof/client';
import { parseChannel, parseVersion, type Receipt, type Sha256Digest, sha256 } from '@firmproof/protocol';
import { nowSeconds, post, type SigningDevice, signingDevice, speaking } from './enrolled-device.ts';
import { makeVendor, type Stack, type TestVendor } from './stack.ts';
import { cycloneDx } from './supply-chain.ts';

const daySeconds = 86_400;

export type ReportingFleet = {
  readonly vendor: TestVendor;
  readonly devices: readonly SigningDevice[];
  /** Receipts that count. */
  readonly receipts: number;
  /** One with the role read-receipts, and no other. */
  readonly token: string;
};

/**
 * A product with three releases and their bills of materials, and devices that have reported for twenty days: first on 1.0.0,
 * then on 1.1.0, of which some came back, and by now on the way to 1.2.0. Two of them speak with one key.
 */
export async function makeReportingFleet(stack: Stack, count = 60): Promise<ReportingFleet> {
  const vendor = await makeVendor(stack, { name: 'window-sensor' });
  const { product } = vendor;
  const images = new Map<string, Sha256Digest>();
  const publish = async (
    version: string,
    more: Parameters<TestVendor['publish']>[2],
    parts: Parameters<typeof cycloneDx>[0],
  ) => {
    const image = randomBytes(40_000 + images.size * 1500);
    images.set(version, sha256(image));
    const sbom = join(stack.directory, `${version}.cdx.json`);
    writeFileSync(sbom, JSON.stringify(cycloneDx(parts)));
    await vendor.publish(version, image, { ...more, documents: await prepareDocuments({ sboms: [sbom] }) });
  };
  const steady = Array.from({ length: 40 }, (_, index) => ({ name: `library-${index + 10}`, version: '2.0.1' }));
  const openssl = { name: 'openssl', license: 'Apache-2.0' };
  await publish('1.0.0', { notes: 'First release.\nMeasures every ten minutes.', hardware: ['rev-1'] }, [
    ...steady,
    { ...openssl, version: '3.0.1' },
    { name: 'zlib', version: '1.2.11', license: 'Zlib' },
  ]);
  await publish('1.1.0', { notes: 'Measures every five minutes.', hardware: ['rev-1'] }, steady);
  await publish(
    '1.2.0',
    {
      notes: 'Third release.\nMeasures every ten minutes.\nThe battery lasts longer.',
      hardware: ['rev-1', 'rev-2'],
      severity: 'high',
      fixedVulnerabilities: ['CVE-2026-1234'],
      supportUntil: '2031-12-31',
      rollbackIndex: 1,
    },
    [
      ...steady.slice(1),
      { ...openssl, version: '3.0.15' },
      { name: 'mbedtls', version: '3.6.2', license: 'Apache-2.0' },
      { name: 'zlib', version: '1.2.11', license: 'MIT' },
    ],
  );
  const rollout = { start: 0, durationSeconds: 14 * daySeconds, firstShareBasisPoints: 5000 };
  const { client } = vendor.vendor;
  await client.follow(
    (await vendor.vendor.promote(product, parseChannel('stable'), parseVersion('1.2.0'), rollout)).id,
  );

  const devices = Array.from({ length: count }, (_, index) =>
    signingDevice(index % 3 === 0 ? 'ecdsa-p256-sha256' : 'ed25519'),
  );
  const lines = devices.map(({ id, publicKey }) => `${id},${publicKey}`);
  await client.importDevices(
    product,
    (async function* () {
      yield Buffer.from(`device,publicKey\n${lines.join('\n')}\n`);
    })(),
  );
  const say = speaking(stack.url, product);
  const runs = (version: string) => ({ version: parseVersion(version), image: images.get(version) as Sha256Digest });
  const now = nowSeconds();
  let receipts = 0;
  await Promise.all(
    devices.map(async (device, index) => {
      let counter = 0;
      const tell = async (daysAgo: number, change: Partial<Receipt>) => {
        counter += 1;
        receipts += 1;
        const message = await say.receipt(device, { counter, time: now - Math.round(daysAgo * daySeconds), ...change });
        const { status } = await post(message);
        if (status !== 204) throw new Error(`a receipt was answered with ${status}`);
      };
      const install = (
        daysAgo: number,
        from: string,
        to: string,
        result: 'confirmed' | 'rolled-back' | 'failed',
        code?: string,
      ) =>
        tell(daysAgo, {
          kind: 'outcome',
          running: runs(result === 'confirmed' ? to : from),
          outcome: { result, ...runs(to), before: runs(from), ...(code && { code }) },
        });
      await tell(20 - (index % 4), { running: runs('1.0.0') });
      const second = 15 - (index / count) * 6;
      if (index % 9 === 4) await install(second, '1.0.0', '1.1.0', 'rolled-back', 'unhealthy');
      else if (index % 17 === 8) await install(second, '1.0.0', '1.1.0', 'failed', 'image-mismatch');
      else await install(second, '1.0.0', '1.1.0', 'confirmed');
      const before = index % 9 === 4 || index % 17 === 8 ? '1.0.0' : '1.1.0';
      if (index % 5 < 2) await install(5 - (index / count) * 4, before, '1.2.0', 'confirmed');
      else await tell(1, { running: runs(before) });
    }),
  );
  const [first] = devices;
  if (first) await post(await say.receipt(first, { counter: 1, time: now }));
  const approver = new WalletApprover(walletKey(vendor.wallet));
  const asked = { scopes: ['read-receipts'] } as const;
  const { token } = (await Vendor.login(new FirmproofClient({ server: stack.url }), approver, asked)).token;
  return { vendor, devices, receipts, token };
}
