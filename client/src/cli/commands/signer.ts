import { createPublicKey } from 'node:crypto';
import {
  FirmproofError,
  formatSigner,
  type PublicKey,
  parseAddress,
  parsePublicKey,
  pointOfPublicKey,
  type Signer,
  shortSigner,
  signerKind,
} from '@firmproof/protocol';
import { isSignedBy, type TypedData, typedDataHash } from '@firmproof/protocol/approval';
import { publicKeyOf } from '@firmproof/protocol/node';
import type { Command } from 'commander';
import { type ExternalKey, externalKey } from '../../home.ts';
import type { SignerKey } from '../../signer-key.ts';
import { readText } from '../files.ts';
import type { Session } from '../session.ts';
import { splitWords } from '../words.ts';
import type { Run } from './setup.ts';

/** The text alone on stdout, so that it can be piped to whoever needs it. */
function tell({ output, home }: Session, signer: Signer): void {
  output.result(
    { signer: formatSigner(signer), kind: signerKind(signer), bytes: signer, home: home.directory },
    formatSigner(signer),
  );
}

async function show(session: Session): Promise<void> {
  tell(session, await session.signer());
}

const nextSteps = [
  'Pass this line on to whoever sets the team up, on a way that they know to be yours.',
  'Once the account is there: firmproof team join ACCOUNT',
].join('\n');

async function makeNew(session: Session, flags: { readonly kind: string }): Promise<void> {
  const { home, output } = session;
  const { kind } = flags;
  if (kind !== 'wallet' && kind !== 'p256') {
    throw new FirmproofError('usage-invalid', `--kind "${kind}" is neither wallet nor p256`, {
      hint: 'Passkeys are made on the approval pages; keys in hardware are named with `firmproof signer use`.',
    });
  }
  if (home.hasKey('approval')) {
    throw new FirmproofError('setup-exists', `there is an approval key in ${home.directory} already`, {
      hint: 'See `firmproof signer show`; for another key choose another directory with --home.',
    });
  }
  await home.makeKeys(await session.passphrase({ isNew: !home.hasKeyFiles() }), { jobs: ['approval'], approval: kind });
  output.note(`A new key, encrypted with your passphrase, is in ${home.directory}. Keep a copy of that directory.`);
  output.note(nextSteps);
  await show(session);
}

type UseFlags = {
  readonly command?: string;
  readonly publicKey?: string;
  readonly wallet?: string;
  readonly address?: string;
  readonly trial: boolean;
};

async function use(session: Session, flags: UseFlags): Promise<void> {
  const { home, output } = session;
  const chosen = chosenKey(flags);
  const key = externalKey(chosen);
  if (home.hasKey('approval')) {
    const before = await session.signer();
    if (before !== key.signer) {
      throw new FirmproofError('setup-exists', `${shortSigner(before)} is the approval key of ${home.directory}`, {
        hint: 'For another key choose another directory with --home.',
      });
    }
  }
  if (flags.trial) await tryOut(session, key);
  await home.change({ approvalKey: chosen });
  output.note(nextSteps);
  tell(session, key.signer);
}

/** @throws FirmproofError `usage-invalid`, `key-invalid`, `file-not-found`, `address-invalid` */
function chosenKey({ command, publicKey, wallet, address }: UseFlags): ExternalKey {
  if (command !== undefined && publicKey !== undefined && wallet === undefined && address === undefined)
    return { kind: 'command', command: splitWords(command), publicKey: readPublicKey(publicKey) };
  if (wallet !== undefined && address !== undefined && command === undefined && publicKey === undefined) {
    if (!/^https?:\/\//.test(wallet) || !URL.canParse(wallet))
      throw new FirmproofError('usage-invalid', `--wallet "${wallet}" is no http(s) address`);
    return { kind: 'wallet', url: wallet, address: parseAddress(address) };
  }
  throw new FirmproofError('usage-invalid', 'signer use needs to know where the key is', {
    hint: 'Give --command "PROGRAM ARGUMENTS" with --public-key FILE, or --wallet URL with --address 0x….',
  });
}

/** A P-256 key: PEM, or base64 of DER. @throws FirmproofError `key-invalid` */
function readPublicKey(file: string): PublicKey {
  const text = readText(file).trim();
  const key = text.startsWith('-----') ? publicKeyOf(readPem(text, file)) : parsePublicKey(text);
  // Refuses keys of another curve.
  pointOfPublicKey(key);
  return key;
}

function readPem(text: string, file: string) {
  try {
    return createPublicKey(text);
  } catch (cause) {
    throw new FirmproofError('key-invalid', `${file} holds no public key`, { cause });
  }
}

const trialData: TypedData = {
  domain: { name: 'Firmproof' },
  types: { Trial: [{ name: 'purpose', type: 'string' }] },
  primaryType: 'Trial',
  message: { purpose: 'To see whether this key signs. It approves nothing.' },
};

/** A key that does not work is found now, not on the day that it is needed. @throws FirmproofError `signer-command-failed` */
async function tryOut({ output }: Session, key: SignerKey): Promise<void> {
  output.note('The key is asked for a signature that approves nothing, to see whether it works.');
  const signature = await key.sign(trialData);
  if (isSignedBy(key.signer, typedDataHash(trialData), signature)) return;
  throw new FirmproofError('signer-command-failed', 'the signature is not by the key that was named', {
    hint: 'Check the address. A contract account cannot be tried out like this: --no-trial.',
  });
}

export function addSigner(program: Command, run: Run): void {
  const signer = program.command('signer').description('your own approval key: what a team knows you by');
  signer
    .command('show')
    .description('print your signer, to pass on')
    .action(run((session) => show(session)));
  signer
    .command('new')
    .description('make an approval key on this machine; never overwrites one')
    .option('--kind <kind>', 'wallet or p256', 'wallet')
    .action(run((session, flags: { readonly kind: string }) => makeNew(session, flags)));
  signer
    .command('use')
    .description('approve with a key that is kept elsewhere')
    .option('--command <words>', 'program that signs: 32 bytes of hash on stdin, P-256 signature on stdout')
    .option('--public-key <file>', "that key's public side: PEM, or base64 of DER")
    .option('--wallet <url>', 'wallet that speaks JSON-RPC (eth_signTypedData_v4)')
    .option('--address <address>', 'account in that wallet')
    .option('--no-trial', 'do not ask the key for a signature now')
    .action(run((session, flags: UseFlags) => use(session, flags)));
}
