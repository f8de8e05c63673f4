import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Channel,
  FirmproofError,
  isFirmproofError,
  type ProductId,
  type Proposal,
  parseAddress,
  parseAttestation,
  parseEvidence,
  parseProductId,
  parseProductName,
  productIdOf,
  type ServerInfo,
  type TrustRoot,
  type Version,
} from '@firmproof/protocol';
import { password } from '@inquirer/prompts';
import type { Wallet } from 'ethers';
import { FirmproofClient } from '../api-client.ts';
import { Home } from '../home.ts';
import { Vendor } from '../vendor.ts';
import { Output } from './output.ts';

export type GlobalOptions = { readonly home?: string; readonly server?: string; readonly json?: boolean };

/** Half a minute: on a real chain finality takes longer, and nobody has to wait for it here. */
const evidenceAttempts = 60;
const evidencePauseMilliseconds = 500;

const defaultServer = 'http://127.0.0.1:8440';

/** One run of the command: where the keys are, which server, how to speak. Nothing is asked or opened before it is needed. */
export class Session {
  readonly output: Output;
  readonly home: Home;
  readonly #givenServer: string | undefined;
  #passphrase: string | undefined;

  constructor({ home, server, json }: GlobalOptions) {
    this.output = new Output(json ?? false);
    this.home = new Home(resolve(home ?? process.env['FIRMPROOF_HOME'] ?? join(homedir(), '.firmproof')));
    this.#givenServer = server ?? process.env['FIRMPROOF_SERVER'];
  }

  get serverIsGiven(): boolean {
    return this.#givenServer !== undefined;
  }

  get server(): string {
    const address = this.#givenServer ?? this.home.settings.server ?? defaultServer;
    if (!/^https?:\/\//.test(address) || !URL.canParse(address)) {
      throw new FirmproofError('usage-invalid', `the server address "${address}" is no http(s) address`);
    }
    return address.replace(/\/+$/, '');
  }

  get givenToken(): string | undefined {
    return process.env['FIRMPROOF_TOKEN'];
  }

  /** An ID token to log in with, where CI gives one through a variable. */
  get givenIdToken(): string | undefined {
    return process.env['FIRMPROOF_ID_TOKEN'] || undefined;
  }

  /** Reads only; no key is opened. */
  client(): FirmproofClient {
    return new FirmproofClient({ server: this.server, token: this.givenToken });
  }

  /** From the environment, or asked once; twice where a new one is chosen. @throws FirmproofError `passphrase-wrong` */
  async passphrase(options: { readonly isNew?: boolean } = {}): Promise<string> {
    this.#passphrase ??= process.env['FIRMPROOF_PASSPHRASE'] ?? (await this.#askPassphrase(options.isNew ?? false));
    if (this.#passphrase === '') throw new FirmproofError('passphrase-wrong', 'the passphrase is empty');
    return this.#passphrase;
  }

  async #askPassphrase(isNew: boolean): Promise<string> {
    if (!this.output.isInteractive) {
      throw new FirmproofError('passphrase-wrong', 'no passphrase is given, and nobody is here to ask', {
        hint: 'Set FIRMPROOF_PASSPHRASE.',
      });
    }
    const first = await password({ message: isNew ? 'Choose a passphrase for the keys' : 'Passphrase', mask: true });
    if (isNew && first !== (await password({ message: 'Once more', mask: true }))) {
      throw new FirmproofError('passphrase-wrong', 'the two passphrases differ');
    }
    return first;
  }

  async approvalKey(): Promise<Wallet> {
    if (!this.home.hasKeys()) throw new FirmproofError('key-not-found', `there are no keys in ${this.home.directory}`);
    return this.home.openApprovalKey(await this.passphrase());
  }

  /**
   * The vendor with its approval key and a token, logged in anew where there is none. `product` pins what the server may
   * claim about chain and registry.
   */
  async vendor(product?: ProductId): Promise<Vendor> {
    const wallet = await this.approvalKey();
    const token = this.givenToken ?? this.home.tokenFor(this.server);
    const vendor = token
      ? await Vendor.open(new FirmproofClient({ server: this.server, token }), wallet)
      : await this.login(wallet);
    if (product) this.requireKnownRegistry(vendor.info, product);
    return vendor;
  }

  /** Where the trust root of a product is here, the server must be on its chain. @throws FirmproofError `server-lied` */
  requireKnownRegistry(info: ServerInfo, product: ProductId): void {
    const root = this.home.trustRootOf(product);
    if (root) requireSameRegistry(info, root);
  }

  async login(wallet: Wallet): Promise<Vendor> {
    const { vendor, token } = await Vendor.login(new FirmproofClient({ server: this.server }), wallet);
    await this.home.keepToken(this.server, token);
    return vendor;
  }

  /**
   * A product by id or name: own products first, then the server's list. Without either, the only product here.
   * @throws FirmproofError `product-not-found`, `usage-invalid`
   */
  async product(reference: string | undefined): Promise<ProductId> {
    const own = Object.entries(this.home.settings.products);
    if (reference === undefined) {
      const [only, ...more] = own;
      if (only && more.length === 0) return only[1].id;
      throw new FirmproofError(
        'usage-invalid',
        own.length === 0 ? 'no product is named' : 'there are several products here',
        {
          hint: `Say which: --product ${own[0]?.[0] ?? 'NAME'}`,
        },
      );
    }
    if (reference.startsWith('0x')) return parseProductId(reference);
    const name = parseProductName(reference);
    const known = own.find(([candidate]) => candidate === name);
    if (known) return known[1].id;
    const found: ProductId[] = [];
    for await (const product of this.client().products()) if (product.name === name) found.push(product.product);
    const [first, ...others] = found;
    if (first && others.length === 0) return first;
    throw new FirmproofError(
      'product-not-found',
      first ? `${found.length} publishers have a product ${name}` : `the server has no product ${name}`,
      first ? { hint: `Say which by its id: ${found.join(', ')}` } : {},
    );
  }

  /** The id that a product of this name has, or will have, with these keys. */
  idOfOwn(info: ServerInfo, wallet: Wallet, name: string): ProductId {
    return productIdOf(info.chainId, info.registry, parseAddress(wallet.address), parseProductName(name));
  }

  /**
   * Waits a moment until the server serves evidence of the new head, so that a device that is asked next sees it. Answers
   * whether it does; if not, it will.
   */
  async evidenceOf(vendor: Vendor, product: ProductId, channel: Channel, version: Version): Promise<boolean> {
    for (let attempt = 0; attempt < evidenceAttempts; attempt += 1) {
      const text = await vendor.client.evidence(product, channel).catch(notSeen);
      const { release } = text === null ? {} : parseEvidence(text);
      if (release && parseAttestation(release.attestation).statement.predicate.version === version) return true;
      await pause(evidencePauseMilliseconds);
    }
    return false;
  }

  /** Tells about a proposal until it is confirmed. */
  async follow(vendor: Vendor, proposal: Proposal): Promise<Proposal> {
    let last = '';
    return vendor.client.follow(proposal.id, ({ state, reason }) => {
      const text = reason && state === 'approving' ? `${state}: ${reason.message} [${reason.code}]` : state;
      if (text !== last) this.output.note(`  ${text}`);
      last = text;
    });
  }
}

/** The promotion is confirmed whatever becomes of this look. */
function notSeen(error: unknown): null {
  if (isFirmproofError(error)) return null;
  throw error;
}

/** Keys must never sign for a registry that the server has made up. @throws FirmproofError `server-lied` */
function requireSameRegistry(info: ServerInfo, root: TrustRoot): void {
  if (info.chainId === root.chainId && info.registry === root.registry) return;
  throw new FirmproofError(
    'server-lied',
    `the server is on chain ${info.chainId} with registry ${info.registry}, the trust root names chain ${root.chainId} and ${root.registry}`,
  );
}
