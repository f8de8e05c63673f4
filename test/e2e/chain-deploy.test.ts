// `firmproof chain deploy` on a chain that has never seen Firmproof.
import { randomBytes } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  p256VerifierAddress,
  releaseRegistryAbi,
  vendorAccountFactoryAddress,
  webAuthnVerifierAddress,
} from '@firmproof/contracts';
import { Contract, JsonRpcProvider, Wallet, ZeroHash } from 'ethers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAnvil } from '../support/anvil.ts';
import { firmproof, runCommand } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/stack.ts';

const directory = temporaryDirectory();
let chain: Awaited<ReturnType<typeof startAnvil>>;
let keyFile: string;

async function fundedKeyFile(on: typeof chain, wei: bigint): Promise<string> {
  const key = `0x${randomBytes(32).toString('hex')}`;
  await on.rpc('anvil_setBalance', [new Wallet(key).address, `0x${wei.toString(16)}`]);
  const file = join(directory, `${key.slice(2, 10)}.key`);
  writeFileSync(file, `${key}\n`);
  return file;
}

const deploy = (rpcUrl: string, file: string) =>
  runCommand(firmproof, ['chain', 'deploy', '--rpc', rpcUrl, '--key-file', file, '--json'], {
    FIRMPROOF_HOME: join(directory, 'home'),
  });

beforeAll(async () => {
  mkdirSync(directory, { recursive: true });
  chain = await startAnvil();
  keyFile = await fundedKeyFile(chain, 10n ** 19n);
});
afterAll(async () => {
  await chain.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function refusedWith(code: string, exitCode: number, rpcUrl: string, file: string) {
  const outcome = await deploy(rpcUrl, file);
  expect(outcome.stdout).toBe('');
  expect(JSON.parse(outcome.stderr)).toMatchObject({ code });
  expect(outcome.code).toBe(exitCode);
}

describe('firmproof chain deploy', () => {
  test('puts everything on a bare chain, and a second registry beside what is there', async () => {
    const outcome = await deploy(chain.rpcUrl, keyFile);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    const first = JSON.parse(outcome.stdout);
    expect(first).toMatchObject({
      chainId: 31_337,
      accountFactory: vendorAccountFactoryAddress,
      madeFactory: true,
      p256Verifier: p256VerifierAddress,
      webAuthnVerifier: webAuthnVerifierAddress,
    });
    for (const address of [
      first.registry,
      first.accountFactory,
      first.p256Verifier,
      first.webAuthnVerifier,
      first.deviceAnchor,
    ])
      expect(await chain.rpc<string>('eth_getCode', [address, 'latest'])).not.toBe('0x');
    const receipt = await chain.rpc<{ blockNumber: string }>('eth_getTransactionReceipt', [first.transaction]);
    expect(first.registryBlock).toBe(Number(receipt.blockNumber));
    const provider = new JsonRpcProvider(chain.rpcUrl);
    try {
      const registry = new Contract(first.registry, releaseRegistryAbi, provider);
      expect(await registry.getFunction('registrations')()).toBe(ZeroHash);
    } finally {
      provider.destroy();
    }
    const second = JSON.parse((await deploy(chain.rpcUrl, keyFile)).stdout);
    expect(second).toMatchObject({ accountFactory: first.accountFactory, madeFactory: false });
    expect(second.registry).not.toBe(first.registry);
  });

  test('says to people what the server has to be told', async () => {
    const args = ['chain', 'deploy', '--rpc', chain.rpcUrl, '--key-file', keyFile];
    const { code, stdout } = await runCommand(firmproof, args);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^FIRMPROOF_REGISTRY=0x[0-9a-f]{40}$/m);
    expect(stdout).toMatch(/^FIRMPROOF_REGISTRY_BLOCK=\d+$/m);
    expect(stdout).toContain('(was there)');
  });

  test('refuses without funds', async () => {
    await refusedWith('deployer-out-of-gas', 3, chain.rpcUrl, await fundedKeyFile(chain, 0n));
    await refusedWith('deployer-out-of-gas', 3, chain.rpcUrl, await fundedKeyFile(chain, 10n ** 9n));
  });

  test('refuses a chain without the deployment proxy, and spends nothing', async () => {
    const bare = await startAnvil('--disable-default-create2-deployer');
    try {
      const file = await fundedKeyFile(bare, 10n ** 19n);
      const before = await bare.rpc<string>('eth_blockNumber');
      await refusedWith('deployment-proxy-missing', 7, bare.rpcUrl, file);
      expect(await bare.rpc<string>('eth_blockNumber')).toBe(before);
    } finally {
      await bare.stop();
    }
  });

  test('refuses a node that does not answer, a key that is none, a file that is not there', async () => {
    await refusedWith('chain-unreachable', 7, `http://127.0.0.1:${await freePort()}`, keyFile);
    const noKey = join(directory, 'no.key');
    writeFileSync(noKey, 'hunter2');
    await refusedWith('key-invalid', 4, chain.rpcUrl, noKey);
    await refusedWith('file-not-found', 2, chain.rpcUrl, join(directory, 'nowhere.key'));
  });
});
