// The guides about audits, reports, rebuilders and advisories, typed word for word: by a vendor, a rebuilder and a device, each with a directory of its own.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { firmproof, firmproofAgent } from '../support/command.ts';
import { readPage, sectionsOf, shellBlocks } from '../support/page.ts';
import { destroyStack, eventually, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

let stack: Stack;
let directory: string;

/** That npx finds the commands is what the test of the README shows; going without it halves the time. */
const npx = `npx() { command=$1; shift; case $command in
  firmproof) "${process.execPath}" "${firmproof}" "$@" ;;
  *) "${process.execPath}" "${firmproofAgent}" "$@" --config device/agent.json ;; esac; }`;

/** Types shell code as somebody with a directory of keys. */
async function type(code: string): Promise<string> {
  const who = /^# the (\w+)$/m.exec(code)?.[1] ?? 'vendor';
  const environment = {
    ...process.env,
    FIRMPROOF_HOME: join(directory, who),
    FIRMPROOF_SERVER: stack.url,
    FIRMPROOF_PASSPHRASE: 'correct horse battery staple',
    NODE_OPTIONS: `--import ${new URL('../support/cheap-key-derivation.js', import.meta.url).href}`,
  };
  const child = spawn('sh', ['-e', '-c', `${npx}\n${code}`], { cwd: directory, env: environment });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const [status] = await once(child, 'close');
  expect(status, output).toBe(0);
  return output;
}

const codeOf = (page: string, heading: string): string =>
  shellBlocks(sectionsOf(readPage(page)).find((section) => section.heading === heading)?.text ?? '').join('\n');

/** Waits until evidence carries what was said. */
async function carried(member: 'rebuilds' | 'advisories'): Promise<void> {
  const { product } = JSON.parse(
    Buffer.from(JSON.parse(readFileSync(join(directory, 'trust-root.json'), 'utf8')).payload, 'base64').toString(),
  );
  const url = `${stack.url}/v1/products/${product}/channels/stable/evidence`;
  // Advisories are published twice: a second revision under the first one's id.
  const isNewest = (text: string) => member === 'rebuilds' || text.includes('critical');
  const payloads = (texts: readonly string[]) =>
    texts.map((text) => Buffer.from(JSON.parse(text).dsseEnvelope.payload, 'base64').toString());
  await eventually(
    async () => (await fetch(url)).json() as Promise<Record<string, string[] | undefined>>,
    (evidence) => payloads(evidence[member] ?? []).some(isNewest),
    `${member} in evidence`,
  );
}

beforeAll(async () => {
  stack = await startStack();
  directory = temporaryDirectory();
  writeFileSync(join(directory, 'firmware.bin'), randomBytes(30_000));
  await type(`npx firmproof setup --solo --product prime-hub
npx firmproof publish firmware.bin --version 1.0.0 --channel stable
npx firmproof product trust --output device`);
  copyFileSync(join(directory, 'device', 'trust-root.json'), join(directory, 'trust-root.json'));
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

test('rebuilders', async () => {
  const page = 'docs/rebuilders.md';
  await type(codeOf(page, 'A rebuilder makes a key'));
  await type(codeOf(page, 'The vendor names it'));
  const config = JSON.parse(readFileSync(join(directory, 'device', 'agent.json'), 'utf8'));
  const policy = JSON.parse(/^```json\n([\s\S]*?)^```$/m.exec(readPage(page))?.[1] ?? '');
  writeFileSync(join(directory, 'device', 'agent.json'), JSON.stringify({ ...config, ...policy }));
  expect(await type('# the device\nnpx firmproof-agent check')).toContain('[rebuilders-missing]');
  expect(await type(codeOf(page, 'The rebuilder rebuilds'))).toMatch(/^by +example-lab$/m);
  expect(await type(codeOf(page, 'Who has vouched'))).toMatch(/^vouched for by 1 of 1 rebuilder: 1\.0\.0 /m);
  await carried('rebuilds');
  expect(await type('# the device\nnpx firmproof-agent install')).toContain('installed: 1.0.0 runs');
});

test('advisories', async () => {
  const page = 'docs/advisories.md';
  expect(await type(codeOf(page, 'Publish one'))).toMatch(/^advisory +FPA-2026-1, revision 1 /m);
  const changed = await type(codeOf(page, 'Change it'));
  expect(changed).toMatch(/^FPA-2026-1 +2 +critical +affected +1\.0\.0 +1\.2\.0 /m);
  expect(changed).toMatch(/^1 +\S+Z +affected /m);
  expect(changed).toContain('There is no release 1.2.0 yet');
  expect(changed).toContain('\nAnybody in reach can start the motor.');
  const shown = /^```\n(advisory[\s\S]*?)^```$/m.exec(readPage(page))?.[1] ?? 'nothing';
  await carried('advisories');
  expect(await type(codeOf(page, 'What devices do with it'))).toContain(shown);
});

test('samples of supply-chain documents are valid as they are made there', async () => {
  const [samples = '', publish = '', checks = ''] = shellBlocks(readPage('docs/supply-chain.md'));
  mkdirSync(join(directory, 'samples'));
  const checked = await type(`cd samples\n${samples}${checks}`);
  expect(checked.match(/^(?:sbom|vex) /gm)).toHaveLength(2);
  // Whatever is given would be signed so; the guides after this one go on with the release that there is.
  const statement = await type(`cd samples\n${publish.trimEnd()} --dry-run`);
  expect(statement.match(/"kind": "\w+"/g)).toEqual(
    ['sbom', 'sbom', 'provenance', 'vex', 'notes'].map((kind) => `"kind": "${kind}"`),
  );
  expect(statement).not.toContain('Note: ');
});

describe('audits and reports', () => {
  beforeAll(() => {
    mkdirSync(join(directory, 'play', 'kitchen'), { recursive: true });
    copyFileSync(join(directory, 'device', 'trust-root.json'), join(directory, 'play', 'kitchen', 'trust-root.json'));
  });

  test('an audit, taken along', async () => {
    const page = 'docs/audit.md';
    const audited = await type(`# the auditor\n${codeOf(page, 'Try it on the demo')}`);
    expect(audited).toMatch(/^complete: \d+ events replay/m);
    expect(audited).toMatch(/^1\.0\.0 +active .* 1 of 1 /m);
    const taken = await type(`# the auditor\n${codeOf(page, 'Take it along')}`);
    expect(taken).toMatch(/witnesses \(quorum 2\) of the trust root given vouch/);
    expect(readFileSync(join(directory, 'audit.html'), 'utf8')).toContain('complete');
  });

  test('both reports', async () => {
    const reports = await type(shellBlocks(readPage('docs/reports.md')).join('\n'));
    expect(reports).toContain('Cyber Resilience Act');
    expect(reports).toContain('UN Regulation No. 156');
    expect(readFileSync(join(directory, 'register.csv'), 'utf8')).toMatch(/^rxswin,device,/);
  });
});
