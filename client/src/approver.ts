import { randomBytes } from 'node:crypto';
import {
  type ActionMessage,
  type ActionName,
  type Address,
  type Login,
  loginTypes,
  parseAddress,
  parseBytes32,
  serverDomain,
} from '@firmproof/protocol';
import {
  type AccountChange,
  actionTypedData,
  changeTypedData,
  nestedTypedData,
  type RegistryAddress,
  type SignerApproval,
  type TypedData,
} from '@firmproof/protocol/approval';
import type { AccountParameters, LoginRequest } from './api-client.ts';
import type { SignerKey } from './signer-key.ts';

export type ApprovalSignature = `0x${string}`;

/** What comes with a request: the approver's own signature, or those of its signers that are there already. */
export type Approved = ApprovalSignature | { readonly approvals: readonly SignerApproval[] };

/** Who approves here: a publisher or guardian, as far as this machine can speak for it. */
export interface Approver {
  readonly account: Address;
  approve<Name extends ActionName>(at: RegistryAddress, action: Name, message: ActionMessage<Name>): Promise<Approved>;
  login(server: string, chainId: number): Promise<LoginRequest>;
}

const loginSeconds = 300;

/** A login for exactly one server, valid for minutes. */
function loginMessage(account: Address, server: string): Login {
  return {
    publisher: account,
    origin: new URL(server).origin,
    nonce: parseBytes32(`0x${randomBytes(32).toString('hex')}`),
    deadline: Math.floor(Date.now() / 1000) + loginSeconds,
  };
}

const loginTypedData = (chainId: number, message: Login): TypedData => ({
  domain: serverDomain(chainId),
  types: loginTypes,
  primaryType: 'Login',
  message,
});

/** A single wallet, 1 of 1: for development, and for guardians. */
export class WalletApprover implements Approver {
  readonly account: Address;
  readonly #key: SignerKey;

  /** @throws FirmproofError `address-invalid` for a key that is no wallet */
  constructor(key: SignerKey) {
    this.account = parseAddress(key.signer);
    this.#key = key;
  }

  approve = <Name extends ActionName>(at: RegistryAddress, action: Name, message: ActionMessage<Name>) =>
    this.#key.sign(actionTypedData(at, action, message));

  async login(server: string, chainId: number): Promise<LoginRequest> {
    const message = loginMessage(this.account, server);
    return { message, signature: await this.#key.sign(loginTypedData(chainId, message)) };
  }
}

/** One signer of a vendor account: its approval is a part of the account's. A recovery signer proposes, and approves nothing. */
export class SignerApprover implements Approver {
  readonly account: Address;
  readonly key: SignerKey;
  readonly #epoch: () => Promise<number>;
  readonly #isSigner: () => Promise<boolean>;
  readonly #parameters: AccountParameters | undefined;

  /**
   * @param options.epoch The account's signer epoch now.
   * @param options.isSigner Whether it is one of the account's signers now; taken for granted otherwise.
   * @param options.parameters Of an account that is not on chain yet.
   */
  constructor(
    account: Address,
    key: SignerKey,
    options: {
      readonly epoch: () => Promise<number>;
      readonly isSigner?: () => Promise<boolean>;
      readonly parameters?: AccountParameters;
    },
  ) {
    this.account = account;
    this.key = key;
    this.#epoch = options.epoch;
    this.#isSigner = options.isSigner ?? (() => Promise.resolve(true));
    this.#parameters = options.parameters;
  }

  async approve<Name extends ActionName>(at: RegistryAddress, action: Name, message: ActionMessage<Name>) {
    if (!(await this.#isSigner())) return { approvals: [] };
    return { approvals: [await this.sign(actionTypedData(at, action, message), at.chainId)] };
  }

  /** This signer's approval of what the registry is asked. */
  async sign(plain: TypedData, chainId: number): Promise<SignerApproval> {
    const at = { account: this.account, epoch: await this.#epoch() };
    return { signer: this.key.signer, signature: await this.key.sign(nestedTypedData(plain, chainId, at)) };
  }

  /** This signer's approval of a change of the account itself. */
  async signChange(chainId: number, request: AccountChange): Promise<SignerApproval> {
    const signature = await this.key.sign(changeTypedData(chainId, request, await this.#epoch()));
    return { signer: this.key.signer, signature };
  }

  async login(server: string, chainId: number): Promise<LoginRequest> {
    const message = loginMessage(this.account, server);
    const signature = await this.key.sign(loginTypedData(chainId, message));
    const parameters = this.#parameters;
    return { message, signature, signer: this.key.signer, ...(parameters && { parameters }) };
  }
}
