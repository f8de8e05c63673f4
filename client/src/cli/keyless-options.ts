import { FirmproofError, type SignerIdentity, sigstoreRootSchema } from '@firmproof/protocol';
import { requireUsableSigstoreRoot } from '@firmproof/protocol/node/keyless-verifier';
import { type Command, Option } from 'commander';
import type { SigstoreServices } from '../keyless.ts';
import type { KeylessTrust } from '../product-setup.ts';
import { readText } from './files.ts';

export type KeylessProductFlags = {
  readonly keylessIdentity: readonly string[];
  readonly keylessIssuer: readonly string[];
  readonly sigstoreRoot?: string;
};

export type KeylessPublishFlags = {
  readonly keyless?: boolean;
  readonly fulcioUrl?: string;
  readonly rekorUrl?: string;
  readonly timestampUrl?: string;
  readonly identityAudience?: string;
};

const collect = (value: string, before: readonly string[]) => [...before, value];

/** Who may sign releases of a new product without a key. */
export function withKeylessProductOptions(command: Command): Command {
  return command
    .option(
      '--keyless-identity <identity>',
      'who signs instead of a build key, exactly as certified (repeat)',
      collect,
      [],
    )
    .option('--keyless-issuer <issuer>', 'OIDC issuer of the identities: one for all, or one each', collect, [])
    .option('--sigstore-root <file>', 'trusted root of the Sigstore instance that certifies them');
}

/** How `publish` signs without a key; the public instance where nothing else is said. */
export function withKeylessPublishOptions(command: Command): Command {
  return command
    .option('--keyless', 'sign as the identity of this run of CI, with Fulcio and Rekor')
    .addOption(new Option('--fulcio-url <url>', 'Fulcio of a private instance').env('FIRMPROOF_FULCIO_URL'))
    .addOption(new Option('--rekor-url <url>', 'Rekor of a private instance').env('FIRMPROOF_REKOR_URL'))
    .addOption(new Option('--timestamp-url <url>', 'timestamp authority, asked as well').env('FIRMPROOF_TIMESTAMP_URL'))
    .addOption(
      new Option('--identity-audience <audience>', 'audience of the ID token for Fulcio (default: sigstore)').env(
        'FIRMPROOF_IDENTITY_AUDIENCE',
      ),
    );
}

export function sigstoreServicesOf(flags: KeylessPublishFlags): SigstoreServices {
  const { fulcioUrl, rekorUrl, timestampUrl, identityAudience } = flags;
  return { fulcioUrl, rekorUrl, timestampUrl, audience: identityAudience };
}

/**
 * The identities that the flags name, with the trusted root that proves them; undefined where they name none.
 * @throws FirmproofError `usage-invalid`, `file-not-found`, `sigstore-root-malformed`
 */
export async function keylessTrustOf(flags: KeylessProductFlags): Promise<KeylessTrust | undefined> {
  const { keylessIdentity, keylessIssuer, sigstoreRoot } = flags;
  if (keylessIdentity.length === 0 && keylessIssuer.length === 0 && sigstoreRoot === undefined) return undefined;
  if (keylessIdentity.length === 0 || keylessIssuer.length === 0 || sigstoreRoot === undefined) {
    throw new FirmproofError('usage-invalid', '--keyless-identity, --keyless-issuer and --sigstore-root go together');
  }
  const trustedRoot = readText(sigstoreRoot);
  if (!sigstoreRootSchema.safeParse(trustedRoot).success)
    throw new FirmproofError(
      'sigstore-root-malformed',
      `${sigstoreRoot} is empty or too large for a Sigstore trusted root`,
    );
  await requireUsableSigstoreRoot(trustedRoot);
  return { identities: identitiesOf(keylessIdentity, keylessIssuer), trustedRoot };
}

function identitiesOf(identities: readonly string[], issuers: readonly string[]): readonly SignerIdentity[] {
  if (issuers.length !== 1 && issuers.length !== identities.length) {
    throw new FirmproofError('usage-invalid', `${identities.length} identities and ${issuers.length} issuers`, {
      hint: 'Give --keyless-issuer once for all, or once for each --keyless-identity, in the same order.',
    });
  }
  const pattern = identities.find((identity) => identity.includes('*'));
  if (pattern !== undefined) {
    throw new FirmproofError(
      'usage-invalid',
      `"${pattern}" looks like a pattern, and identities are compared exactly`,
      {
        hint: 'Name each identity whole, for GitHub https://github.com/OWNER/REPOSITORY/.github/workflows/FILE.yml@refs/heads/BRANCH.',
      },
    );
  }
  return identities.map((identity, index) => ({ identity, issuer: issuers[index] ?? issuers[0] ?? '' }));
}
