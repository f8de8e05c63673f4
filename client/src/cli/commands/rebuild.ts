import {
  FirmproofError,
  parseVersion,
  type RebuildSource,
  sha256DigestSchema,
  type TrustRoot,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { sizeOfImage } from '../../image-file.ts';
import { attestRebuild, listRebuilds } from '../../rebuild.ts';
import { recordedImage } from '../../recorded-image.ts';
import { readPrivateKey } from '../files.ts';
import { newestTrustRoot } from '../newest-trust-root.ts';
import { counted, fields, humanTime, printable, table } from '../output.ts';
import { withProductArgument } from '../product-argument.ts';
import { requireRpcUrl } from '../rpc-url.ts';
import type { Session } from '../session.ts';
import { readTrustRootFile } from '../trust-root-file.ts';
import type { Run } from './setup.ts';

type ProofFlags = { readonly trustRoot?: string; readonly rpc?: string };
type AttestFlags = ProofFlags & {
  readonly product?: string;
  readonly version: string;
  readonly key: string;
  readonly source: string;
  readonly sourceDigest: string;
  readonly environment: string;
  readonly dryRun?: boolean;
};
type ListFlags = ProofFlags & { readonly version: string };

const rpcOf = ({ rpc }: ProofFlags): string | null => (rpc === undefined ? null : requireRpcUrl(rpc));

/** The trust root that the chain names, reached from the file that was given, from what is known here, or on the server's word. */
async function trustRootFor(session: Session, name: string | undefined, flags: ProofFlags): Promise<TrustRoot> {
  const given = flags.trustRoot === undefined ? null : readTrustRootFile(flags.trustRoot);
  const product = given && name === undefined ? given.product : await session.product(name);
  if (given === null && session.home.trustRootOf(product) === null)
    session.output.note(
      "The trust root is the server's word: give one that you have from the vendor with --trust-root.",
    );
  return newestTrustRoot(session, product, given);
}

function sourceOf({ source, sourceDigest }: AttestFlags): RebuildSource {
  const [algorithm, digest] = sourceDigest.split(':');
  const sha256 = sha256DigestSchema.safeParse(digest);
  if (algorithm === 'sha256' && sha256.success) return { uri: source, digest: { sha256: sha256.data } };
  if (algorithm === 'gitCommit' && digest && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(digest))
    return { uri: source, digest: { gitCommit: digest } };
  throw new FirmproofError('usage-invalid', `--source-digest "${sourceDigest.slice(0, 80)}" is no digest`, {
    hint: 'Write gitCommit: and the whole commit id, or sha256: and the digest of the source archive.',
  });
}

async function attest(session: Session, image: string, flags: AttestFlags): Promise<void> {
  const { output } = session;
  const version = parseVersion(flags.version);
  const source = sourceOf(flags);
  const rpcUrl = rpcOf(flags);
  const key = readPrivateKey(flags.key);
  sizeOfImage(image);
  const trustRoot = await trustRootFor(session, flags.product, flags);
  const client = session.client();
  const release = await recordedImage(client, trustRoot, version, rpcUrl);
  const bar = output.progress('hashing');
  const options = { trustRoot, release, source, environment: flags.environment, key };
  const { text, statement, rebuilder } = await attestRebuild(image, options, bar.update).finally(() => bar.stop());
  const result = { product: trustRoot.product, version, image: release.image, rebuilder, statement };
  if (flags.dryRun) {
    output.result({ dryRun: true, ...result }, `${JSON.stringify(statement, null, 2)}\n\nNothing was sent.`);
    return;
  }
  const { digest } = await client.sendRebuild(trustRoot.product, version, text);
  output.result(
    { ...result, digest },
    fields([
      ['reproduced', `${version} (sha-256 ${release.image})`],
      ['by', rebuilder],
      ['from', `${source.uri} ${flags.sourceDigest}`],
    ]),
  );
}

async function list(session: Session, name: string | undefined, flags: ListFlags): Promise<void> {
  const version = parseVersion(flags.version);
  const rpcUrl = rpcOf(flags);
  const trustRoot = await trustRootFor(session, name, flags);
  const client = session.client();
  const release = await recordedImage(client, trustRoot, version, rpcUrl);
  const { counted: rebuilds, passedOver, reasons } = await listRebuilds(client, trustRoot, release);
  const named = new Set((trustRoot.rebuilders ?? []).map((rebuilder) => rebuilder.name)).size;
  const found = rebuilds.map(({ rebuilder, rebuild: { statement } }) => ({
    rebuilder: rebuilder.name,
    ...statement.predicate,
  }));
  const rows = found.map(({ rebuilder, rebuiltAt, source, environment }) => [
    rebuilder,
    humanTime(rebuiltAt),
    `${source.uri} ${Object.values(source.digest)[0] ?? ''}`,
    environment,
  ]);
  session.output.result(
    {
      product: trustRoot.product,
      version,
      image: release.image,
      rebuilders: named,
      rebuilds: found,
      passedOver,
      reasons: Object.fromEntries(reasons),
    },
    [
      `vouched for by ${rebuilds.length} of ${counted(named, 'rebuilder')}: ${version} (sha-256 ${release.image})`,
      ...(rows.length > 0 ? [table(['rebuilder', 'when', 'source', 'environment'], rows)] : []),
      ...[...reasons].map(([reason, count]) => `not counted: ${counted(count, 'statement')}: ${printable(reason)}`),
    ].join('\n'),
  );
}

/** `rebuild attest | list`: what independent rebuilders say of a release. */
export function addRebuild(program: Command, run: Run): void {
  const command = program.command('rebuild').description('what independent rebuilders say of a release');
  const withProof = (sub: Command) =>
    sub
      .option('--trust-root <file>', 'begin with this trust root, which you have from the vendor or a device image')
      .option('--rpc <url>', 'prove the image by the chain, at this node; works before the release is installable');
  withProof(
    command
      .command('attest')
      .argument('<image>', 'what you have built')
      .description('compare an image that you have rebuilt with the recorded one, and sign that it is the same')
      .option('--product <product>', 'name or id (default: the only one here, or that of the trust root)')
      .requiredOption('--version <version>', 'of the release')
      .requiredOption('--key <file>', 'your key in PEM: P-256 or Ed25519, named by the trust root')
      .requiredOption('--source <uri>', 'what it was built from: git+https://…')
      .requiredOption('--source-digest <digest>', 'gitCommit:… or sha256:…')
      .option('--environment <text>', 'what it was built with', 'not said')
      .option('--dry-run', 'show what would be signed, and send nothing'),
  ).action(run((session, image: string, flags: AttestFlags) => attest(session, image, flags)));
  withProof(
    withProductArgument(command.command('list'))
      .description('the rebuilds that count, each verified here')
      .requiredOption('--version <version>', 'of the release'),
  ).action(run((session, name: string | undefined, flags: ListFlags) => list(session, name, flags)));
}
