import { rmSync } from 'node:fs';
import { FirmproofClient, SignerApprover, type SignerKey } from '@firmproof/client';
import { type ActionName, type Proposal, sigstoreRootDigest, type TrustRootDocument } from '@firmproof/protocol';
import { actionOfKind, actionTypedData, typedDataHash } from '@firmproof/protocol/approval';
import { firmproof, type Outcome, runCommand } from './command.ts';
import { type Claims, github, githubRun, OidcIssuer } from './oidc-issuer.ts';
import { SigstoreInstance } from './sigstore.ts';
import { destroyStack, makeVendor, type Stack, startStack, type TestVendor, temporaryDirectory } from './stack.ts';
import { deployAccount, parametersOf, type TeamSigner, walletSigner } from './team.ts';

/** GitHub as far as a release from CI meets it: an issuer of ID tokens, a Sigstore instance that takes them, a server that does. */
export class Ci {
  readonly issuer: OidcIssuer;
  readonly sigstore: SigstoreInstance;
  readonly stack: Stack;
  readonly run = githubRun();

  private constructor(issuer: OidcIssuer, sigstore: SigstoreInstance, stack: Stack) {
    this.issuer = issuer;
    this.sigstore = sigstore;
    this.stack = stack;
  }

  static async open(): Promise<Ci> {
    const issuer = await OidcIssuer.start(github);
    const sigstore = await SigstoreInstance.start(issuer);
    const stack = await startStack(undefined, { FIRMPROOF_OIDC_ISSUERS: `${github}=${issuer.keysUrl}` });
    return new Ci(issuer, sigstore, stack);
  }

  async close(): Promise<void> {
    await destroyStack(this.stack);
    await this.sigstore.stop();
    await this.issuer.stop();
  }

  /** The part of a trust root that names the identity of this run. */
  get trust(): NonNullable<TrustRootDocument['sigstore']> {
    const { trustedRoot } = this.sigstore;
    return {
      trustedRoot: sigstoreRootDigest(trustedRoot),
      identities: [{ identity: this.run.identity, issuer: github }],
    };
  }

  /** Signers of a product that no build key signs for. */
  get signers() {
    return { signers: { buildKeys: [], sigstore: this.trust }, sigstoreTrustedRoot: this.sigstore.trustedRoot };
  }

  /** What a job of CI has around it. */
  jobEnvironment(claims: Claims = {}): Record<string, string> {
    return {
      FIRMPROOF_SERVER: this.stack.url,
      ...this.sigstore.environment,
      ...this.issuer.run({ ...this.run.claims, ...claims }),
    };
  }

  /** `firmproof` in a job of CI: a fresh machine without keys. */
  async command(args: readonly string[], environment: Record<string, string> = {}, claims?: Claims): Promise<Outcome> {
    const home = temporaryDirectory();
    try {
      return await runCommand(firmproof, [...args, '--json'], {
        FIRMPROOF_HOME: home,
        ...this.jobEnvironment(claims),
        ...environment,
      });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  /** A product whose publisher is a team of wallets, 2 of 3, and whose releases only CI may sign. */
  async team(name: string): Promise<TestVendor & { approve(id: string): Promise<Proposal> }> {
    const [first, second, third] = [walletSigner(), walletSigner(), walletSigner()];
    const account = await deployAccount(this.stack, parametersOf([first, second, third], 2));
    const approverOf = (signer: TeamSigner) => new SignerApprover(account, keyOf(signer), { epoch: async () => 1 });
    const approvalOf = (signer: TeamSigner, { kind, message }: Proposal) => {
      const action: ActionName = actionOfKind[kind as keyof typeof actionOfKind];
      const { info } = this.stack;
      return approverOf(signer).sign(actionTypedData(info, action, message as never), info.chainId);
    };
    // Approving needs no token.
    const client = new FirmproofClient({ server: this.stack.url });
    const add = async (signer: TeamSigner, proposal: Proposal) =>
      client.approve(proposal.id, await approvalOf(signer, proposal));
    const vendor = await makeVendor(this.stack, {
      name,
      ...this.signers,
      approver: approverOf(first),
      approve: (proposal) => add(second, proposal),
    });
    return {
      ...vendor,
      async approve(id) {
        const proposal = await client.proposal(id);
        await add(second, proposal);
        await add(third, proposal);
        return client.follow(id);
      },
    };
  }
}

const keyOf = ({ signer, sign }: TeamSigner): SignerKey => ({
  signer,
  sign: async (data) => sign(typedDataHash(data)),
});
