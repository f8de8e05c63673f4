import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Address,
  accountParametersSchema,
  addressSchema,
  FirmproofError,
  type ProductId,
  type ProductName,
  parseJson,
  parseTrustRoot,
  productIdSchema,
  productNameSchema,
  publicKeySchema,
  type ServerLogHead,
  type Signer,
  serverLogHeadSchema,
  signerSchema,
  type TrustRoot,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { makeDirectory } from '@firmproof/protocol/node/directory';
import { hexlify, Wallet } from 'ethers';
import { z } from 'zod';
import { decryptSecret, encryptSecret } from './key-file.ts';
import { commandKey, p256Key, type SignerKey, walletKey, walletRpcKey } from './signer-key.ts';

/** Where the approval key is: in a file here, behind a command (hardware, a service), or in a wallet that speaks JSON-RPC. */
const approvalKeySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('command'), command: z.array(z.string()).min(1), publicKey: publicKeySchema }),
  z.object({ kind: z.literal('wallet'), url: z.url({ protocol: /^https?$/ }), address: addressSchema }),
]);
export type ExternalKey = z.infer<typeof approvalKeySchema>;

/** The vendor account that this key is a signer of; its first signers as long as it is not on chain. */
const teamSchema = z.object({ account: addressSchema, parameters: accountParametersSchema.optional() });
export type Team = z.infer<typeof teamSchema>;

const settingsSchema = z.object({
  server: z.url({ protocol: /^https?$/ }).optional(),
  approvalKey: approvalKeySchema.optional(),
  /** The public side of an approval key in a file here, so that nobody has to open it to show it. */
  signer: signerSchema.optional(),
  team: teamSchema.optional(),
  /** The registry that approvals are made for: what a server says about it later has to be the same. */
  registry: z.object({ chainId: z.int(), registry: addressSchema }).optional(),
  products: z.record(productNameSchema, z.object({ id: productIdSchema })).default({}),
});
type Settings = z.infer<typeof settingsSchema>;

/** Where logs of servers ended when they were last seen, by server and publisher. */
const serverLogHeadsSchema = z.record(z.string(), serverLogHeadSchema);

const tokensSchema = z.record(z.string(), z.object({ token: z.string(), expiresAt: z.int() }));

/** Keys by their job; each is a file of its own, encrypted at rest. */
export type KeyJob = 'approval' | 'build' | 'root';
const keyJobs: readonly KeyJob[] = ['approval', 'build', 'root'];

const tokenReserveSeconds = 60;
const secp256k1KeyBytes = 32;

/** @throws FirmproofError `key-invalid` */
export function externalKey(external: ExternalKey): SignerKey {
  return external.kind === 'command'
    ? commandKey(external.command, external.publicKey)
    : walletRpcKey(external.url, external.address);
}

function approvalKeyOf(secret: Uint8Array): SignerKey {
  if (secret.length === secp256k1KeyBytes) return walletKey(new Wallet(hexlify(secret)));
  return p256Key(createPrivateKey({ key: Buffer.from(secret), format: 'der', type: 'pkcs8' }));
}

/**
 * A vendor's directory: keys, the server's address, tokens, and for each product what its device images must contain.
 *
 *     settings.json  tokens.json  server-logs.json  keys/{approval,build,root}.json  products/<name>/{trust-root,agent}.json
 *
 * The approval key is secp256k1 (a wallet) or P-256.
 */
export class Home {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  get settings(): Settings {
    const file = join(this.directory, 'settings.json');
    if (!existsSync(file)) return { products: {} };
    return parseJson(readFileSync(file, 'utf8'), settingsSchema, {
      code: 'config-invalid',
      maximumBytes: 1024 * 1024,
      what: file,
    });
  }

  async change(change: Partial<Settings>): Promise<void> {
    await this.#write('settings.json', { ...this.settings, ...change });
  }

  async addProduct(name: ProductName, id: ProductId): Promise<void> {
    await this.change({ products: { ...this.settings.products, [name]: { id } } });
  }

  async #write(name: string, value: object): Promise<void> {
    makeDirectory(this.directory, 0o700);
    await writeFileAtomically(join(this.directory, name), `${JSON.stringify(value, null, 2)}\n`);
  }

  /** Where audits keep what they have read; nothing in it is secret or believed. */
  get auditDirectory(): string {
    return join(this.directory, 'audits');
  }

  /** The directory with the files that images of this product must contain. */
  productDirectory(name: ProductName): string {
    return join(this.directory, 'products', name);
  }

  /** The trust root that was made here; null for somebody else's product. */
  trustRootOf(product: ProductId): TrustRoot | null {
    const name = Object.entries(this.settings.products).find(([, { id }]) => id === product)?.[0];
    const file = name && join(this.productDirectory(name as ProductName), 'trust-root.json');
    return file && existsSync(file) ? parseTrustRoot(readFileSync(file, 'utf8')) : null;
  }

  #keyFile(job: KeyJob): string {
    return join(this.directory, 'keys', `${job}.json`);
  }

  hasKey(job: KeyJob): boolean {
    return existsSync(this.#keyFile(job)) || (job === 'approval' && this.settings.approvalKey !== undefined);
  }

  /** Whether there is a file that a passphrase has been chosen for. */
  hasKeyFiles(): boolean {
    return keyJobs.some((job) => existsSync(this.#keyFile(job)));
  }

  hasKeys(): boolean {
    return keyJobs.every((job) => this.hasKey(job));
  }

  /** Makes the keys that are missing: secp256k1 or P-256 to approve, P-256 to sign builds, Ed25519 for trust roots. */
  async makeKeys(
    passphrase: string,
    options: { readonly jobs?: readonly KeyJob[]; readonly approval?: 'wallet' | 'p256' } = {},
  ): Promise<void> {
    makeDirectory(join(this.directory, 'keys'), 0o700);
    const pkcs8 = (key: KeyObject) => key.export({ format: 'der', type: 'pkcs8' });
    const p256 = () => pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
    const wallet = () => Buffer.from(Wallet.createRandom().privateKey.slice(2), 'hex');
    const makers: Record<KeyJob, () => Uint8Array> = {
      approval: options.approval === 'p256' ? p256 : wallet,
      build: p256,
      root: () => pkcs8(generateKeyPairSync('ed25519').privateKey),
    };
    for (const job of options.jobs ?? keyJobs) {
      if (job === 'approval' && this.settings.approvalKey !== undefined) continue;
      if (existsSync(this.#keyFile(job))) await this.#open(job, async () => passphrase);
      else {
        const secret = makers[job]();
        await writeFileAtomically(this.#keyFile(job), await encryptSecret(secret, passphrase));
        if (job === 'approval') await this.change({ signer: approvalKeyOf(secret).signer });
      }
    }
  }

  async #open(job: KeyJob, passphrase: () => Promise<string>): Promise<Buffer> {
    const file = this.#keyFile(job);
    if (!existsSync(file)) throw new FirmproofError('key-not-found', `there is no ${job} key in ${this.directory}`);
    return decryptSecret(readFileSync(file, 'utf8'), await passphrase(), file);
  }

  /**
   * @param passphrase Asked for only where the key is in a file here.
   * @throws FirmproofError `key-not-found`, `passphrase-wrong`, `key-invalid`; all of `open…Key` do
   */
  async openApprovalKey(passphrase: () => Promise<string>): Promise<SignerKey> {
    const external = this.settings.approvalKey;
    if (external) return externalKey(external);
    return approvalKeyOf(await this.#open('approval', passphrase));
  }

  /** Who the approval key is as a signer; the key itself is opened only where that was never written down. */
  async signer(passphrase: () => Promise<string>): Promise<Signer> {
    const { signer, approvalKey } = this.settings;
    if (signer && !approvalKey) return signer;
    const key = await this.openApprovalKey(passphrase);
    if (!approvalKey) await this.change({ signer: key.signer });
    return key.signer;
  }

  async openBuildKey(passphrase: string): Promise<KeyObject> {
    return createPrivateKey({ key: await this.#open('build', async () => passphrase), format: 'der', type: 'pkcs8' });
  }

  async openRootKey(passphrase: string): Promise<KeyObject> {
    return createPrivateKey({ key: await this.#open('root', async () => passphrase), format: 'der', type: 'pkcs8' });
  }

  #tokens(): z.infer<typeof tokensSchema> {
    const file = join(this.directory, 'tokens.json');
    if (!existsSync(file)) return {};
    return parseJson(readFileSync(file, 'utf8'), tokensSchema, {
      code: 'config-invalid',
      maximumBytes: 1024 * 1024,
      what: file,
    });
  }

  /** A token that is good for a while, for all of the account's or for one product; null when there is none. */
  tokenFor(server: string, account: Address, product?: ProductId): string | null {
    const kept = this.#tokens()[tokenName(server, account, product)];
    return kept && kept.expiresAt > Date.now() / 1000 + tokenReserveSeconds ? kept.token : null;
  }

  async keepToken(
    server: string,
    token: {
      readonly token: string;
      readonly publisher: Address;
      readonly product?: ProductId | undefined;
      readonly expiresAt: number;
    },
  ): Promise<void> {
    const { token: text, publisher, product, expiresAt } = token;
    const name = tokenName(server, publisher, product);
    await this.#write('tokens.json', { ...this.#tokens(), [name]: { token: text, expiresAt } });
  }

  #serverLogHeads(): z.infer<typeof serverLogHeadsSchema> {
    const file = join(this.directory, 'server-logs.json');
    if (!existsSync(file)) return {};
    return parseJson(readFileSync(file, 'utf8'), serverLogHeadsSchema, {
      code: 'config-invalid',
      maximumBytes: 1024 * 1024,
      what: file,
    });
  }

  /** Where the log of a server ended when it was last seen here. */
  serverLogHead(server: string, publisher: Address): ServerLogHead | null {
    return this.#serverLogHeads()[tokenName(server, publisher)] ?? null;
  }

  async keepServerLogHead(server: string, publisher: Address, head: ServerLogHead): Promise<void> {
    await this.#write('server-logs.json', { ...this.#serverLogHeads(), [tokenName(server, publisher)]: head });
  }
}

const tokenName = (server: string, account: Address, product?: ProductId) =>
  [server, account, ...(product ? [product] : [])].join(' ');
