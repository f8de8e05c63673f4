// Five people, each with a directory and a kind of key of their own, on a real stack. All of them run the real command.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofClient, Home, SignerApprover } from '@firmproof/client';
import { formatSigner, type Proposal, parseAddress, parseProductId, shortSigner } from '@firmproof/protocol';
import { type AccountChange, actionTypedData } from '@firmproof/protocol/approval';
import { createRpc } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LyingServer } from '../support/lying-server.ts';
import { Person } from '../support/person.ts';
import { destroyStack, eventually, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import { p256Signer, passkeySigner, walletSigner } from '../support/team.ts';

let stack: Stack;
let directory: string;
let alice: Person;
let bruno: Person;
let carla: Person;
let dora: Person;
let emil: Person;

beforeAll(async () => {
  stack = await startStack();
  directory = temporaryDirectory();
  const person = (name: string) => new Person(name, directory, stack.url);
  [alice, bruno, carla, dora, emil] = [
    person('alice'),
    person('bruno'),
    person('carla'),
    person('dora'),
    person('emil'),
  ];
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

const signerOf = async (person: Person): Promise<string> => (await person.json('signer', 'show')).signer;
const settingsOf = (person: Person) => new Home(person.home).settings;
const client = () => new FirmproofClient({ server: stack.url });
const shortly = async (person: Person) => shortSigner((await person.json('signer', 'show')).bytes);

/** A key file as `openssl ecparam` and `openssl ec -pubout` would write it. */
function keyFiles(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const [secret, open] = [join(directory, `${name}.key`), join(directory, `${name}.pub`)];
  writeFileSync(secret, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  writeFileSync(open, publicKey.export({ format: 'pem', type: 'spki' }));
  const device = new URL('../support/signing-device.ts', import.meta.url).pathname;
  return { command: `"${process.execPath}" "${device}" '${secret}'`, publicKey: open };
}

const edwardsKey = () =>
  generateKeyPairSync('ed25519').publicKey.export({ format: 'der', type: 'spki' }).toString('base64');

/** Approves with the person's own key, through the API. */
async function approve(person: Person, id: string): Promise<Proposal> {
  const home = new Home(person.home);
  const { kind, message, approver } = await client().proposal(id);
  const account = parseAddress(approver ?? '');
  const key = await home.openApprovalKey(async () => `the passphrase of ${person.name}`);
  const signer = new SignerApprover(account, key, { epoch: async () => (await client().account(account)).epoch });
  const { chainId } = stack.info;
  const approval =
    kind === 'register'
      ? await signer.sign(actionTypedData(stack.info, 'Register', message as never), chainId)
      : await signer.signChange(chainId, { kind, body: { account, message } } as AccountChange);
  return client().approve(id, approval);
}

const confirmed = (id: string) => client().follow(id);

describe('everybody’s first step', () => {
  test('is a key: a wallet or a P-256 key on this machine, never overwritten', async () => {
    const made = await alice.run(['signer', 'new']);
    expect(made.code).toBe(0);
    // Alone on stdout, to be piped.
    expect(made.stdout).toMatch(/^wallet:0x[0-9a-f]{40}\n$/);
    expect(made.stderr).toContain('firmproof team join');
    const before = readFileSync(join(alice.home, 'keys', 'approval.json'), 'utf8');
    await alice.fails('setup-exists', 2, 'signer', 'new', '--kind', 'p256');
    expect(readFileSync(join(alice.home, 'keys', 'approval.json'), 'utf8')).toBe(before);
    expect(await bruno.json('signer', 'new', '--kind', 'p256')).toMatchObject({
      kind: 'p256',
      signer: expect.stringMatching(/^p256:[0-9a-f]{128}$/),
    });
    expect(existsSync(join(bruno.home, 'keys', 'build.json'))).toBe(false);
    await emil.json('signer', 'new', '--kind', 'p256');
    await carla.fails('usage-invalid', 2, 'signer', 'new', '--kind', 'passkey');
  });

  test('shows it without a passphrase', async () => {
    const { stdout, code } = await alice.run(['signer', 'show'], { FIRMPROOF_PASSPHRASE: 'nonsense' });
    expect([code, stdout]).toEqual([0, `${await signerOf(alice)}\n`]);
    // A directory of an earlier version has not written it down: the key is opened once.
    const settings = join(alice.home, 'settings.json');
    const kept = readFileSync(settings, 'utf8');
    rmSync(settings);
    const wrong = await alice.run(['signer', 'show', '--json'], { FIRMPROOF_PASSPHRASE: 'nonsense' });
    expect(JSON.parse(wrong.stderr)).toMatchObject({ code: 'passphrase-wrong' });
    expect(`${await signerOf(alice)}\n`).toBe(stdout);
    expect(readFileSync(settings, 'utf8')).toContain(JSON.parse(kept).signer);
  });

  test('is told when there is none', async () => {
    await carla.fails('key-not-found', 4, 'signer', 'show');
    await carla.fails('account-not-found', 3, 'team', 'show');
  });

  test('or a key in hardware, behind a command', async () => {
    const { command, publicKey } = keyFiles('token');
    const other = keyFiles('other');
    const use = ['signer', 'use', '--command'];
    await carla.fails('usage-invalid', 2, ...use, command);
    await carla.fails('usage-invalid', 2, ...use, `"${command}`, '--public-key', publicKey);
    await carla.fails('file-not-found', 2, ...use, command, '--public-key', join(directory, 'nowhere'));
    const odd = join(directory, 'odd.pub');
    for (const text of ['nonsense', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----', edwardsKey()]) {
      writeFileSync(odd, text);
      await carla.fails('key-invalid', 4, ...use, command, '--public-key', odd);
    }
    // Tried out at once: another key, no signature, no program.
    await carla.fails('signer-command-failed', 4, ...use, command, '--public-key', other.publicKey);
    await carla.fails('signer-command-failed', 4, ...use, 'echo nonsense', '--public-key', publicKey);
    await carla.fails('signer-command-failed', 4, ...use, join(directory, 'nowhere'), '--public-key', publicKey);
    await carla.fails('key-not-found', 4, 'signer', 'show');
    const used = await carla.json(...use, command, '--public-key', publicKey);
    expect(used).toMatchObject({ kind: 'p256' });
    expect(await signerOf(carla)).toBe(used.signer);
    // The same key behind another command is the same signer; another key is not.
    await carla.json(...use, command, '--public-key', publicKey);
    await carla.fails('setup-exists', 2, ...use, other.command, '--public-key', other.publicKey);
    await carla.fails('setup-exists', 2, 'signer', 'new');
    await alice.fails('setup-exists', 2, ...use, command, '--public-key', publicKey);
  });

  test('or a wallet that speaks JSON-RPC', async () => {
    const [account = ''] = await createRpc(stack.rpcUrl)<string[]>('eth_accounts');
    const use = ['signer', 'use', '--wallet'];
    await dora.fails('usage-invalid', 2, ...use, stack.rpcUrl);
    await dora.fails('usage-invalid', 2, ...use, 'ftp://wallet', '--address', account);
    await dora.fails('address-invalid', 2, ...use, stack.rpcUrl, '--address', '0x12');
    await dora.fails('signer-command-failed', 4, ...use, stack.rpcUrl, '--address', walletSigner().wallet.address);
    const used = await dora.json(...use, stack.rpcUrl, '--address', account);
    expect(used).toMatchObject({ kind: 'wallet', signer: `wallet:${account.toLowerCase()}` });
  });
});

/** What --signer takes of these. */
const asSigners = async (...people: Person[]) =>
  (await Promise.all(people.map(signerOf))).flatMap((signer) => ['--signer', signer]);

describe('setup --team', () => {
  const setup = ['setup', '--team', '2-of-3', '--product', 'lamp'];

  test('finds mistakes before a key is made or anything is sent', async () => {
    const others = await asSigners(bruno, carla);
    const [first = '', bruns = ''] = others;
    await alice.fails('usage-invalid', 2, 'setup', '--product', 'lamp');
    await alice.fails('usage-invalid', 2, ...setup, '--solo');
    await alice.fails('usage-invalid', 2, 'setup', '--team', '4-of-3', '--product', 'lamp', ...others);
    await alice.fails('usage-invalid', 2, 'setup', '--team', '2-of-3', ...others);
    await alice.fails('name-invalid', 2, 'setup', '--team', '2-of-3', '--product', 'La mp', ...others);
    await alice.fails('signer-invalid', 2, ...setup, first, bruns, '--signer', 'carla');
    await alice.fails('signers-invalid', 2, ...setup, first, bruns, first, bruns);
    await alice.fails('usage-invalid', 2, ...setup, ...others, '--delay', 'soon');
    expect(existsSync(join(alice.home, 'keys', 'build.json'))).toBe(false);
    await alice.fails('usage-invalid', 2, ...setup, first, bruns);
    await alice.fails('usage-invalid', 2, ...setup, ...others, '--signer', await signerOf(dora));
    await alice.fails('usage-invalid', 2, ...setup, ...others, '--recovery', '2-of-2', '--recovery-signer', bruns);
    await alice.fails('usage-invalid', 2, ...setup, ...others, '--recovery-signer', bruns);
    expect(settingsOf(alice).team).toBeUndefined();
  });

  test('goes on wherever it was interrupted', async () => {
    const recovery = (await asSigners(dora, emil)).map((text) => text.replace('--signer', '--recovery-signer'));
    const all = [...setup, ...(await asSigners(bruno, carla)), '--recovery', '2-of-2', ...recovery];
    const making = alice.start(...all);
    await making.says('Making the account');
    await making.interrupt();
    const { account, parameters } = settingsOf(alice).team ?? {};
    expect(making.output()).toContain(account);
    expect(parameters?.threshold).toBe(2);

    // The account is there, the product is not.
    const registering = alice.start(...setup);
    await registering.says('Registering lamp');
    await registering.interrupt();
    expect(settingsOf(alice).team).toEqual({ account });
    const root = readFileSync(join(alice.home, 'products', 'lamp', 'trust-root.json'), 'utf8');

    // The product is proposed, and waits.
    const waiting = alice.start(...setup);
    const said = await waiting.says('Waiting for them');
    const id = /firmproof approve (0x[0-9a-f]{64})/.exec(said)?.[1] ?? '';
    expect(said).toContain(`firmproof team join ${account} --server ${stack.url}`);
    await waiting.interrupt();

    const held = await alice.json(...setup, '--no-wait');
    expect(held).toMatchObject({ account, name: 'lamp', state: 'approving', proposal: id, threshold: 2 });
    expect(await client().proposal(id)).toMatchObject({ reason: { code: 'approvals-missing' }, approvals: [{}] });
    expect(readFileSync(join(alice.home, 'products', 'lamp', 'trust-root.json'), 'utf8')).toBe(root);

    const last = alice.start(...setup, '--pages', 'https://approve.example/');
    await last.says('Waiting for them');
    expect(last.output()).toContain(`https://approve.example/#/proposal/${id}`);
    await approve(bruno, id);
    const { code, stderr, stdout } = await last.ended;
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`${await shortly(bruno)} has approved`);
    expect(stdout).toContain('firmproof publish IMAGE --product lamp');

    // All done: it says so again, and nothing was proposed twice.
    const again = await alice.json(...setup);
    expect(again).toMatchObject({ state: 'confirmed', publisher: account });
    const product = await client().product(parseProductId(again.product));
    expect(product).toMatchObject({ name: 'lamp', publisher: account, trustRoot: again.trustRoot });
    await alice.fails('setup-exists', 2, 'setup', '--team', '3-of-3', '--product', 'lamp');
    await alice.fails('setup-exists', 2, ...setup, '--signer', await signerOf(emil));
  });

  test('registers nothing with one approval', async () => {
    const { product, state, proposal } = await alice.json('product', 'create', 'kettle', '--no-wait');
    expect(state).toBe('approving');
    await alice.fails('product-not-found', 3, 'product', 'show', product);
    await approve(carla, proposal);
    await confirmed(proposal);
    expect(await alice.json('product', 'show', 'kettle')).toMatchObject({ product });
  });

  test('leaves no way for a single wallet outside development chains', async () => {
    const dan = new Person('dan', directory, stack.url);
    await dan.json('setup', '--solo', '--product', 'lamp');
    const mainnet = await LyingServer.start(stack.url);
    try {
      mainnet.lie = {
        answer: ({ url }, response) => {
          if (url !== '/v1/info') return false;
          response.end(JSON.stringify({ ...stack.info, chainId: 1 }));
          return true;
        },
      };
      const eve = new Person('eve', directory, mainnet.url);
      await eve.fails('publisher-unsuitable', 3, 'setup', '--solo', '--product', 'lamp');
      expect(existsSync(join(eve.home, 'keys'))).toBe(false);
      const before = mainnet.requests.length;
      await dan.fails('publisher-unsuitable', 3, 'product', 'create', 'kettle', '--server', mainnet.url);
      expect(mainnet.requests.slice(before)).toEqual(['/v1/info']);
    } finally {
      await mainnet.stop();
    }
  });
});
