// The page for whoever installs the agent on a second machine is followed word for word: in an empty directory, and, where
// that is allowed, by another user, who can read nothing of the first one's.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type AgentConfig, readConfig } from '@firmproof/device-agent';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readPage, sectionsOf, shellBlocks } from '../support/page.ts';
import { destroyStack, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

const root = new URL('../../', import.meta.url).pathname;
const page = readPage('docs/install-agent.md');
const isRoot = process.getuid?.() === 0;
/** Nobody: has no home and no files. */
const stranger = 65_534;

function codeOf(heading: string, source = page): readonly string[] {
  const blocks = shellBlocks(sectionsOf(source).find((section) => section.heading === heading)?.text ?? '');
  if (blocks.length === 0) throw new Error(`the page has no code under "${heading}"`);
  return blocks;
}

let stack: Stack;
let vendor: string;
let device: string;

beforeAll(async () => {
  stack = await startStack();
  vendor = temporaryDirectory();
  device = temporaryDirectory();
  for (const name of ['node_modules', 'package.json', 'device-agent', 'examples'])
    symlinkSync(join(root, name), join(vendor, name));
  chmodSync(device, 0o755);
  if (isRoot) chownSync(device, stranger, stranger);
});
afterAll(async () => {
  for (const directory of [vendor, device]) rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

type Place = { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly uid?: number; readonly gid?: number };

const atVendor = (): Place => ({
  cwd: vendor,
  env: {
    ...process.env,
    FIRMPROOF_HOME: join(vendor, 'home'),
    FIRMPROOF_SERVER: stack.url,
    FIRMPROOF_PASSPHRASE: 'correct horse battery staple',
    npm_config_update_notifier: 'false',
  },
});

/** The second machine knows nothing of the first: not even its environment. */
const atDevice = (more: Record<string, string> = {}): Place => ({
  cwd: device,
  env: { PATH: '/usr/bin:/bin', ...more },
  ...(isRoot && { uid: stranger, gid: stranger }),
});

/** `node` of the page is the Node that runs the tests. */
const node = `node() { "${process.execPath}" "$@"; }`;

async function type(code: string, place: Place): Promise<string> {
  const child = spawn('sh', ['-e', '-c', `${node}\n${code}`], { ...place, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code_] = await once(child, 'close');
  expect(code_, output).toBe(0);
  return output;
}

const carry = (name: string) => copyFileSync(join(vendor, name), join(device, name));

describe('the agent on a second machine', () => {
  test('is tried, as the page says, from the files that were collected', async () => {
    const [publish = ''] = codeOf('For vendors', readPage('README.md'));
    await type(publish, atVendor());
    const [collect = '', pack = ''] = codeOf('Collect the files');
    await type(collect, atVendor());
    // What an agent that was tried there has left must not be carried on.
    await type('npx firmproof-agent install --config for-device/agent.json', atVendor());
    const collected = await type(pack, atVendor());
    const packed = await type('tar -tzf firmproof-device.tar.gz', atVendor());
    expect(packed.trim().split('\n').sort()).toEqual([
      'agent.json',
      'firmproof-agent.mjs',
      'firmproof-agent.service',
      'firmproof-agent.sh',
      'trust-root.json',
    ]);
    carry('firmproof-device.tar.gz');
    const [tryIt = ''] = codeOf('Try it');
    const output = await type(tryIt, atDevice());
    expect(output).toContain('update: 1.0.0 is proven');
    expect(output).toContain('installed: 1.0.0 runs and is confirmed');
    const [digest] = /^[0-9a-f]{64}/m.exec(output) ?? [];
    expect(collected).toContain(digest);
    expect(readFileSync(join(device, 'agent', 'slots', 'current'))).toEqual(readFileSync(join(vendor, 'firmware.bin')));
  });

  test('is installed as a service with a configuration that it reads', async () => {
    const [install = ''] = codeOf('Make it a service');
    const image = join(device, 'image');
    await type(install, atDevice({ DESTDIR: image }));
    expect(existsSync(join(image, 'etc/systemd/system/firmproof-agent.service'))).toBe(true);
    const config: AgentConfig = readConfig(join(image, 'etc/firmproof/agent.json'));
    expect(config).toMatchObject({
      dataDirectory: '/data/firmproof/state',
      installer: { kind: 'files', directory: '/data/firmproof/slots' },
    });
  });

  test('speaks for the service as the user that its data belongs to', async () => {
    const program = join(device, 'image/usr/bin/firmproof-agent');
    const here = readFileSync(program, 'utf8')
      .replaceAll('/usr/lib/firmproof', join(device, 'image/usr/lib/firmproof'))
      .replaceAll('/data/firmproof/state', join(device, 'agent/data'))
      .replaceAll('/usr/bin/node', process.execPath);
    const copy = join(device, 'firmproof-agent');
    writeFileSync(copy, here, { mode: 0o755 });
    const asRoot = { cwd: device, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } };
    for (const place of [atDevice(), asRoot]) {
      const output = await type('./firmproof-agent check --json --config agent/agent.json', place);
      expect(JSON.parse(output)).toMatchObject({ outcome: 'current' });
    }
    const { uid } = statSync(join(device, 'agent/data'));
    for (const name of readdirSync(join(device, 'agent/data')))
      expect(statSync(join(device, 'agent/data', name)).uid, name).toBe(uid);
  });

  test('is updated without a network by a file', async () => {
    const [exporting = '', installing = ''] = codeOf('Without a network');
    const publish =
      'head -c 200000 /dev/urandom > second.bin\nnpx firmproof publish second.bin --version 1.1.0 --channel stable';
    await type(publish, atVendor());
    await type(exporting, atVendor());
    carry('update.car');
    const output = await type(installing, atDevice());
    expect(output).toContain('installed: 1.1.0 runs and is confirmed');
    expect(readFileSync(join(device, 'agent', 'slots', 'current'))).toEqual(readFileSync(join(vendor, 'second.bin')));
  });
});

describe('the unit', () => {
  const analyze = (...args: readonly string[]) => spawnSync('systemd-analyze', [...args], { encoding: 'utf8' });
  const unit = join(root, 'examples/firmproof-agent.service');
  const isThere = analyze('--version').status === 0;

  test.skipIf(!isThere)('is as confined as the page says', () => {
    const { stdout } = analyze('security', '--offline=true', unit);
    const [, score] = /exposure level for firmproof-agent\.service: ([\d.]+)/.exec(stdout) ?? [];
    expect(page).toContain(`says ${score};`);
  });

  test('runs what the page installs, where the page installs it', () => {
    const text = readFileSync(unit, 'utf8');
    const [, program = '', config = ''] =
      /^ExecStart=\/usr\/bin\/node (\S+) run --config (\S+) --json$/m.exec(text) ?? [];
    const [install = ''] = codeOf('Make it a service');
    for (const path of [program, config]) expect(install).toContain(`"$DESTDIR${path}"`);
  });

  test('and the example of a read-only root agree on where data lies', () => {
    const example = join(root, 'examples/read-only-root');
    const config = JSON.parse(readFileSync(join(example, 'agent.json'), 'utf8'));
    const directory = temporaryDirectory();
    mkdirSync(directory, { recursive: true });
    copyFileSync(join(example, 'agent.json'), join(directory, 'agent.json'));
    copyFileSync(join(device, 'agent', 'trust-root.json'), join(directory, 'trust-root.json'));
    expect(readConfig(join(directory, 'agent.json')).hardware).toBe('rev-1');
    rmSync(directory, { recursive: true });
    const tmpfiles = readFileSync(join(example, 'tmpfiles.conf'), 'utf8');
    for (const path of [config.dataDirectory, config.installer.directory]) expect(tmpfiles).toContain(`d ${path} `);
    expect(readFileSync(unit, 'utf8')).toContain('ReadWritePaths=/data/firmproof\n');
  });
});
