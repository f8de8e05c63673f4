import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, firmproofAgent, installed, runCommand } from '../support/command.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import { destroyStack, makeVendor, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

let stack: Stack;
let home: string;
const passphrase = 'correct horse';
const image = randomBytes(1_500_000);

beforeAll(async () => {
  stack = await startStack();
  home = temporaryDirectory();
  writeFileSync(join(home, 'image.bin'), image);
});
afterAll(async () => {
  rmSync(home, { recursive: true, force: true });
  await destroyStack(stack);
});

const environment = () => ({ FIRMPROOF_HOME: home, FIRMPROOF_PASSPHRASE: passphrase, FIRMPROOF_SERVER: stack.url });
const run = (...args: string[]) => runCommand(firmproof, args, environment());

/** Must succeed; answers with what `--json` says, which is one line and nothing else. */
async function json(...args: string[]) {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect(stderr).toBe('');
  expect(code, stdout).toBe(0);
  expect(stdout.trim().split('\n')).toHaveLength(1);
  return JSON.parse(stdout);
}

/** Must fail with this code, in one line of JSON on stderr, and exit so. */
async function fails(code: string, exitCode: number, ...args: string[]) {
  const outcome = await run(...args, '--json');
  expect(JSON.parse(outcome.stderr)).toMatchObject({ code, hint: expect.stringMatching(/\S/) });
  expect(outcome.code).toBe(exitCode);
  expect(outcome.stdout).toBe('');
}

describe('a vendor with nothing', () => {
  test('finds its way from --help', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const word of [
      'setup',
      'signer',
      'team',
      'publish',
      'promote',
      'revoke',
      'halt',
      'verify',
      'audit',
      'witness',
      'Exit codes',
      'FIRMPROOF_PASSPHRASE',
    ]) {
      expect(stdout).toContain(word);
    }
    for (const command of [
      'setup',
      'signer use',
      'team add',
      'publish',
      'promote',
      'product trust',
      'chain check',
      'audit',
      'witness',
    ]) {
      const help = await run(...command.split(' '), '--help');
      expect(help.code).toBe(0);
      expect(help.stdout).toContain(`Usage: firmproof ${command}`);
    }
  });

  test.each([
    [firmproof, ['device', 'revoke', '--help']],
    [installed.firmproof, ['device', 'revoke', '--help']],
    [firmproofAgent, ['--help']],
    [firmproofAgent, ['explain', 'nonsense']],
  ])('may stop reading: %s %j', async (command, args) => {
    const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    expect(stderr).not.toContain('EPIPE');
    expect(code).toBe(args.includes('--help') ? 0 : 2);
  });

  test('is told what to do first', async () => {
    await fails('key-not-found', 4, 'login');
    await fails('usage-invalid', 2, 'publish', join(home, 'image.bin'), '--version', '1.0.0');
    await fails('usage-invalid', 2, 'setup', '--solo');
    await fails('usage-invalid', 2, 'frobnicate');
    await fails('usage-invalid', 2, 'publish');
    const { code, stderr } = await run('publish');
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(2);
  });

  test('sets everything up with one command', async () => {
    const done = await json('setup', '--solo', '--product', 'lamp', '--hardware', 'rev-1');
    expect(done).toMatchObject({ name: 'lamp', product: expect.stringMatching(/^0x/) });
    for (const file of done.files) expect(existsSync(file)).toBe(true);
    await fails('setup-exists', 2, 'setup', '--solo', '--product', 'lamp');
  });

  test('goes on with a setup that was interrupted, with the same trust root', async () => {
    const before = readFileSync(join(home, 'products', 'lamp', 'trust-root.json'), 'utf8');
    const settings = join(home, 'settings.json');
    const { products, ...rest } = JSON.parse(readFileSync(settings, 'utf8'));
    writeFileSync(settings, JSON.stringify(rest));
    const again = await json('setup', '--solo', '--product', 'lamp');
    expect(again.product).toBe(products.lamp.id);
    expect(readFileSync(join(home, 'products', 'lamp', 'trust-root.json'), 'utf8')).toBe(before);
  });

  test('has its keys encrypted at rest, readable by nobody else', async () => {
    for (const name of readdirSync(join(home, 'keys'))) {
      const file = join(home, 'keys', name);
      expect(statSync(file).mode & 0o077).toBe(0);
      expect(readFileSync(file, 'utf8')).toContain('aes-256-gcm');
      expect(readFileSync(file, 'utf8')).not.toContain('PRIVATE');
    }
    const outcome = await runCommand(firmproof, ['login', '--json'], {
      ...environment(),
      FIRMPROOF_PASSPHRASE: 'wrong',
    });
    expect(JSON.parse(outcome.stderr)).toMatchObject({ code: 'passphrase-wrong' });
    expect(outcome.code).toBe(4);
  });
});

describe('a vendor', () => {
  test('sees what a release would be without sending it', async () => {
    const dry = await json('publish', join(home, 'image.bin'), '--version', '1.0.0', '--notes', 'hello', '--dry-run');
    expect(dry).toMatchObject({ dryRun: true, image: { digest: sha256(image), sizeBytes: image.length } });
    expect(dry.statement.predicate.notes).toBe('hello');
    expect((await json('status')).releases).toEqual([]);
  });

  test('publishes, promotes, and sees it', async () => {
    const done = await json(
      'publish',
      join(home, 'image.bin'),
      '--version',
      '1.0.0',
      '--channel',
      'stable',
      '--hardware',
      'rev-1,rev-2',
      '--purpose',
      'security',
    );
    expect(done).toMatchObject({ version: '1.0.0', channel: 'stable', image: { digest: sha256(image) } });
    const { product, releases } = await json('status', 'lamp');
    expect(releases).toMatchObject([{ version: '1.0.0', status: 'active', image: sha256(image), purpose: 'security' }]);
    expect(product.channels).toMatchObject([{ channel: 'stable', version: '1.0.0', shareBasisPoints: 10_000 }]);
    expect(await json('proposal', 'show', done.proposal)).toMatchObject({ kind: 'publish', state: 'confirmed' });
    await fails('version-exists', 3, 'publish', join(home, 'image.bin'), '--version', '1.0.0');
    await fails('version-invalid', 2, 'publish', join(home, 'image.bin'), '--version', '1.0');
    await fails('file-not-found', 2, 'publish', join(home, 'nowhere.bin'), '--version', '1.0.1');
  });

  test('rolls out little by little', async () => {
    const { rollout } = await json('promote', '--version', '1.0.0', '--over', '72h', '--first', '1%');
    expect(rollout).toEqual({ start: 0, durationSeconds: 259_200, firstShareBasisPoints: 100 });
    await fails('usage-invalid', 2, 'promote', '--version', '1.0.0', '--first', '1%');
    await fails('usage-invalid', 2, 'promote', '--version', '1.0.0', '--over', 'soon');
    await fails('usage-invalid', 2, 'promote', '--version', '1.0.0', '--over', '1h', '--first', '101%');
    await fails('usage-invalid', 2, 'promote', '--version', '1.0.0', '--start', 'tomorrow');
    await fails('release-not-found', 3, 'promote', '--version', '9.9.9');
    await json('promote', '--version', '1.0.0');
  });

  test('gives devices their files, and a device installs with them', async () => {
    const directory = join(home, 'device');
    await json('product', 'trust', 'lamp', '--output', directory, '--hardware', 'rev-2');
    const agent = (command: string, ...more: string[]) =>
      runCommand(firmproofAgent, [command, '--config', join(directory, 'agent.json'), '--json', ...more]);
    let check = await agent('check');
    for (let round = 0; check.code === 20 && round < 50; round += 1) check = await agent('check');
    expect(check.code).toBe(10);
    expect(JSON.parse(check.stdout)).toMatchObject({ outcome: 'update', version: '1.0.0', image: sha256(image) });
    const install = await agent('install');
    expect(install.code).toBe(0);
    expect(JSON.parse(install.stdout)).toEqual({ outcome: 'installed', version: '1.0.0' });
    expect((await agent('check')).code).toBe(0);
    const status = JSON.parse((await agent('status')).stdout);
    expect(status).toMatchObject({ installed: { version: '1.0.0', image: sha256(image) }, state: 'idle' });
    expect((await agent('confirm')).code).toBe(3);
    const explained = await runCommand(firmproofAgent, ['explain', 'no-quorum']);
    expect(explained).toMatchObject({ code: 0, stdout: expect.stringContaining('witnesses') });
    expect((await runCommand(firmproofAgent, ['explain', 'nonsense'])).code).toBe(2);
    const nowhere = await runCommand(firmproofAgent, ['check', '--config', '/nowhere']);
    expect(nowhere).toMatchObject({ code: 2, stderr: expect.stringContaining('--config FILE') });
    const wrong = await runCommand(firmproofAgent, ['check', '--nonsense']);
    expect(wrong).toMatchObject({ code: 2, stderr: "usage-invalid: Unknown option '--nonsense'\nSee --help.\n" });
    expect((await runCommand(installed.firmproofAgent, ['--help'])).code).toBe(0);
    expect((await runCommand(installed.firmproofAgent, ['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  test('proves an image online, and offline against evidence that was kept', async () => {
    const kept = join(home, 'evidence.json');
    const proven = await json('verify', join(home, 'image.bin'), '--save', kept);
    expect(proven).toMatchObject({ proven: true, version: '1.0.0' });
    const root = join(home, 'products', 'lamp', 'trust-root.json');
    const offline = await runCommand(
      firmproof,
      [
        'verify',
        join(home, 'image.bin'),
        '--evidence',
        kept,
        '--trust-root',
        root,
        '--json',
        '--server',
        'http://127.0.0.1:1',
      ],
      { FIRMPROOF_HOME: '/nowhere' },
    );
    expect(JSON.parse(offline.stdout)).toMatchObject({ proven: true });
    await fails('file-not-found', 2, 'verify', join(home, 'image.bin'), '--save', join(home, 'image.bin', 'below'));
    writeFileSync(join(home, 'other.bin'), 'other');
    const other = await run('verify', join(home, 'other.bin'), '--json');
    expect(other.code).toBe(5);
    expect(JSON.parse(other.stdout)).toMatchObject({ proven: false, code: 'image-digest-mismatch' });
  });

  test('revokes and halts', async () => {
    await json('halt', '--channel', 'stable');
    expect((await json('status')).product.channels).toMatchObject([{ halted: true }]);
    await fails('already-halted', 3, 'halt', '--channel', 'stable');
    await json('revoke', '--version', '1.0.0');
    await fails('release-revoked', 3, 'revoke', '--version', '1.0.0');
    expect((await json('status')).releases).toMatchObject([{ status: 'revoked' }]);
    const { code, stdout } = await run('verify', join(home, 'image.bin'), '--json');
    expect(code).toBe(5);
    expect(['channel-halted', 'head-revoked']).toContain(JSON.parse(stdout).code);
  });

  test('makes another product with the same keys', async () => {
    const { product } = await json('product', 'create', 'kettle', '--delay', '1h');
    expect(await json('product', 'show', 'kettle')).toMatchObject({ product, delaySeconds: 3600 });
    expect((await json('product', 'list')).products.map(({ name }: { name: string }) => name).sort()).toEqual([
      'kettle',
      'lamp',
    ]);
    await fails('usage-invalid', 2, 'publish', join(home, 'image.bin'), '--version', '1.0.0');
    expect((await json('product', 'create', 'kettle', '--delay', '1h')).product).toBe(product);
    await fails('product-exists', 3, 'product', 'create', 'kettle', '--delay', '1h', '--max-age', '1h');
    await fails('product-exists', 3, 'product', 'create', 'kettle', '--delay', '2h');
    await fails('file-differs', 2, 'product', 'create', 'kettle', '--delay', '1h', '--hardware', 'rev-2');
    const { stderr } = await run('status');
    expect(stderr).toMatch(/Say which.*: lamp, kettle/);
  });

  test('is not led to sign for a registry that a server has made up', async () => {
    const other = await startStack();
    try {
      const elsewhere = ['promote', '--product', 'lamp', '--version', '1.0.0', '--server', other.url];
      await fails('server-lied', 5, ...elsewhere);
    } finally {
      await destroyStack(other);
    }
  });

  test('is told when nobody answers', async () => {
    await fails('server-unreachable', 7, 'status', '0x'.padEnd(66, '1'), '--server', 'http://127.0.0.1:1');
    await fails('usage-invalid', 2, 'status', '--server', 'ftp://somewhere');
  });
});

describe('an auditor', () => {
  const audit = (...more: string[]) => run('audit', 'lamp', '--json', '--events', ...more);

  test('replays the whole history, and is told that devices install nothing from a revoked head', async () => {
    const { code, stdout } = await audit('--rpc', stack.rpcUrl);
    expect(code).toBe(5);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({ complete: true, name: 'lamp', firstDifference: null });
    expect(report.replayedHistory).toBe(report.history);
    expect(report.basis.witnesses).toMatchObject({ sequence: report.sequence, trustRoot: 'held' });
    expect(report.findings.map(({ code: found }: { code: string }) => found)).toContain('head-revoked');
    expect(JSON.parse((await audit('--rpc', stack.rpcUrl, '--no-server')).stdout).basis.witnesses).toBeNull();
    const kinds = ['registered', 'published', 'promoted', 'promoted', 'promoted', 'halted', 'revoked'];
    expect(report.events.map(({ event }: { event: { kind: string } }) => event.kind)).toEqual(kinds);
    expect(report.releases).toMatchObject([{ version: '1.0.0', status: 'revoked', image: sha256(image) }]);
  });

  test('is told that a node shows another chain than the witnesses vouch for', async () => {
    const other = await startStack();
    try {
      const { code, stderr, stdout } = await audit('--rpc', other.rpcUrl);
      expect(code).not.toBe(0);
      expect(stderr + stdout).toMatch(/registry-absent|product-unknown|INCOMPLETE|history-differs/);
    } finally {
      await destroyStack(other);
    }
  });

  test('checks whether a chain will do', async () => {
    const { suitable, findings } = await json('chain', 'check', stack.rpcUrl, '--registry', stack.info.registry);
    expect(suitable).toBe(true);
    expect(findings.filter(({ ok }: { ok: boolean }) => !ok)).toEqual([]);
    const wire = await RpcProxy.start(stack.rpcUrl);
    wire.lie = ({ method, params }, result) =>
      method === 'eth_getBlockByNumber' && params[0] === 'finalized' ? null : result;
    const { code, stdout } = await run('chain', 'check', wire.url, '--json');
    await wire.stop();
    expect(code).toBe(7);
    expect(JSON.parse(stdout)).toMatchObject({ suitable: false });
    await fails('chain-unreachable', 7, 'chain', 'check', 'http://127.0.0.1:1');
    await fails('usage-invalid', 2, 'chain', 'check', 'banana');
  });

  test('the files for a device are not overwritten where somebody has changed them', async () => {
    const directory = join(home, 'for-device');
    const write = ['product', 'trust', 'lamp', '--output', directory];
    await json(...write);
    const config = readFileSync(join(directory, 'agent.json'), 'utf8');
    await json(...write);
    expect(readFileSync(join(directory, 'agent.json'), 'utf8')).toBe(config);
    const changed = config.replace('rev-1', 'rev-7');
    writeFileSync(join(directory, 'agent.json'), changed);
    rmSync(join(directory, 'trust-root.json'));
    await fails('file-differs', 2, ...write);
    expect(readFileSync(join(directory, 'agent.json'), 'utf8')).toBe(changed);
    expect(existsSync(join(directory, 'trust-root.json'))).toBe(false);
    await json(...write, '--overwrite');
    expect(readFileSync(join(directory, 'agent.json'), 'utf8')).toContain('rev-1');
  });

  test('of somebody else’s product needs its trust root from elsewhere than the server', async () => {
    const other = await makeVendor(stack, { name: 'toaster' });
    await other.publish('1.0.0', randomBytes(10));
    await fails('usage-invalid', 2, 'verify', join(home, 'image.bin'), '--product', 'toaster');
    await fails('usage-invalid', 2, 'product', 'trust', 'toaster', '--output', join(home, 'toaster'));
    const forced = await json('product', 'trust', 'toaster', '--output', join(home, 'toaster'), '--force');
    expect(forced.trustRoot).toBe(other.trustRoot.digest);
  });
});
