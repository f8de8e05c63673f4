import { writeFileSync } from 'node:fs';
import {
  type Evidence,
  errorCatalogue,
  FirmproofError,
  isFirmproofError,
  parseChannel,
  parseEvidence,
  type TrustRoot,
} from '@firmproof/protocol';
import type { Command } from 'commander';
import { sizeOfImage } from '../../image-file.ts';
import { verifyImage } from '../../verify-image.ts';
import { exitCodes } from '../exit-codes.ts';
import { readText } from '../files.ts';
import { humanTime } from '../output.ts';
import type { Session } from '../session.ts';
import { readTrustRootFile } from '../trust-root-file.ts';
import type { Run } from './setup.ts';

type VerifyFlags = {
  readonly product?: string;
  readonly channel: string;
  readonly hardware?: string;
  readonly evidence?: string;
  readonly trustRoot?: string;
  readonly save?: string;
};

async function verify(session: Session, image: string, flags: VerifyFlags): Promise<void> {
  const { output } = session;
  const channel = parseChannel(flags.channel);
  const size = sizeOfImage(image);
  const trustRoot = flags.trustRoot ? readTrustRootFile(flags.trustRoot) : await ownTrustRoot(session, flags.product);
  const text = flags.evidence ? readText(flags.evidence) : await session.client().evidence(trustRoot.product, channel);
  const evidence = flags.evidence ? keptEvidence(flags.evidence, text) : parseEvidence(text);
  if (flags.save) writeFileSync(flags.save, text);
  const bar = output.progress('hashing');
  const {
    proven,
    version,
    verdict,
    image: found,
  } = await verifyImage(image, evidence, trustRoot, {
    channel,
    nowSeconds: Math.floor(Date.now() / 1000),
    ...(flags.hardware !== undefined && { hardware: flags.hardware }),
    onProgress: (done) => bar.update(done, size),
  }).finally(() => bar.stop());
  const { block } = evidence;
  const result = {
    proven,
    version,
    channel,
    image: found,
    block: { number: block.number, timestamp: block.timestamp },
  };
  if (proven) {
    output.result(
      result,
      `proven: ${image} is ${version}, the head of ${channel}, as the chain records it at block ${block.number} (${humanTime(block.timestamp)})`,
    );
    return;
  }
  output.result(
    { ...result, code: verdict.code, message: verdict.message },
    `not proven: ${verdict.message} [${verdict.code}]\n${verifyHint(verdict.code)}`,
  );
  process.exitCode = exitCodes.unproven;
}

const verifyHint = (code: keyof typeof errorCatalogue) =>
  code === 'image-digest-mismatch'
    ? 'Check the file and the channel: verify compares with the head of one channel.'
    : errorCatalogue[code].remedy;

async function ownTrustRoot(session: Session, reference: string | undefined): Promise<TrustRoot> {
  const root = session.home.trustRootOf(await session.product(reference));
  if (root) return root;
  throw new FirmproofError('usage-invalid', 'this product was not made here, so its trust root has to be given', {
    hint: 'Get trust-root.json from the vendor or a device image, not from the server, and give it with --trust-root.',
  });
}

/** @throws FirmproofError `evidence-malformed`, with the file's name */
function keptEvidence(file: string, text: string): Evidence {
  try {
    return parseEvidence(text);
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    throw new FirmproofError(error.code, `${file} holds no evidence: ${error.message}`, {
      hint: 'Give a file that `firmproof verify --save` has written.',
      cause: error,
    });
  }
}

export function addVerify(program: Command, run: Run): void {
  program
    .command('verify')
    .argument('<image>', 'the firmware image')
    .description('prove that an image is the head of a channel, online or against saved evidence')
    .option('--product <name>', 'name or id (default: the only one here)')
    .option('--channel <name>', 'the channel', 'stable')
    .option('--hardware <revision>', 'check for this hardware revision')
    .option('--evidence <file>', 'saved evidence: nothing is asked of any server')
    .option('--trust-root <file>', 'trust root of the product, where it was not made here')
    .option('--save <file>', 'keep the evidence for later')
    .action(run((session, image: string, flags: VerifyFlags) => verify(session, image, flags)));
}
