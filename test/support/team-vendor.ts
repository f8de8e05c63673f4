import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  FirmproofClient,
  firstTrustRoot,
  type ReleaseOptions,
  SignerApprover,
  type SignerKey,
  Vendor,
} from '@firmproof/client';
import { vendorAccountAddress } from '@firmproof/contracts';
import {
  type AccountParameters,
  type Address,
  type ProductId,
  type Proposal,
  parseAddress,
  parseProductName,
  parseVersion,
  type TrustRoot,
} from '@firmproof/protocol';
import { proposedTypedData, type SignerApproval, typedDataHash } from '@firmproof/protocol/approval';
import type { Stack } from './stack.ts';
import { mixedTeam, parametersOf, type TeamSigner } from './team.ts';

const keyOf = ({ signer, sign }: TeamSigner): SignerKey => ({
  signer,
  sign: async (data) => sign(typedDataHash(data)),
});

/** A product whose publisher is a vendor account, and everybody who approves for it. The first signer proposes. */
export type TeamVendor = {
  readonly stack: Stack;
  readonly signers: readonly TeamSigner[];
  readonly account: Address;
  readonly vendor: Vendor<SignerApprover>;
  readonly product: ProductId;
  readonly trustRoot: TrustRoot;
  readonly buildKey: KeyObject;
  readonly rootKey: KeyObject;
  /** What this signer would send for a proposal, at the account's epoch now. */
  approvalOf(signer: TeamSigner, proposal: Proposal): Promise<SignerApproval>;
  /** Sends the approvals of these signers. */
  approve(proposal: Proposal, ...signers: readonly TeamSigner[]): Promise<Proposal>;
  /** Proposes a release, approved by the first signer alone. */
  propose(version: string, image: Buffer, options?: Partial<ReleaseOptions>): Promise<Proposal>;
  settle(proposal: Proposal): Promise<Proposal>;
};

export async function vendorOf(stack: Stack, account: Address, signer: TeamSigner, parameters?: AccountParameters) {
  const client = new FirmproofClient({ server: stack.url });
  const epoch = async () => (parameters ? 1 : (await client.account(account)).epoch);
  const approver = new SignerApprover(account, keyOf(signer), { epoch, ...(parameters && { parameters }) });
  return (await Vendor.login(client, approver)).vendor;
}

export async function makeTeam(
  stack: Stack,
  options: {
    readonly name?: string;
    readonly signers?: readonly TeamSigner[];
    readonly threshold?: number;
    readonly change?: Partial<AccountParameters>;
    readonly delaySeconds?: number;
    readonly guardian?: string;
  } = {},
): Promise<TeamVendor> {
  const signers = options.signers ?? mixedTeam();
  const [first] = signers;
  if (first === undefined) throw new Error('a team has signers');
  const parameters = parametersOf(signers, options.threshold ?? 2, options.change);
  const account = parseAddress(vendorAccountAddress(parameters));
  const founding = await vendorOf(stack, account, first, parameters);
  await founding.client.follow((await founding.client.createAccount(parameters)).id);
  const vendor = await vendorOf(stack, account, first);

  const buildKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const rootKey = generateKeyPairSync('ed25519').privateKey;
  const delaySeconds = options.delaySeconds ?? 0;
  const { witnesses, chainId, registry } = stack.info;
  const name = parseProductName(options.name ?? 'team-product');
  const product = vendor.productId(name);
  const rootOptions = { name, witnesses, quorum: 2, maxAgeSeconds: 604_800, delaySeconds };
  const trustRoot = firstTrustRoot(vendor, rootOptions, { build: buildKey, root: rootKey });

  async function approvalOf({ signer, sign }: TeamSigner, proposal: Proposal) {
    const { epoch } = await vendor.client.account(account);
    const typed = proposedTypedData(proposal, { chainId, registry }, { account, epoch });
    return { signer, signature: sign(typedDataHash(typed)) };
  }

  const team: TeamVendor = {
    stack,
    signers,
    account,
    vendor,
    product,
    trustRoot,
    buildKey,
    rootKey,
    approvalOf,
    async approve(proposal, ...by) {
      let last = proposal;
      for (const signer of by) last = await vendor.client.approve(proposal.id, await approvalOf(signer, proposal));
      return last;
    },
    async propose(version, image, more = {}) {
      const file = join(stack.directory, `${name}-${version}.bin`);
      writeFileSync(file, image);
      const prepared = await vendor.prepare(file, { product, version: parseVersion(version), ...more }, buildKey);
      return vendor.upload(file, prepared);
    },
    settle: (proposal) => vendor.client.follow(proposal.id),
  };
  const { guardian } = options;
  const registration = await vendor.register(name, trustRoot, { delaySeconds, ...(guardian && { guardian }) });
  await team.approve(registration, ...signers.slice(1, options.threshold ?? 2));
  await team.settle(registration);
  return team;
}
