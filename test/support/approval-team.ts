import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FirmproofClient, ReleaseOptions } from '@firmproof/client';
import {
  type AccountParameters,
  type Address,
  type ProductId,
  type Proposal,
  parseVersion,
  type Signer,
} from '@firmproof/protocol';
import type { Stack } from './stack.ts';
import { p256Signer, type TeamSigner, walletSigner } from './team.ts';
import { makeTeam, type TeamVendor } from './team-vendor.ts';

/** Somebody whose passkey is in a browser: only that browser can sign with it. */
const inBrowser = (signer: Signer): TeamSigner => ({
  kind: 'passkey',
  signer,
  sign: () => {
    throw new Error('this passkey is in a browser');
  },
});

/** A vendor account of a P-256 key, a wallet, and passkeys of people in browsers, with a registered product. */
export class ApprovalTeam {
  readonly wallet: TeamSigner;
  readonly hardware: TeamSigner;
  readonly #team: TeamVendor;

  private constructor(team: TeamVendor, hardware: TeamSigner, wallet: TeamSigner) {
    this.#team = team;
    this.hardware = hardware;
    this.wallet = wallet;
  }

  static async form(
    stack: Stack,
    passkeys: readonly Signer[],
    options: { readonly threshold?: number; readonly change?: Partial<AccountParameters>; readonly name?: string } = {},
  ): Promise<ApprovalTeam> {
    const [hardware, wallet] = [p256Signer(), walletSigner()];
    const signers = [hardware, wallet, ...passkeys.map(inBrowser)];
    return new ApprovalTeam(await makeTeam(stack, { name: 'prime-hub', ...options, signers }), hardware, wallet);
  }

  get account(): Address {
    return this.#team.account;
  }
  get product(): ProductId {
    return this.#team.product;
  }
  get vendor(): TeamVendor['vendor'] {
    return this.#team.vendor;
  }
  get client(): FirmproofClient {
    return this.#team.vendor.client;
  }

  /** Approves with a key outside a browser, as the firmproof command does. */
  approve = (proposal: Proposal, by: TeamSigner): Promise<Proposal> => this.#team.approve(proposal, by);

  /** Uploads a release that nobody has approved yet; answers when it waits for approvals. */
  async propose(
    version: string,
    image: Buffer,
    options: Partial<ReleaseOptions> = {},
  ): Promise<{ readonly proposal: Proposal; readonly file: string }> {
    const { stack, vendor, product, buildKey } = this.#team;
    const file = join(stack.directory, `prime-hub-${version}.bin`);
    writeFileSync(file, image);
    const prepared = await vendor.prepare(file, { product, version: parseVersion(version), ...options }, buildKey);
    const { id } = await vendor.upload(file, { ...prepared, by: { approvals: [] } });
    return { proposal: await this.client.follow(id, undefined, { untilItWaits: true }), file };
  }

  /** Publishes a release by the two keys outside a browser. */
  async publish(version: string, image: Buffer, options: Partial<ReleaseOptions> = {}): Promise<void> {
    const { proposal } = await this.propose(version, image, options);
    for (const signer of [this.wallet, this.hardware]) await this.approve(proposal, signer);
    await this.#team.settle(proposal);
  }
}
