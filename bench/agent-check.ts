// CPU time and peak memory of `firmproof-agent check`, from process start to verdict, against a bare Node process.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { keylessAttester } from '@firmproof/client';
import { Ci } from '../test/support/ci.ts';
import { makeDevice, type TestDevice } from '../test/support/device.ts';
import { eventually, makeVendor } from '../test/support/stack.ts';
import { figure, median, megabyte } from './figure.ts';
import { startUpOfOthers } from './other-verifiers.ts';
import { buildPrevious, configureFor, previousRelease } from './previous-agent.ts';

const rounds = 11;
const reporter = new URL('report-usage.mjs', import.meta.url).pathname;
const bundle = new URL('../device-agent/dist/firmproof-agent.mjs', import.meta.url).pathname;
const sources = new URL('../device-agent/src/cli/main.ts', import.meta.url).pathname;

type Usage = { readonly cpuSeconds: number; readonly peakBytes: number };

function measure(args: readonly string[], expected: number): Promise<Usage> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', reporter, ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
    });
    let text = '';
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      text += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) =>
      code === expected ? resolve(JSON.parse(text)) : reject(new Error(`exit code ${code}`)),
    );
  });
}

/** The contenders take turns, so that a slow moment of the machine meets all of them. */
async function contest(contenders: Readonly<Record<string, { args: readonly string[]; expected: number }>>) {
  const usages: Record<string, Usage[]> = {};
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, { args, expected }] of Object.entries(contenders)) {
      const usage = await measure(args, expected);
      const before = usages[name] ?? [];
      usages[name] = [...before, usage];
    }
  }
  return usages;
}

const ci = await Ci.open();
const { stack } = ci;
const vendor = await makeVendor(stack);
const device = makeDevice(vendor.trustRoot, [stack.url]);
const keyless = await makeVendor(stack, { name: 'keyless', ...ci.signers });
const keylessDevice = makeDevice(keyless.trustRoot, [stack.url]);
const attester = keylessAttester(ci.sigstore.services, async (aud) => ci.issuer.token({ ...ci.run.claims, aud }));

/** A device that is offered its first update, and remembers nothing of having been offered it. */
async function offered(to: TestDevice): Promise<readonly string[]> {
  await eventually(
    async () => (await to.check()).verdict,
    ({ outcome }) => outcome === 'update',
    'the update',
  );
  rmSync(`${to.directory}/data`, { recursive: true });
  await to.check();
  return ['check', '--config', to.configFile];
}
try {
  await vendor.publish('1.0.0', randomBytes(300_000));
  await vendor.promote('1.0.0');
  await keyless.publish('1.0.0', randomBytes(300_000), {}, attester);
  await keyless.promote('1.0.0');
  const check = await offered(device);
  const keylessCheck = await offered(keylessDevice);
  const previous = buildPrevious();
  const usages = await contest({
    bundle: { args: [bundle, ...check], expected: 10 },
    ...(previous && { previous: { args: [previous, 'check', '--config', configureFor(device)], expected: 10 } }),
    idle: { args: [bundle, 'explain', 'stale'], expected: 0 },
    keyless: { args: [bundle, ...keylessCheck], expected: 10 },
    sources: { args: [sources, ...check], expected: 10 },
    bare: { args: ['-e', '0'], expected: 0 },
  });
  const of = (name: string, what: keyof Usage) => median((usages[name] ?? []).map((usage) => usage[what]));
  for (const name of Object.keys(usages).filter((name) => name !== 'bare')) {
    figure(`agent-check.${name}.cpu`, of(name, 'cpuSeconds'), 's', { rounds });
    figure(`agent-check.${name}.cpu-to-bare-node`, of(name, 'cpuSeconds') / of('bare', 'cpuSeconds'), 'ratio');
    figure(`agent-check.${name}.peak-memory`, of(name, 'peakBytes') / megabyte, 'MB');
  }
  if (previous) {
    const ratio = (what: keyof Usage) => of('bundle', what) / of('previous', what);
    figure('agent-check.cpu-to-previous', ratio('cpuSeconds'), 'ratio', { previous: previousRelease });
    figure('agent-check.peak-memory-to-previous', ratio('peakBytes'), 'ratio', { previous: previousRelease });
    rmSync(previous, { force: true });
  } else console.error(`agent-check: ${previousRelease} is not in this checkout: nothing to compare with`);
  startUpOfOthers();
  figure('agent-check.bare-node.peak-memory', of('bare', 'peakBytes') / megabyte, 'MB');
} finally {
  device.destroy();
  keylessDevice.destroy();
  await ci.close();
}
