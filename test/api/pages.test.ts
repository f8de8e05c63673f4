import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig } from '@firmproof/server';
import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pagesDirectory } from '../../server/src/http/pages.ts';
import { readBuildOptions, UsageMistake } from '../../web/scripts/build-options.ts';
import { buildPages, buildScript } from '../support/browser.ts';
import { runCommand } from '../support/command.ts';
import { expectCode } from '../support/expect-code.ts';
import { destroyStack, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';

let stack: Stack;
let pages: string;

beforeAll(async () => {
  pages = await buildPages();
  stack = await startStack(undefined, { FIRMPROOF_PAGES: pages });
});
afterAll(async () => {
  await destroyStack(stack);
  rmSync(pages, { recursive: true });
});

describe('the approval pages', () => {
  test('come with headers that keep everything else out', async () => {
    const { headers, text } = await supertest(stack.url).get('/').expect(200);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cache-control': 'no-cache',
    });
    expect(headers).not.toHaveProperty('set-cookie');
    // The same policy is in the page, for hosts that send no headers.
    expect(text).toContain(`content="${policy.replace("; frame-ancestors 'none'", '')}"`);
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  });

  test('leave the audit pages below them a policy of their own', async () => {
    const { headers, text } = await supertest(stack.url).get('/audit/').expect(200);
    const policy = headers['content-security-policy'] ?? '';
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; worker-src 'self'; connect-src 'self' https: http://localhost:* http://127.0.0.1:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(text).toContain(`content="${policy.replace("; frame-ancestors 'none'", '')}"`);
    expect(text).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
    const { headers: moved } = await supertest(stack.url).get('/audit').expect(301);
    expect(moved['location']).toBe('audit/');
  });

  test('keep for ever what is named by its content, and nothing else', async () => {
    const script = /src="\.\/(assets\/[^"]+\.js)"/.exec(readFileSync(join(pages, 'index.html'), 'utf8'))?.[1];
    const asset = await supertest(stack.url).get(`/${script}`).expect(200);
    expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable');
    const config = await supertest(stack.url).get('/config.json').expect(200, {});
    expect(config.headers['cache-control']).toBe('no-cache');
  });

  test('hide nothing of the API, and what is not there is a problem as ever', async () => {
    await supertest(stack.url).get('/healthz').expect(200, { status: 'ok' });
    for (const path of ['/nowhere', '/assets', '/..%2f..%2fpackage.json', '/v1/nowhere']) {
      const { body } = await supertest(stack.url).get(path).expect(404);
      expect(body.code, path).toBe('not-found');
    }
  });

  test('are off when the operator says so, and a directory without them is a mistake', async () => {
    expect(pagesDirectory('off')).toBeNull();
    expect(pagesDirectory(pages)).toBe(pages);
    const empty = join(stack.directory, 'empty');
    mkdirSync(empty);
    await expectCode('config-invalid', () => pagesDirectory(empty));
    await expectCode('config-invalid', () => parseConfig({ FIRMPROOF_PAGES: '' }));
  });
});

describe('the API for pages of another origin', () => {
  const origin = 'https://approve.vendor.example';

  test('answers every origin, also with errors, and with no cookies', async () => {
    for (const [path, status] of [
      ['/v1/info', 200],
      [`/v1/proposals/0x${'0'.repeat(64)}`, 404],
      ['/v1/products/nonsense', 422],
    ] as const) {
      const { headers } = await supertest(stack.url).get(path).set('origin', origin).expect(status);
      expect(headers['access-control-allow-origin'], path).toBe('*');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  test('lets them send tokens and JSON', async () => {
    const { headers } = await supertest(stack.url)
      .options('/v1/tokens')
      .set('origin', origin)
      .set('access-control-request-method', 'POST')
      .set('access-control-request-headers', 'authorization, content-type')
      .expect(204);
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-allow-methods']).toContain('POST');
    expect(headers['access-control-allow-headers']).toContain('authorization');
    expect(headers['access-control-allow-headers']).toContain('content-type');
  });

  test('is the only part that does', async () => {
    for (const path of ['/', '/metrics', '/readyz']) {
      const { headers } = await supertest(stack.url).get(path).set('origin', origin);
      expect(headers, path).not.toHaveProperty('access-control-allow-origin');
    }
  });
});

describe('the build', () => {
  test('writes what the operator names into config.json and into the policy', async () => {
    const registry = `0x${'Ab'.repeat(20)}`;
    const named = await buildPages(
      '--pages',
      'approvals',
      '--server',
      'https://updates.vendor.example/',
      '--chain-id',
      '10',
      '--registry',
      registry,
    );
    expect(JSON.parse(readFileSync(join(named, 'config.json'), 'utf8'))).toEqual({
      server: 'https://updates.vendor.example',
      chainId: 10,
      registry: registry.toLowerCase(),
    });
    expect(readFileSync(join(named, 'index.html'), 'utf8')).toContain(
      "connect-src 'self' https://updates.vendor.example;",
    );
    rmSync(named, { recursive: true });
  });

  test('puts audit pages where they are to be alone, with whom their operator believes', async () => {
    const rpc = 'http://node.vendor.example:8545/key';
    const named = await buildPages('--pages', 'audit', '--rpc-url', rpc, '--rpc-quorum', '1');
    expect(JSON.parse(readFileSync(join(named, 'config.json'), 'utf8'))).toEqual({ rpcUrls: [rpc], rpcQuorum: 1 });
    const page = readFileSync(join(named, 'index.html'), 'utf8');
    expect(page).toContain(
      "connect-src 'self' https: http://localhost:* http://127.0.0.1:* http://node.vendor.example:8545;",
    );
    expect(page).toContain('Firmproof audit');
    rmSync(named, { recursive: true });
  });

  test('says where the files are, for which server, and what is pinned', async () => {
    const out = temporaryDirectory();
    const registry = `0x${'ab'.repeat(20)}`;
    const pin = ['--chain-id', '10', '--registry', registry];
    const named = await runCommand(buildScript, [
      '--pages',
      'approvals',
      '--out',
      out,
      '--server',
      'https://updates.vendor.example',
      ...pin,
    ]);
    rmSync(out, { recursive: true });
    expect(named.code, named.stderr).toBe(0);
    for (const part of [out, 'https://updates.vendor.example', 'chain 10', registry])
      expect(named.stdout).toContain(part);
  });

  test.each([
    ['--server', 'banana'],
    ['--server', 'ftp://updates.vendor.example'],
    ['--chain-id', 'x', '--registry', `0x${'ab'.repeat(20)}`],
    ['--chain-id', '0', '--registry', `0x${'ab'.repeat(20)}`],
    ['--chain-id', '10', '--registry', '0x…'],
    ['--chain-id', '10'],
    ['--pages', 'none'],
    ['--rpc-url', 'banana'],
    ['--rpc-url', 'https://a.example', '--rpc-quorum', '2'],
    ['--trust-root', '/nowhere/trust-root.json'],
    ['--frobnicate'],
  ])('refuses %s %s', (...options) => {
    expect(() => readBuildOptions(options, '/nowhere')).toThrow(UsageMistake);
  });

  test('refuses what it does not understand in one line, with the usage', async () => {
    const { code, stdout, stderr } = await runCommand(buildScript, ['--server', 'banana']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^usage-invalid: .+\n\nnpm run build:web --/);
    expect(stderr).not.toContain('    at ');
  });

  test('after installing does nothing, and says nothing, where the tools are left out', () => {
    const script = fileURLToPath(new URL('../../web/scripts/prepare.js', import.meta.url));
    const elsewhere = temporaryDirectory();
    const alone = join(elsewhere, 'prepare.js');
    execFileSync('cp', [script, alone]);
    const output = execFileSync(process.execPath, [alone], { encoding: 'utf8' });
    expect(output).toBe('');
    rmSync(elsewhere, { recursive: true });
  });
});
