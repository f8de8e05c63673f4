import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofError,
  type ProductId,
  type ProductName,
  parseJson,
  parseTrustRoot,
  productIdSchema,
  productNameSchema,
  type TrustRoot,
} from '@firmproof/protocol';
import { writeFileAtomically } from '@firmproof/protocol/node/atomic-file';
import { hexlify, Wallet } from 'ethers';
import { z } from 'zod';
import { decryptSecret, encryptSecret } from './key-file.ts';

const settingsSchema = z.object({
  server: z.url({ protocol: /^https?$/ }).optional(),
  products: z.record(productNameSchema, z.object({ id: productIdSchema })).default({}),
});
type Settings = z.infer<typeof settingsSchema>;

const tokensSchema = z.record(z.string(), z.object({ token: z.string(), expiresAt: z.int() }));

/** Keys by their job; each is a file of its own, encrypted at rest. */
export type KeyJob = 'approval' | 'build' | 'root';
const keyJobs: readonly KeyJob[] = ['approval', 'build', 'root'];

const tokenReserveSeconds = 60;

/**
 * A vendor's directory: keys, the server's address, tokens, and for each product what its device images must contain.
 *
 *     settings.json  tokens.json  keys/{approval,build,root}.json  products/<name>/{trust-root,agent}.json
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
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    await writeFileAtomically(join(this.directory, name), `${JSON.stringify(value, null, 2)}\n`);
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

  hasKeys(): boolean {
    return keyJobs.every((job) => existsSync(this.#keyFile(job)));
  }

  /** Makes the keys that are missing: secp256k1 to approve, P-256 to sign builds, Ed25519 for trust roots. */
  async makeKeys(passphrase: string): Promise<void> {
    mkdirSync(join(this.directory, 'keys'), { recursive: true, mode: 0o700 });
    const pkcs8 = (key: KeyObject) => key.export({ format: 'der', type: 'pkcs8' });
    const makers: Record<KeyJob, () => Uint8Array> = {
      approval: () => Buffer.from(Wallet.createRandom().privateKey.slice(2), 'hex'),
      build: () => pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey),
      root: () => pkcs8(generateKeyPairSync('ed25519').privateKey),
    };
    for (const job of keyJobs) {
      if (existsSync(this.#keyFile(job))) await this.#open(job, passphrase);
      else await writeFileAtomically(this.#keyFile(job), await encryptSecret(makers[job](), passphrase));
    }
  }

  async #open(job: KeyJob, passphrase: string): Promise<Buffer> {
    const file = this.#keyFile(job);
    if (!existsSync(file)) throw new FirmproofError('key-not-found', `there is no ${job} key in ${this.directory}`);
    return decryptSecret(readFileSync(file, 'utf8'), passphrase);
  }

  /** @throws FirmproofError `key-not-found`, `passphrase-wrong`, `key-invalid`; all of `open…Key` do */
  async openApprovalKey(passphrase: string): Promise<Wallet> {
    return new Wallet(hexlify(await this.#open('approval', passphrase)));
  }

  async openBuildKey(passphrase: string): Promise<KeyObject> {
    return createPrivateKey({ key: await this.#open('build', passphrase), format: 'der', type: 'pkcs8' });
  }

  async openRootKey(passphrase: string): Promise<KeyObject> {
    return createPrivateKey({ key: await this.#open('root', passphrase), format: 'der', type: 'pkcs8' });
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

  /** A token that is good for a while; null when there is none. */
  tokenFor(server: string): string | null {
    const kept = this.#tokens()[server];
    return kept && kept.expiresAt > Date.now() / 1000 + tokenReserveSeconds ? kept.token : null;
  }

  async keepToken(server: string, token: { readonly token: string; readonly expiresAt: number }): Promise<void> {
    const { token: text, expiresAt } = token;
    await this.#write('tokens.json', { ...this.#tokens(), [server]: { token: text, expiresAt } });
  }
}
