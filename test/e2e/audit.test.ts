// The audit as a security team runs it: nodes with limits, a run that is killed, reports, an export that is verified with no network.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { globSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditFile, auditProduct, ContentSource, FirmproofClient, signAction, writeAuditFile } from '@firmproof/client';
import { releaseRegistryAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  headSlots,
  parseAddress,
  parseChannel,
  parseProductId,
  parseVersion,
  pendingSlots,
  productIdOf,
  productSlots,
  releaseSlots,
  sha256,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { Wallet } from 'ethers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { auditSummary } from '../support/audit.ts';
import { firmproof, runCommand } from '../support/command.ts';
import { expectCode } from '../support/expect-code.ts';
import { call } from '../support/relayer.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import {
  destroyStack,
  eventually,
  makeVendor,
  type Stack,
  startStack,
  type TestVendor,
  temporaryDirectory,
} from '../support/stack.ts';

const images = { '1.0.0': randomBytes(1000), '1.1.0': randomBytes(2_500_000) };
const hostile = `<script>alert(1)</script><img src=x onerror=alert(2)>"'&\u202e`;

let stack: Stack;
let vendor: TestVendor;
let wire: RpcProxy;
let directory: string;
let releasesOnline: readonly string[];
const file = (name: string) => join(directory, name);

/** The arguments that run a command with no interface up, if this machine allows it. */
const namespace = [
  ['unshare', '-n'],
  ['unshare', '-rn'],
].find(([command = '', ...args]) => spawnSync(command, [...args, 'true']).status === 0);

beforeAll(async () => {
  stack = await startStack();
  vendor = await makeVendor(stack);
  directory = temporaryDirectory();
  wire = await RpcProxy.start(stack.rpcUrl);
  await vendor.publish('1.0.0', images['1.0.0']);
  await vendor.promote('1.0.0');
  await vendor.publish('1.1.0', images['1.1.0'], { notes: hostile, precursors: ['1.0.0'] });
  await vendor.promote('1.1.0');
  writeFileSync(file('root.json'), JSON.stringify(vendor.trustRoot.envelope));
});
afterEach(() => wire.honest());
afterAll(async () => {
  await wire.stop();
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

const place = () => ({ registry: stack.info.registry, product: vendor.product });
const run = (...args: string[]) => runCommand(firmproof, ['audit', ...args, '--home', file('home')]);
const json = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

describe('with nothing but nodes and the registry', () => {
  const nodesOnly = () => [vendor.product, '--registry', stack.info.registry, '--chain-id', '31337'];

  test('it says whose word it is, and who approved what', async () => {
    const { code, stdout } = await run(...nodesOnly(), '--rpc', stack.rpcUrl, '--events');
    expect(code).toBe(0);
    expect(stdout).toContain('complete: 5 events');
    expect(stdout).toContain('the word of one node');
    expect(stdout).toContain(`key ${vendor.wallet.address.toLowerCase().slice(0, 10)}`);
    expect(stdout).toMatch(/stable → 1\.1\.0/);
  });

  test('a mistake has its code', async () => {
    const { code, stderr } = await run(...nodesOnly(), '--rpc', stack.rpcUrl, '--chain-id', '1', '--json');
    expect([code, JSON.parse(stderr).code]).toEqual([5, 'chain-mismatch']);
    const sourceless = await run(...nodesOnly(), '--rpc', stack.rpcUrl, '--no-server', '--fetch');
    expect([sourceless.code, sourceless.stderr]).toEqual([2, expect.stringContaining('--fetch needs a source')]);
    const rpcUrls = [stack.rpcUrl];
    await expectCode('usage-invalid', () => auditProduct({ ...place(), rpcUrls, quorum: 2 }));
    await expectCode('usage-invalid', () =>
      auditProduct({ ...place(), rpcUrls: [stack.rpcUrl, `${stack.rpcUrl}?key=1`] }),
    );
    const product = parseProductId(`0x${'9'.repeat(64)}`);
    await expectCode('product-unknown', () => auditProduct({ ...place(), rpcUrls, product }));
  });
});

describe('a provider with limits', () => {
  const audited = async () => {
    using audit = await auditProduct({ ...place(), rpcUrls: [wire.url] });
    return [audit.summary.complete, ...audit.summary.findings.map(({ code }) => code)];
  };

  test('that takes no batches and no ranges, and has too many requests at times, is got along with', async () => {
    let asked = 0;
    wire.limit = (calls, isBatch) => {
      asked += 1;
      if (isBatch) return { status: 400, body: 'no batches' };
      if (asked % 3 === 0) return { status: 429 };
      const [call] = calls;
      const [filter] = (call?.params ?? []) as [{ fromBlock?: string }?];
      const error = JSON.stringify({ id: call?.id, error: { code: -32600, message: 'no ranges here' } });
      return call?.method === 'eth_getLogs' && filter?.fromBlock ? { status: 200, body: error } : null;
    };
    expect(await audited()).toEqual([true]);
    expect(wire.calls).toBeGreaterThan(10);
  });
});

describe('a run that is killed', () => {
  test('goes on where it was, and walks nothing twice', async () => {
    const args = [
      vendor.product,
      '--rpc',
      wire.url,
      '--registry',
      stack.info.registry,
      '--no-approvals',
      '--no-server',
    ];
    const states = file('states');
    let logs = 0;
    const killed = spawn(process.execPath, [firmproof, 'audit', ...args, '--state', states], { stdio: 'ignore' });
    wire.limit = ([call]) => {
      if (call?.method !== 'eth_getLogs') return null;
      logs += 1;
      return logs > 3 ? { status: 503 } : null;
    };
    const walked = async () => globSync(`${states}/*/*.walk`).map((name) => statSync(name).size);
    await eventually(walked, ([size = 0]) => size > 1000, 'three entries on the disk');
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    const counted = async () => {
      let count = 0;
      wire.honest();
      wire.limit = (calls) => {
        count += calls.filter(({ method }) => method === 'eth_getLogs').length;
        return null;
      };
      using audit = await auditProduct({ ...place(), rpcUrls: [wire.url], approvals: false, stateDirectory: states });
      expect(audit.summary.complete).toBe(true);
      return count;
    };
    expect(await counted()).toBe(2);
    expect(await counted()).toBe(0);
    expect(globSync('*/*.walk', { cwd: states })).toEqual([]);
  });
});

describe('with a trust root and a server', () => {
  const all = () => [
    '--trust-root',
    file('root.json'),
    '--rpc',
    stack.rpcUrl,
    '--rpc',
    wire.url,
    '--server',
    stack.url,
  ];

  test('witnesses are compared, images fetched and hashed, reports and an export written', async () => {
    const report = await json(
      ...all(),
      '--fetch',
      '--csv',
      file('a.csv'),
      '--html',
      file('a.html'),
      '--export',
      file('a.jsonl'),
    );
    expect(report).toMatchObject({
      complete: true,
      sequence: 5,
      findings: [],
      basis: { entries: 'nodes', nodes: { asked: 2, quorum: 2 }, witnesses: { sequence: 5, trustRoot: 'held' } },
    });
    expect(report.releases).toMatchObject([
      { version: '1.0.0', image: sha256(images['1.0.0']), headOf: [], approval: { form: 'key', quorum: 'reached' } },
      {
        version: '1.1.0',
        headOf: [parseChannel('stable')],
        signature: { state: 'trusted', by: { kind: 'build-key' } },
        statement: { sizeBytes: images['1.1.0'].length, notes: hostile },
        availability: [{ attestation: 'available', image: 'available' }],
      },
    ]);
    expect(readFileSync(file('a.csv'), 'utf8').trim().split('\r\n')).toHaveLength(6);
  });

  test('the page runs nothing and loads nothing, whatever a statement says', () => {
    const page = readFileSync(file('a.html'), 'utf8');
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toMatch(/<(?:script|img|link|iframe)|\u202e/);
    expect(page).toContain("default-src 'none'");
  });

  test('what is shown of a release does not depend on what an earlier audit has kept', async () => {
    const states = ['--state', file('fresh')];
    const [first, again] = [await run(...all(), ...states), await run(...all(), ...states)];
    releasesOnline = releasesIn(first.stdout);
    expect(releasesOnline).toHaveLength(3);
    expect(releasesIn(again.stdout)).toEqual(releasesOnline);
  });

  test('entries that a server carries are replayed against the nodes’ proof', async () => {
    const client = new FirmproofClient({ server: stack.url });
    using audit = await auditProduct({ ...place(), rpcUrls: [wire.url], client, entriesFrom: 'server' });
    expect(audit.summary).toMatchObject({ complete: true, findings: [], basis: { entries: 'server' } });
  });

  test('a node that proves no heads keeps them from being compared, and that is said', async () => {
    wire.lie = ({ method, params }, result) =>
      method === 'eth_getProof' && (params[1] as readonly string[]).length > 6 ? null : result;
    using audit = await auditProduct({ ...place(), rpcUrls: [wire.url] });
    expect(audit.summary).toMatchObject({ complete: true, findings: [{ code: 'no-quorum', severity: 'warn' }] });
    expect(audit.summary.findings[0]?.message).toMatch(/were not compared with storage/);
  });

  test('another contract that has the same storage does not have the product', async () => {
    const rpc = createRpc(stack.rpcUrl);
    const [registry, elsewhere] = [stack.info.registry, parseAddress(`0x${'5e'.repeat(20)}`)];
    const [channel, version] = [parseChannel('stable'), parseVersion('1.1.0')];
    const { product } = vendor;
    const of = [
      productSlots(product),
      pendingSlots(product),
      headSlots(product, channel),
      releaseSlots(product, version),
    ];
    for (const slot of of.flatMap((slots): string[] => Object.values(slots)))
      await rpc('anvil_setStorageAt', [elsewhere, slot, await rpc('eth_getStorageAt', [registry, slot, 'latest'])]);
    await rpc('anvil_mine', ['0x5']);
    const client = new FirmproofClient({ server: stack.url });
    const where = { registry: elsewhere, product, rpcUrls: [wire.url] };
    using audit = await auditProduct({ ...where, client, entriesFrom: 'server', approvals: false });
    const differing = audit.summary.findings.filter(({ code }) => code === 'history-differs');
    expect(differing).toMatchObject([{ severity: 'bad', message: expect.stringMatching(/^this is another product/) }]);
  });

  test('witnesses of another product vouch for none that only names their trust root', async () => {
    const wallet = new Wallet(Wallet.createRandom().privateKey);
    const message = {
      publisher: parseAddress(wallet.address),
      name: 'impostor',
      guardian: zeroAddress,
      delay: 0,
      trustRoot: `0x${vendor.trustRoot.digest}`,
      predecessor: zeroBytes32,
      deadline: Math.floor(Date.now() / 1000) + 3600,
    } as ActionMessage<'Register'>;
    const signature = await signAction(wallet, stack.info, 'Register', message);
    const { registry, chainId } = stack.info;
    await call(stack, { address: registry, abi: releaseRegistryAbi }, 'register', [
      ...Object.values(message),
      signature,
    ]);
    await createRpc(stack.rpcUrl)('anvil_mine', ['0x5']);
    const product = productIdOf(chainId, registry, message.publisher, message.name);
    const client = new FirmproofClient({ server: stack.url });
    const { trustRoot } = vendor;
    const summary = await eventually(
      () => auditSummary({ registry, product, rpcUrls: [stack.rpcUrl], client, trustRoot }),
      ({ findings }) => findings.some(({ code, severity }) => code === 'no-quorum' && severity === 'bad'),
      'the proof of the impostor',
    );
    expect(summary.basis.witnesses).toBeNull();
    expect(summary.basis.unwitnessed).toMatch(/names the trust root of product 0x/);
  });

  test('content that is nowhere, or is other content, is told of', async () => {
    const block = globSync('**/*', { cwd: join(stack.directory, 'blocks'), withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .find((name) => statSync(name).size === images['1.0.0'].length);
    const before = readFileSync(block ?? '');
    writeFileSync(block ?? '', randomBytes(before.length));
    const sources = [new ContentSource(stack.url), new ContentSource('http://127.0.0.1:9')];
    using audit = await auditProduct({ ...place(), rpcUrls: [wire.url], sources, fetch: true });
    writeFileSync(block ?? '', before);
    expect(audit.summary.findings.map(({ code }) => code)).toContain('content-missing');
    // Nobody has brought the trust root: that nothing was verified by it is said.
    const unverified = audit.summary.findings.filter(({ code }) => code === 'attestation-untrusted');
    expect(unverified.map(({ severity, version }) => `${severity} ${version}`)).toEqual(['warn 1.0.0', 'warn 1.1.0']);
    const [first, second] = audit.releases();
    expect(first?.availability[0]?.image).not.toBe('available');
    const elsewhere = { source: '127.0.0.1:9', attestation: 'unreachable', image: 'unreachable' };
    expect(second?.availability).toMatchObject([{ attestation: 'available', image: 'available' }, elsewhere]);
  });
});

/** The table of releases, as a terminal has it. */
const releasesIn = (stdout: string) => stdout.split('\n').filter((line) => /^(?:release|\d+\.\d+\.\d+) /.test(line));

describe('an export', () => {
  test.skipIf(namespace === undefined)('is verified in a network namespace with no interface up', () => {
    const [command = '', ...options] = namespace ?? [];
    const offline = (...more: string[]) => {
      const args = [
        ...options,
        process.execPath,
        firmproof,
        'audit',
        '--offline',
        file('a.jsonl'),
        '--home',
        file('none'),
        ...more,
      ];
      return spawnSync(command, args, { encoding: 'utf8' });
    };
    const vouched = offline('--trust-root', file('root.json'));
    expect(vouched.status, vouched.stderr).toBe(0);
    expect(vouched.stdout).toContain('complete: 5 events');
    expect(vouched.stdout).toMatch(/witnesses \(quorum 2\) of the trust root given vouch/);
    expect(vouched.stdout).toMatch(/build key .+key 0x/);
    expect(releasesIn(vouched.stdout)).toEqual(releasesOnline);
    const unvouched = offline();
    expect(unvouched.status).toBe(0);
    expect(unvouched.stdout).toContain('not vouched for here');
  });

  test('that names what no file has commands nothing of a terminal', async () => {
    writeFileSync(file('e.jsonl'), `${JSON.stringify({ kind: 'header', '\u001b[2J\u202e': 1 })}\n`);
    const { code, stderr } = await run('--offline', file('e.jsonl'));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/^audit-file-malformed: .*\[2J.*is not known here/);
    expect(['\u001b', '\u202e'].filter((mark) => stderr.includes(mark))).toEqual([]);
  });

  test('of which one byte was changed is no export any more', async () => {
    const whole = readFileSync(file('a.jsonl'));
    const codes = new Set<string>();
    for (let step = 0; step < 25; step += 1) {
      const at = Math.floor((step / 24) * (whole.length - 1));
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ (1 << (step % 7));
      writeFileSync(file('b.jsonl'), changed);
      codes.add(
        await auditFile(file('b.jsonl')).then(
          ({ summary }) => `complete: ${summary.complete}`,
          (error) => error.code,
        ),
      );
    }
    expect([...codes]).toEqual(['audit-file-malformed']);
  });

  test('that somebody has made to look whole is found out by what it proves', async () => {
    const remade = async (change: (line: string) => string | null) => {
      const lines = readFileSync(file('a.jsonl'), 'utf8').trimEnd().split('\n').slice(0, -1);
      const text = lines
        .map(change)
        .filter((line) => line !== null)
        .map((line) => `${line}\n`);
      const body = text.join('');
      writeFileSync(
        file('c.jsonl'),
        `${body}${JSON.stringify({ kind: 'end', lines: text.length + 1, sha256: sha256(Buffer.from(body)) })}\n`,
      );
      using audit = await auditFile(file('c.jsonl'), { trustRoot: vendor.trustRoot });
      return [audit.summary.complete, ...audit.summary.findings.map(({ code }) => code)];
    };
    const is = (kind: string, line: string) => line.startsWith(`{"kind":"${kind}"`);
    expect(await remade((line) => line)).toEqual([true]);
    expect(await remade((line) => (is('entry', line) ? line.replace(/"data":"0x../, '"data":"0x01') : line))).toEqual([
      false,
      'history-incomplete',
    ]);
    expect(await remade((line) => line.replace(/"cosignatures":\[\{.*?\}\]/g, '"cosignatures":[]'))).toEqual([
      true,
      'no-quorum',
    ]);
    expect(await remade((line) => (is('transaction', line) ? null : line))).toEqual([
      true,
      ...Array(5).fill('approval-unproven'),
    ]);
    const missing = [true, 'attestation-missing', 'attestation-missing'];
    expect(await remade((line) => (is('attestation', line) ? null : line))).toEqual(missing);
    const [one = '', other = ''] = readFileSync(file('a.jsonl'), 'utf8')
      .split('\n')
      .filter((line) => is('attestation', line));
    const exchanged = (line: string) => (line === one ? other : line === other ? one : line);
    expect(await remade(exchanged)).toEqual(missing);
  });
});

test('a release of bytes that were released before has its own attestation', async () => {
  await vendor.publish('1.2.0', images['1.0.0']);
  const audited = async () => {
    const sources = [new ContentSource(stack.url)];
    const { trustRoot } = vendor;
    using audit = await auditProduct({ ...place(), rpcUrls: [stack.rpcUrl], sources, fetch: true, trustRoot });
    return [...audit.summary.findings.map(({ message }) => message), audit.summary.releaseCount];
  };
  await eventually(audited, (found) => found[0] === 3, 'nothing to be missing');
});

test('what somebody has put behind events that witnesses vouch for is not vouched for', async () => {
  using audit = await auditProduct({ ...place(), rpcUrls: [stack.rpcUrl] });
  writeAuditFile(audit, file('longer.jsonl'));
  const linesOf = (name: string) => readFileSync(file(name), 'utf8').trimEnd().split('\n').slice(0, -1);
  const [header = '', ...rest] = linesOf('longer.jsonl');
  const witnessed = linesOf('a.jsonl').filter((line) => line.includes('"cosignatures":[{'));
  expect(witnessed).toHaveLength(1);
  const at = rest.findIndex((line) => line.startsWith('{"kind":"entry"'));
  const lines = [header, ...rest.slice(0, at), ...witnessed, ...rest.slice(at)];
  const body = lines.map((line) => `${line}\n`).join('');
  const end = { kind: 'end', lines: lines.length + 1, sha256: sha256(Buffer.from(body)) };
  writeFileSync(file('longer.jsonl'), `${body}${JSON.stringify(end)}\n`);
  using offline = await auditFile(file('longer.jsonl'), { trustRoot: vendor.trustRoot });
  expect(offline.summary.basis.witnesses?.sequence).toBe(audit.summary.sequence - 1);
  const unvouched = offline.summary.findings.filter(({ code }) => code === 'no-quorum');
  expect(unvouched).toMatchObject([{ severity: 'bad', message: expect.stringMatching(/5 of the 6 events/) }]);
});

test('an attestation that need not be announced yet is not missed', async () => {
  const slow = await makeVendor(stack, { name: 'slow', delaySeconds: 3600 });
  await slow.publish('1.0.0', randomBytes(100));
  const sources = [new ContentSource(stack.url)];
  const where = { registry: stack.info.registry, product: slow.product, rpcUrls: [stack.rpcUrl] };
  using audit = await auditProduct({ ...where, sources });
  expect(audit.summary.findings).toMatchObject([{ severity: 'info', code: 'attestation-missing', version: '1.0.0' }]);
  writeAuditFile(audit, file('slow.jsonl'));
  using offline = await auditFile(file('slow.jsonl'), { trustRoot: slow.trustRoot });
  expect(offline.summary.findings).toContainEqual(audit.summary.findings[0]);
});
