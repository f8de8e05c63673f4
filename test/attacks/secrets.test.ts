// A40: whoever reads what a device prints, logs or tells a server, whatever hostile servers make it say, learns no secret.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ErrorCode } from '@firmproof/protocol';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Arena } from '../support/arena.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { flipByte, type Lie } from '../support/lying-server.ts';

const password = 'correct-horse-battery';
const claimToken = 'claim-7f3a9c55e1';
const proxyPassword = 'proxy-staple-9911';

let arena: Arena;
/** What never leaves the device. */
let own: readonly string[];
let secrets: readonly string[];
beforeAll(async () => {
  arena = await Arena.open();
  const { port } = new URL(arena.liar.url);
  arena.device.configure({ servers: [`http://fleet:${password}@127.0.0.1:${port}`] });
  const data = (name: string) => readFileSync(join(arena.device.directory, 'data', name), 'utf8');
  const { rolloutSecret } = JSON.parse(data('identity.json'));
  const pem = data('device.key')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('-----'));
  own = [rolloutSecret, Buffer.from(rolloutSecret, 'hex').toString('base64'), ...pem];
  const basic = Buffer.from(`fleet:${password}`).toString('base64');
  secrets = [...own, password, basic, claimToken, proxyPassword];
});
afterAll(() => arena.close());

/** Runs the agent as people and service managers do, and looks at every byte that it says. */
async function agent(args: readonly string[], environment: Record<string, string> = {}) {
  const command = [...args, '--config', arena.device.configFile];
  const said = await runCommand(firmproofAgent, command, environment, { endAtFirstLine: args[0] === 'run' });
  for (const secret of secrets) {
    // Not toContain: a failing test would print what it must not.
    expect((said.stdout + said.stderr).includes(secret), `${args.join(' ')} tells a secret`).toBe(false);
  }
  return said;
}

async function refused(code: ErrorCode, lie: Lie, ...args: string[]): Promise<void> {
  const before = await arena.device.fingerprint();
  const { stdout, stderr } = await arena.liar.lying(lie, () => agent(args));
  expect(stdout + stderr).toContain(code);
  expect(await arena.device.fingerprint()).toEqual(before);
}

/** A server that says back whatever it was sent, as debugging pages do. */
const parrot = (status: number): Lie => ({
  answer(request, response) {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const detail = `${JSON.stringify(request.rawHeaders)} ${Buffer.concat(chunks).toString()}`;
      response.writeHead(status, { 'content-type': 'application/problem+json' });
      response.end(JSON.stringify({ code: 'request-invalid', detail, title: detail }));
    });
    return true;
  },
});

describe('a device with credentials in its addresses', () => {
  test.each([['check'], ['check', '--json'], ['status'], ['status', '--json'], ['doctor'], ['identity', 'show']])(
    'does not tell them: %s %s',
    async (...args) => {
      expect((await agent(args)).stdout).not.toBe('');
    },
  );

  test('does not tell them when the server is away, lies, leads elsewhere, or says them back', async () => {
    await refused('unavailable', parrot(500), 'check', '--json');
    await refused('evidence-malformed', parrot(200), 'check');
    await refused('evidence-malformed', { evidence: () => `{"detail":"fleet:${password}"}` }, 'install', '--json');
    const elsewhere = `http://x:${password}@169.254.169.254/?token=${claimToken}`;
    const leads: Lie = {
      answer(_request, response) {
        response.writeHead(302, { location: elsewhere }).end();
        return true;
      },
    };
    await refused('redirect-refused', leads, 'check');
    await refused('block-digest-mismatch', { block: (bytes) => flipByte(bytes) }, 'install');
  });

  test('does not tell them to the journal', async () => {
    const { stdout } = await arena.liar.lying(parrot(503), () => agent(['run'], { JOURNAL_STREAM: '8:1' }));
    expect(stdout).toMatch(/^<\d>\{"priority":\d,/);
  });

  test('does not tell what is in the environment', async () => {
    const proxy = `http://fleet:${proxyPassword}@127.0.0.1:9`;
    const { stdout } = await agent(['check'], { HTTP_PROXY: proxy, http_proxy: proxy, NO_PROXY: '', no_proxy: '' });
    expect(stdout).toContain('unavailable');
  });
});

describe('a claim token', () => {
  test.each([400, 404, 409, 500])('is not repeated when the server answers %i and says it back', async (status) => {
    await refused(
      status === 500 ? 'unavailable' : 'enrolment-refused',
      parrot(status),
      'identity',
      'enrol',
      '--claim-token',
      claimToken,
    );
  });
});

describe('what a device sends', () => {
  test('of itself is signed by its key and holds neither key nor rollout secret', async () => {
    const sent: string[] = [];
    const lie: Lie = {
      answer(request, response) {
        if (request.method !== 'POST') return false;
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          sent.push(JSON.stringify(request.rawHeaders) + Buffer.concat(chunks).toString());
          response.writeHead(201).end();
        });
        return true;
      },
    };
    await arena.liar.lying(lie, async () => {
      await arena.recovers();
      // What an earlier server did not take waits for its time.
      arena.device.sleep(2);
      await arena.device.report();
    });
    expect(sent.length).toBeGreaterThan(0);
    for (const text of sent) {
      expect(text).toContain('firmproof-receipt');
      const told = own.filter((secret) => text.includes(secret));
      expect(told.length, 'a receipt tells a secret').toBe(0);
    }
  });
});
