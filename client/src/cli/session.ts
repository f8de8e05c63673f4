import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Channel,
  FirmproofError,
  isFirmproofError,
  type ProductId,
  type Proposal,
  parseAttestation,
  parseEvidence,
  parseProductId,
  parseProductName,
  type ServerInfo,
  type Signer,
  signerKind,
  type TokenScope,
  type TrustRoot,
  type Version,
} from '@firmproof/protocol';
import { describeMissing } from '@firmproof/protocol/approval';
import { FirmproofClient } from '../api-client.ts';
import { type Approver, SignerApprover, WalletApprover } from '../approver.ts';
import { Home, type Team } from '../home.ts';
import type { SignerKey } from '../signer-key.ts';
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

  /** Whether somebody has said which server, now or when this directory was set up. */
  get serverIsKnown(): boolean {
    return this.serverIsGiven || this.home.settings.server !== undefined;
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
    // stdout carries results only, also while something is asked.
    const { password } = await import('@inquirer/prompts');
    const ask = (message: string) => password({ message, mask: true }, { output: process.stderr });
    const first = await ask(isNew ? 'Choose a passphrase for the keys' : 'Passphrase');
    if (isNew && first !== (await ask('Once more'))) {
      throw new FirmproofError('passphrase-wrong', 'the two passphrases differ');
    }
    return first;
  }

  /** The key that approves, wherever it is kept. @throws FirmproofError `key-not-found`, `passphrase-wrong` */
  async approvalKey(): Promise<SignerKey> {
    this.#requireApprovalKey();
    return this.home.openApprovalKey(() => this.passphrase());
  }

  /** Who approves here, as a signer. @throws FirmproofError `key-not-found` */
  async signer(): Promise<Signer> {
    this.#requireApprovalKey();
    return this.home.signer(() => this.passphrase());
  }

  #requireApprovalKey(): void {
    if (this.home.hasKey('approval')) return;
    throw new FirmproofError('key-not-found', `there is no approval key in ${this.home.directory}`, {
      hint: 'Make one with `firmproof signer new`, or name one with `firmproof signer use`; or see --home.',
    });
  }

  /** Who approves with this key: the team that it belongs to, or the wallet itself. */
  async approver(): Promise<Approver> {
    const key = await this.approvalKey();
    const { team } = this.home.settings;
    if (team) return this.signerApprover(team, key);
    if (signerKind(key.signer) === 'wallet') return new WalletApprover(key);
    throw new FirmproofError('account-not-found', 'a P-256 key approves as a signer of a vendor account only', {
      hint: 'Set one up with `firmproof setup --team 2-of-3`, or join one with `firmproof team join`.',
    });
  }

  /** The vendor account that this directory belongs to. @throws FirmproofError `account-not-found` */
  team(): Team {
    const { team } = this.home.settings;
    if (team) return team;
    throw new FirmproofError('account-not-found', `${this.home.directory} belongs to no team`, {
      hint: 'Set one up with `firmproof setup --team 2-of-3`, or join one with `firmproof team join`.',
    });
  }

  signerApprover({ account, parameters }: Team, key: SignerKey): SignerApprover {
    // An account that is not on chain yet starts with epoch 1.
    const now = async () => (parameters ? { epoch: 1, ...parameters } : await this.client().account(account));
    return new SignerApprover(account, key, {
      epoch: async () => (await now()).epoch,
      isSigner: async () => (await now()).signers.includes(key.signer),
      ...(parameters && { parameters }),
    });
  }

  /**
   * The vendor with its approval key and a token, logged in anew where there is none. What the server claims about chain and
   * registry must be what is known here.
   */
  async vendor(product?: ProductId): Promise<Vendor> {
    const vendor = await this.open(await this.approver());
    if (product) this.requireKnownRegistry(vendor.info, product);
    return vendor;
  }

  /** Where the trust root of a product is here, the server must be on its chain. @throws FirmproofError `server-lied` */
  requireKnownRegistry(info: ServerInfo, product: ProductId): void {
    const root = this.home.trustRootOf(product);
    if (root) requireSameRegistry(info, root);
  }

  async open<By extends Approver>(approver: By): Promise<Vendor<By>> {
    const token = this.givenToken ?? this.home.tokenFor(this.server, approver.account);
    const vendor = token
      ? await Vendor.open(new FirmproofClient({ server: this.server, token }), approver)
      : await this.login(approver);
    await this.pinRegistry(vendor.info);
    return vendor;
  }

  /** The same vendor at another server and its registry: where a product moves to. */
  async vendorAt(server: string): Promise<Vendor> {
    const there = new Session({ home: this.home.directory, server, json: this.output.json });
    there.#passphrase = this.#passphrase;
    const vendor = await there.login(await there.approver());
    this.#passphrase = there.#passphrase;
    return vendor;
  }

  async login<By extends Approver>(approver: By, scopes?: readonly TokenScope[]): Promise<Vendor<By>> {
    const { vendor, token } = await Vendor.login(new FirmproofClient({ server: this.server }), approver, { scopes });
    await this.home.keepToken(this.server, token);
    return vendor;
  }

  /** The first registry that is met is the one; keys must never sign for another that a server makes up. */
  async pinRegistry({ chainId, registry }: Pick<ServerInfo, 'chainId' | 'registry'>): Promise<void> {
    const known = this.home.settings.registry;
    if (known) requireSameRegistry({ chainId, registry }, known);
    else await this.home.change({ registry: { chainId, registry } });
  }

  /** A product by id, or by name where it is one of those here: without asking anybody. */
  knownProduct(reference: string): ProductId | null {
    if (reference.startsWith('0x')) return parseProductId(reference);
    const name = parseProductName(reference);
    return Object.entries(this.home.settings.products).find(([candidate]) => candidate === name)?.[1].id ?? null;
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
          hint: own[0]
            ? `Say which, as the command's --help has it: ${own.map(([name]) => name).join(', ')}`
            : 'Name it, by its id or as its server calls it. `firmproof setup` makes one of your own.',
        },
      );
    }
    const known = this.knownProduct(reference);
    if (known) return known;
    const name = parseProductName(reference);
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

  /**
   * Tells about a proposal until it is confirmed or, unless `wait`, until it waits for people.
   */
  async follow(
    vendor: { readonly client: FirmproofClient },
    proposal: Proposal,
    options: { readonly wait?: boolean } = {},
  ): Promise<Proposal> {
    let last = '';
    const known = voicesOf(proposal);
    const onState = (now: Proposal) => {
      const text = progressOf(now);
      // The stream begins with what is known already.
      if (voicesOf(now) < known || text === null || text === last) return;
      this.output.note(`  ${text}`);
      last = text;
    };
    return vendor.client.follow(proposal.id, onState, { untilItWaits: options.wait !== true });
  }
}

const voicesOf = ({ approvals, rejections }: Proposal) => approvals.length + rejections.length;

/** A line on how far it is; null where there is nothing to say. Approvals are counted here: the server's count may be older. */
function progressOf({ state, reason, requirements, approvals }: Proposal): string | null {
  if (state !== 'approving') return state;
  if (reason === undefined) return null;
  const current = approvals.filter(({ epoch }) => epoch === requirements?.epoch);
  const isCount = reason.code === 'approvals-missing' || reason.code === 'browser-alone';
  const said = isCount && requirements ? describeMissing(requirements, current) : reason;
  return said && `${state}: ${said.message} [${said.code}]`;
}

/** The promotion is confirmed whatever becomes of this look. */
function notSeen(error: unknown): null {
  if (isFirmproofError(error)) return null;
  throw error;
}

/** @throws FirmproofError `server-lied` */
function requireSameRegistry(
  info: Pick<ServerInfo, 'chainId' | 'registry'>,
  known: Pick<TrustRoot, 'chainId' | 'registry'>,
): void {
  if (info.chainId === known.chainId && info.registry === known.registry) return;
  throw new FirmproofError(
    'server-lied',
    `the server is on chain ${info.chainId} with registry ${info.registry}, known here is chain ${known.chainId} with ${known.registry}`,
  );
}
