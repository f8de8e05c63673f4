import { randomBytes } from 'node:crypto';
import {
  releaseRegistryAbi,
  vendorAccountAbi,
  vendorAccountAddress,
  vendorAccountFactoryAbi,
  vendorAccountFactoryAddress,
} from '@firmproof/contracts';
import {
  type AccountParameters,
  type ActionMessage,
  type Address,
  type ProductId,
  parseBytes32,
  productIdOf,
  toHex,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import { actionTypedData, type SignerApproval, wrapApprovals } from '@firmproof/protocol/approval';
import { Contract } from 'ethers';
import { expect } from 'vitest';
import { call, refused, withRelayer } from './relayer.ts';
import type { Stack } from './stack.ts';
import { approveAction, approveChange, deployAccount, mixedTeam, parametersOf, type TeamSigner } from './team.ts';

export const inAnHour = () => Math.floor(Date.now() / 1000) + 3600;
export const anyWord = () => parseBytes32(toHex(randomBytes(32)));

type Three = readonly [TeamSigner, TeamSigner, TeamSigner];

/** A 2-of-3 account with a product, attacked with no server in between. */
export class AttackedTeam {
  readonly stack: Stack;
  readonly members: Three;
  readonly account: Address;
  readonly product: ProductId;

  private constructor(stack: Stack, account: Address, members: Three) {
    this.stack = stack;
    this.account = account;
    this.members = members;
    this.product = productIdOf(stack.info.chainId, stack.info.registry, account, 'hub' as never);
  }

  /** Without others, of one signer of each kind. */
  static async open(stack: Stack, members: Three = mixedTeam()): Promise<AttackedTeam> {
    const team = new AttackedTeam(stack, await deployAccount(stack, parametersOf(members, 2)), members);
    const message = team.registration();
    const signature = approveAction(stack.info, team.at(1), members, 'Register', message);
    await call(stack, team.registry, 'register', [...Object.values(message), signature]);
    return team;
  }

  get registry() {
    return { address: this.stack.info.registry, abi: releaseRegistryAbi };
  }

  get contract() {
    return { address: this.account, abi: vendorAccountAbi };
  }

  at(epoch: number) {
    return { account: this.account, epoch };
  }

  registration(publisher = this.account, name = 'hub') {
    return {
      publisher,
      name,
      guardian: zeroAddress,
      delay: 0,
      trustRoot: anyWord(),
      predecessor: zeroBytes32,
      deadline: inAnHour(),
    } as ActionMessage<'Register'>;
  }

  /** The release that is attacked: the product never has it before. */
  release() {
    return {
      product: this.product,
      version: '9.9.9',
      image: anyWord(),
      attestation: anyWord(),
      rollbackIndex: 0,
      epoch: 1,
      deadline: inAnHour(),
    } as ActionMessage<'Publish'>;
  }

  signedBy(by: readonly TeamSigner[], message: ActionMessage<'Publish'>, epoch = 1): `0x${string}` {
    return approveAction(this.stack.info, this.at(epoch), by, 'Publish', message);
  }

  /** Approvals as they are given, in the order of the keys. */
  wrapped(approvals: readonly SignerApproval[], message: ActionMessage<'Publish'>): `0x${string}` {
    return wrapApprovals(approvals, actionTypedData(this.stack.info, 'Publish', message));
  }

  /** What the registry holds of the product and of the release that is attacked. */
  recorded() {
    return withRelayer(this.stack, this.stack.directory, async (relayer) => {
      const contract = new Contract(this.stack.info.registry, releaseRegistryAbi, relayer);
      const { sequence, history } = await contract.getFunction('product')(this.product);
      const { status, commitment } = await contract.getFunction('release')(this.product, '9.9.9');
      return { sequence: Number(sequence), history, status: Number(status), commitment };
    });
  }

  /** The registry must not take it, and must be as it was. */
  async refusedRelease(message: ActionMessage<'Publish'>, signature: string): Promise<void> {
    await this.unchanged(() =>
      refused(
        this.stack,
        this.registry,
        'publish',
        [...Object.values(message), signature],
        `ApprovalRefused(${this.account})`,
      ),
    );
    expect(await this.recorded()).toMatchObject({ status: 0 });
  }

  async unchanged(attack: () => Promise<void>): Promise<void> {
    const before = await this.recorded();
    await attack();
    expect(await this.recorded()).toEqual(before);
  }

  /** Whoever may approve still can: what was refused before was refused for its own fault. */
  async publishes(by: readonly TeamSigner[], epoch = 1): Promise<void> {
    const message = this.release();
    const args = [...Object.values(message), this.signedBy(by, message, epoch)];
    await call(this.stack, this.registry, 'publish', args);
    expect(await this.recorded()).toMatchObject({ status: 1 });
  }

  /** The arguments of setSigners, approved by `by` and proved by `proving`. */
  newSigners(
    signers: AccountParameters['signers'],
    threshold: number,
    by: readonly TeamSigner[],
    proving: readonly TeamSigner[],
    epoch = 1,
  ): readonly unknown[] {
    const message = { signers, threshold, passkeysAlone: false, epoch: epoch + 1, deadline: inAnHour() };
    const sides = [by, proving].map((side) =>
      approveChange(this.stack.info.chainId, this.at(epoch), side, 'SetSigners', message),
    );
    return [...Object.values(message), ...sides];
  }

  /** Replaces the signers; the old k and all the new sign. */
  async setSigners(signers: readonly TeamSigner[], threshold: number, by: readonly TeamSigner[], epoch: number) {
    const list = signers.map(({ signer }) => signer);
    await call(this.stack, this.contract, 'setSigners', this.newSigners(list, threshold, by, signers, epoch));
  }
}

/** The account must not be made, whoever asks. */
export async function refusedAccount(stack: Stack, parameters: AccountParameters, error: string): Promise<void> {
  // The errors are the account's own, passed on.
  const factory = { address: vendorAccountFactoryAddress, abi: [...vendorAccountFactoryAbi, ...vendorAccountAbi] };
  await refused(stack, factory, 'create', [parameters], error);
  await withRelayer(stack, stack.directory, async ({ provider }) => {
    expect(await provider?.getCode(vendorAccountAddress(parameters))).toBe('0x');
  });
}
