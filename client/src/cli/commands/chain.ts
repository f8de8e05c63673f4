import { FirmproofError, parseAddress } from '@firmproof/protocol';
import type { Command } from 'commander';
import { checkChain } from '../../chain-check.ts';
import { deployContracts } from '../../chain-deploy.ts';
import { exitCodes } from '../exit-codes.ts';
import { readText } from '../files.ts';
import { fields } from '../output.ts';
import { requireRpcUrl } from '../rpc-url.ts';
import type { Session } from '../session.ts';
import type { Run } from './setup.ts';

async function chainCheck(session: Session, rpc: string, flags: { readonly registry?: string }): Promise<void> {
  const findings = await checkChain(
    requireRpcUrl(rpc),
    flags.registry === undefined ? undefined : parseAddress(flags.registry),
  );
  const unsuitable = findings.some(({ ok, required }) => required && !ok);
  const rows = findings.map(({ name, ok, required, message }) => [ok ? '✓' : required ? '✗' : '–', name, message]);
  session.output.result(
    { suitable: !unsuitable, findings },
    `${rows.map(([mark, name, message]) => `${mark} ${name?.padEnd(18)} ${message}`).join('\n')}\n${unsuitable ? 'not suitable' : 'suitable'}`,
  );
  if (unsuitable) process.exitCode = exitCodes.unreachable;
}

type DeployFlags = { readonly rpc: string; readonly keyFile: string };

async function chainDeploy(session: Session, { rpc, keyFile }: DeployFlags): Promise<void> {
  const key = readText(keyFile).trim();
  if (!/^0x[0-9a-fA-F]{64}$/.test(key))
    throw new FirmproofError('key-invalid', `${keyFile} holds no private key`, {
      hint: 'The file has to hold nothing but 0x and 64 hexadecimal digits.',
    });
  const deployment = await deployContracts(requireRpcUrl(rpc), key);
  const { chainId, registry, registryBlock, accountFactory, p256Verifier, webAuthnVerifier, deviceAnchor } = deployment;
  const lines = fields([
    ['chain id', String(chainId)],
    ['registry', `${registry} in block ${registryBlock}`],
    ['account factory', `${accountFactory}${deployment.madeFactory ? '' : ' (was there)'}`],
    ['P-256 verifier', p256Verifier],
    ['WebAuthn verifier', webAuthnVerifier],
    ['device anchor', deviceAnchor],
  ]);
  session.output.result(
    deployment,
    `${lines}\n\nFor the server:\nFIRMPROOF_REGISTRY=${registry}\nFIRMPROOF_REGISTRY_BLOCK=${registryBlock}`,
  );
}

/** The chain itself: whether it will do, and the contracts that have to be on it. */
export function addChain(program: Command, run: Run): void {
  const chain = program.command('chain').description('chains to build on');
  chain
    .command('check')
    .argument('<rpc>', 'address of an RPC node')
    .description('whether a chain has what Firmproof needs')
    .option('--registry <address>', 'a registry that should be there')
    .action(run((session, rpc: string, flags: { readonly registry?: string }) => chainCheck(session, rpc, flags)));
  chain
    .command('deploy')
    .description(
      'deploy a registry, and the factory of vendor accounts and the device anchor where they are missing; nobody owns them',
    )
    .requiredOption('--rpc <url>', 'RPC node of the chain')
    .requiredOption('--key-file <file>', 'private key that pays (0x…); it has no rights afterwards')
    .action(run((session, flags: DeployFlags) => chainDeploy(session, flags)));
}
