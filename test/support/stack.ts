import { createHash, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  type Approver,
  type Attest,
  FirmproofClient,
  type ReleaseOptions,
  signTrustRoot,
  Vendor,
  WalletApprover,
  walletKey,
} from '@firmproof/client';
import {
  type Channel,
  type ProductId,
  type Proposal,
  parseChannel,
  parseProductName,
  parseVersion,
  type TrustRoot,
  type TrustRootDocument,
  trustRootType,
} from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { parseConfig, type RunningServer, startServer } from '@firmproof/server';
import { Wallet } from 'ethers';

export type Stack = RunningServer & { readonly directory: string };

export function temporaryDirectory(): string {
  return mkdtempSync(join(tmpdir(), 'firmproof-'));
}

/** The real server with its embedded chain and witnesses, in a directory of its own. */
export async function startStack(
  directory = temporaryDirectory(),
  environment: Record<string, string> = {},
): Promise<Stack> {
  const config = parseConfig({
    FIRMPROOF_DATA: directory,
    FIRMPROOF_PORT: '0',
    FIRMPROOF_LOG_LEVEL: 'silent',
    ...environment,
  });
  const server = await startServer(config);
  await server.ready;
  return { ...server, directory };
}

export async function destroyStack(stack: Stack): Promise<void> {
  await stack.stop();
  rmSync(stack.directory, { recursive: true, force: true });
}

export type TestVendor = {
  readonly vendor: Vendor;
  readonly wallet: Wallet;
  readonly product: ProductId;
  readonly trustRoot: TrustRoot;
  readonly buildKey: KeyObject;
  readonly rootKey: KeyObject;
  publish(version: string, image: Buffer, options?: Partial<ReleaseOptions>, attest?: Attest): Promise<Proposal>;
  promote(version: string, channel?: string): Promise<Proposal>;
};

export const stable: Channel = parseChannel('stable');

/** A vendor with fresh keys and a registered product. */
export async function makeVendor(
  stack: Pick<Stack, 'url' | 'info'>,
  options: {
    name?: string;
    delaySeconds?: number;
    maxAgeSeconds?: number;
    guardian?: string;
    /** Who may sign, where it is not the build key alone. */
    signers?: Partial<Pick<TrustRootDocument, 'buildKeys' | 'sigstore' | 'rebuilders'>>;
    sigstoreTrustedRoot?: string;
    /** Somebody else than a fresh wallet, and what the others who have to approve do. */
    approver?: Approver;
    approve?: (proposal: Proposal) => Promise<unknown>;
  } = {},
): Promise<TestVendor> {
  const wallet = new Wallet(`0x${randomBytes(32).toString('hex')}`);
  const approver = options.approver ?? new WalletApprover(walletKey(wallet));
  const { vendor } = await Vendor.login(new FirmproofClient({ server: stack.url }), approver);
  const buildKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const rootKey = generateKeyPairSync('ed25519').privateKey;
  const name = parseProductName(options.name ?? 'test-product');
  const product = vendor.productId(name);
  const { chainId, registry, witnesses } = stack.info;
  const trustRoot = signTrustRoot(
    {
      type: trustRootType,
      version: 1,
      product,
      name,
      chainId,
      registry,
      maxAgeSeconds: options.maxAgeSeconds ?? 604_800,
      witnesses: {
        quorum: 2,
        members: witnesses.map(({ operator, publicKey }) => ({ operator, publicKey: publicKey as never })),
      },
      buildKeys: [publicKeyOf(buildKey)],
      ...options.signers,
      rootKeys: { threshold: 1, keys: [publicKeyOf(rootKey)] },
    },
    [rootKey],
  );
  const settle = async (proposal: Proposal) => {
    await options.approve?.(proposal);
    return vendor.client.follow(proposal.id);
  };
  await settle(
    await vendor.register(name, trustRoot, {
      delaySeconds: options.delaySeconds ?? 0,
      ...(options.guardian && { guardian: options.guardian }),
      ...(options.sigstoreTrustedRoot && { sigstoreTrustedRoot: options.sigstoreTrustedRoot }),
    }),
  );
  return {
    vendor,
    wallet,
    product,
    trustRoot,
    buildKey,
    rootKey,
    async publish(version, image, more = {}, attester = undefined) {
      const file = join(tmpdir(), `firmproof-image-${createHash('sha256').update(image).digest('hex').slice(0, 16)}`);
      if (!existsSync(file)) writeFileSync(file, image);
      const prepared = await vendor.prepare(
        file,
        { product, version: parseVersion(version), ...more },
        attester ?? buildKey,
      );
      return settle(await vendor.upload(file, prepared));
    },
    async promote(version, channel = 'stable') {
      return settle(await vendor.promote(product, parseChannel(channel), parseVersion(version)));
    },
  };
}

/** Asks again until the answer fits; fails when it never does. What is waited for is an event, not a time. */
export async function eventually<Value>(
  ask: () => Promise<Value>,
  fits: (value: Value) => boolean,
  what: string,
): Promise<Value> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    let last: unknown;
    const value = await ask().catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (value !== undefined && fits(value)) return value;
    if (Date.now() > deadline) {
      throw new Error(`waited in vain for ${what}; the last answer was ${inspect(last ?? value, { depth: 2 })}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
