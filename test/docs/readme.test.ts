// What the README tells a newcomer to type is typed here, in an empty directory, by a real shell.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describeConfig } from '@firmproof/server';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { readPage, sectionsOf, shellBlocks } from '../support/page.ts';
import { eventually, temporaryDirectory } from '../support/stack.ts';

const root = new URL('../../', import.meta.url).pathname;
const readme = readPage('README.md');

/** The shell code of the section with this heading; `block`: which of it. */
function codeOf(heading: string, block = 0): string {
  const section = sectionsOf(readme).find((candidate) => candidate.heading === heading);
  const code = shellBlocks(section?.text ?? '')[block];
  if (code === undefined) throw new Error(`the README has no code under "${heading}"`);
  return code;
}

let directory: string;
let server: ChildProcess;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  directory = temporaryDirectory();
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  environment = {
    ...process.env,
    FIRMPROOF_DATA: join(directory, 'server'),
    FIRMPROOF_PORT: String(port),
    FIRMPROOF_HOME: join(directory, 'home'),
    FIRMPROOF_SERVER: url,
    FIRMPROOF_LOG_LEVEL: 'silent',
    npm_config_update_notifier: 'false',
  };
  // A group of its own, because npm does not hand every signal on.
  server = spawn('sh', ['-c', codeOf('Start a server')], {
    cwd: root,
    env: environment,
    stdio: 'ignore',
    detached: true,
  });
  await eventually(
    () => fetch(`${url}/readyz`),
    (response) => response.ok,
    'the server',
  );
});
afterAll(async () => {
  const ended = once(server, 'exit');
  process.kill(-(server.pid ?? 0), 'SIGTERM');
  await ended;
  rmSync(directory, { recursive: true, force: true });
});

/** Runs the code line by line as a shell would, stopping at the first line that fails. */
async function type(heading: string, block = 0): Promise<string> {
  // What the passphrase line exports holds for the sections after it, as in one terminal.
  const passphrase = /^export FIRMPROOF_PASSPHRASE=.*$/m.exec(readme)?.[0] ?? '';
  const child = spawn('sh', ['-e', '-c', `${passphrase}\n${codeOf(heading, block)}`], {
    cwd: directory,
    env: environment,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  expect(code, output).toBe(0);
  return output;
}

describe('the README', () => {
  test('takes a vendor from nothing to a published release', async () => {
    expect(await type('For vendors')).toMatch(/stable +1\.0\.0/);
  });

  test('takes a device from nothing to an installed release', async () => {
    const output = await type('For devices');
    expect(output).toContain('installed: 1.0.0 runs and is confirmed');
    expect(readFileSync(join(directory, 'device', 'slots', 'current'))).toEqual(
      readFileSync(join(directory, 'firmware.bin')),
    );
  });

  test('takes an auditor through the history, online and offline', async () => {
    const output = await type('For security teams');
    expect(output).toContain('complete: 3 events');
    expect(output.match(/^proven: /gm)).toHaveLength(2);
  });

  test('shows what a release contains, as it was signed', async () => {
    const output = await type('For vendors', 1);
    expect(output).toMatch(/attached +1 document: 1 sbom/);
    expect(output).toMatch(/fixes +CVE-2026-12345/);
    expect(output.trimEnd().split('\n').at(-1)).toContain('"bomFormat":"CycloneDX"');
  });

  test('names every variable of the server, with its default and meaning', () => {
    for (const { name, fallback, meaning } of describeConfig()) {
      const row = readme.split('\n').find((line) => line.startsWith(`| \`${name}\``)) ?? '';
      const cells = row.split('|').map((cell) => cell.trim());
      expect(cells.slice(1, 4)).toEqual([`\`${name}\``, fallback && `\`${fallback}\``, meaning]);
    }
  });

  test('links to nothing that does not exist', () => {
    const pages = globSync(['*.md', '{bench,contracts,docs}/**/*.md'], { cwd: root, exclude: ['**/node_modules/**'] });
    expect(pages.length).toBeGreaterThan(20);
    for (const file of pages) {
      const text = readFileSync(join(root, file), 'utf8');
      for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(existsSync(join(root, file, '..', target)), `${file}: ${target}`).toBe(true);
      }
    }
  });
});
