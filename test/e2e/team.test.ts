// Five people, each with a directory and a kind of key of their own, on a real stack. All of them run the real command.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FirmproofClient, Home } from '@firmproof/client';
import { formatSigner, parseProductId, shortSigner } from '@firmproof/protocol';
import { createRpc } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LyingServer } from '../support/lying-server.ts';
import { Person } from '../support/person.ts';
import { keyFiles } from '../support/signing-key.ts';
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
  await alice.json('signer', 'new');
  for (const owner of [bruno, emil]) await owner.json('signer', 'new', '--kind', 'p256');
  const { command, publicKey } = keyFiles(directory, 'token');
  await carla.json('signer', 'use', '--command', command, '--public-key', publicKey);
  const [account = ''] = await createRpc(stack.rpcUrl)<string[]>('eth_accounts');
  await dora.json('signer', 'use', '--wallet', stack.rpcUrl, '--address', account);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

const signerBytes = (person: Person) => new Home(person.home).signer(() => Promise.reject(new Error('no passphrase')));
const signerOf = async (person: Person): Promise<string> => formatSigner(await signerBytes(person));
const settingsOf = (person: Person) => new Home(person.home).settings;
const client = () => new FirmproofClient({ server: stack.url });
const shortly = async (person: Person) => shortSigner(await signerBytes(person));

/** Approves with the person's own key. */
const approve = (person: Person, id: string) => person.json('approve', id, '--yes');

const confirmed = (id: string) => client().follow(id);

/** What --signer takes of these. */
const asSigners = async (...people: Person[]) =>
  (await Promise.all(people.map(signerOf))).flatMap((signer) => ['--signer', signer]);

describe('setup --team', () => {
  const setup = ['setup', '--team', '2-of-3', '--product', 'lamp', '--yes'];

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
    await alice.fails('usage-invalid', 2, ...setup, '--no-recovery', first, bruns);
    await alice.fails('usage-invalid', 2, ...setup, '--no-recovery', ...others, '--signer', await signerOf(dora));
    await alice.fails('usage-invalid', 2, ...setup, ...others, '--recovery', '2-of-2', '--recovery-signer', bruns);
    await alice.fails('usage-invalid', 2, ...setup, ...others, '--recovery-signer', bruns);
    expect(existsSync(join(alice.home, 'keys', 'build.json'))).toBe(false);
    expect(settingsOf(alice).team).toBeUndefined();
    const nobody = new Person('nobody', directory, stack.url);
    await nobody.fails('usage-invalid', 2, ...setup, '--no-recovery', first, bruns);
    expect(existsSync(join(nobody.home, 'keys'))).toBe(false);
  });

  test('decides nothing that nobody has said, where nobody can be asked', async () => {
    const others = await asSigners(bruno, carla);
    const paul = new Person('paul', directory, stack.url);
    for (const missing of ['--yes', '--no-recovery']) {
      const { code, stderr } = await paul.run(
        [...setup, '--no-recovery', ...others, '--json'].filter((option) => option !== missing),
      );
      expect(code).toBe(2);
      expect(JSON.parse(stderr)).toMatchObject({ code: 'usage-invalid', hint: expect.stringContaining(missing) });
    }
    expect(existsSync(join(paul.home, 'keys'))).toBe(false);
    expect(settingsOf(paul).team).toBeUndefined();
  });

  test('goes on with no other plan than the one that was begun', async () => {
    const paula = new Person('paula', directory, stack.url);
    const begin = [...setup, '--no-recovery', ...(await asSigners(bruno, carla))];
    const making = paula.start(...begin);
    await making.says('Making the account');
    await making.interrupt();
    const recovery = ['--recovery-signer', await signerOf(dora), '--recovery-signer', await signerOf(emil)];
    await paula.fails('setup-exists', 2, ...setup, '--recovery', '2-of-2', ...recovery);
    await paula.fails('usage-invalid', 2, ...setup, '--recovery', '2-of-2', ...recovery.slice(2));
    await paula.fails('usage-invalid', 2, ...setup, '--recovery', 'some');
    await paula.fails('signer-invalid', 2, ...setup, '--recovery-signer', 'dora');
    await paula.fails('setup-exists', 2, ...setup, '--passkeys-alone');
    const { stderr } = await paula.run([...setup, ...(await asSigners(bruno, paula)), '--json']);
    expect(JSON.parse(stderr)).toMatchObject({
      code: 'setup-exists',
      message: expect.stringContaining(`${await shortly(carla)} is a signer and is not given`),
    });
    const { state } = await paula.json(...begin, '--no-wait');
    expect(state).toBe('approving');
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
    expect(registering.output()).toContain('2 of 2 can name new signers');
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
    expect(last.output()).toContain(`Everybody can look at it at https://approve.example/#/proposal/${id}`);
    expect(last.output()).not.toContain('passkey');
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
    await alice.fails('setup-exists', 2, ...setup, '--no-recovery');
    await alice.fails('setup-exists', 2, ...setup, '--recovery', '1-of-2');
  });

  test('registers nothing with one approval', async () => {
    const { product, state, proposal } = await alice.json('product', 'create', 'kettle', '--no-wait');
    expect(state).toBe('approving');
    await alice.fails('product-not-found', 3, 'product', 'show', product);
    await approve(carla, proposal);
    await confirmed(proposal);
    expect(await alice.json('product', 'show', 'kettle')).toMatchObject({ product });
  });

  test('can be done by one who approves nothing', async () => {
    const hugo = new Person('hugo', directory, stack.url);
    await hugo.json('signer', 'new');
    const own = await signerOf(hugo);
    const solo = ['setup', '--team', '1-of-1', '--product', 'lamp', '--yes', '--without-own-key'];
    solo.push(...(await asSigners(bruno)));
    await hugo.fails('usage-invalid', 2, ...solo, '--no-recovery');
    const recovery = ['--recovery', '1-of-1', '--recovery-signer', own];
    const { state, proposal } = await hugo.json(...solo, ...recovery, '--no-wait');
    expect(state).toBe('approving');
    expect((await client().proposal(proposal)).approvals).toEqual([]);
    expect(await hugo.json('team', 'show')).toMatchObject({ role: 'recovery-signer', threshold: 1 });
    await hugo.fails('signer-unknown', 4, 'approve', proposal, '--yes');
    await approve(bruno, proposal);
    expect(await hugo.json(...solo, ...recovery)).toMatchObject({ state: 'confirmed' });
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

const team = () => alice.json('team', 'show');

describe('team join', () => {
  test('is for signers of the account, who say that they know it', async () => {
    const { account } = await team();
    await bruno.fails('usage-invalid', 2, 'team', 'join', account);
    expect(settingsOf(bruno).team).toBeUndefined();
    await bruno.fails('account-not-found', 3, 'team', 'join', walletSigner().wallet.address, '--yes');
    await bruno.fails('address-invalid', 2, 'team', 'join', 'alice', '--yes');
    const frank = new Person('frank', directory, stack.url);
    await frank.fails('key-not-found', 4, 'team', 'join', account, '--yes');
    await frank.json('signer', 'new');
    await frank.fails('signer-unknown', 4, 'team', 'join', account, '--yes');

    const shown = await bruno.run(['team', 'join', account, '--yes']);
    expect(shown.code).toBe(0);
    for (const text of ['2 of 3 have to approve', await signerOf(alice), '(you)', stack.info.registry])
      expect(shown.stderr).toContain(text);
    expect(settingsOf(bruno)).toMatchObject({ team: { account }, registry: { chainId: 31_337 }, server: stack.url });
    expect(await carla.json('team', 'join', account, '--yes')).toMatchObject({ role: 'signer', threshold: 2 });
    expect(await dora.json('team', 'join', account, '--yes')).toMatchObject({ role: 'recovery-signer' });
    await emil.json('team', 'join', account, '--yes');
  });

  test('is not led to an account that a server has made up', async () => {
    const { account, me, role, ...said } = await bruno.json('team', 'show');
    const henry = new Person('henry', directory, stack.url);
    const { bytes } = await henry.json('signer', 'new');
    const liar = await LyingServer.start(stack.url);
    try {
      const signers = [bytes, ...(await client().account(account)).signers.slice(1)];
      liar.lie = {
        answer: ({ url }, response) => {
          if (url !== `/v1/accounts/${account}`) return false;
          response.end(
            JSON.stringify({ ...said, account, signers, recovery: { epoch: 1, threshold: 0, signers: [] } }),
          );
          return true;
        },
      };
      await henry.fails('server-lied', 5, 'team', 'join', account, '--yes', '--server', liar.url);
      expect(settingsOf(henry).team).toBeUndefined();
    } finally {
      await liar.stop();
    }
  });

  test('does not lead from one team to another', async () => {
    await bruno.fails('setup-exists', 2, 'team', 'join', walletSigner().wallet.address, '--yes');
  });

  test('shows the team to everybody', async () => {
    const { account } = await team();
    const signers = await Promise.all([alice, bruno, carla].map(signerOf));
    const recovery = await Promise.all([dora, emil].map(signerOf));
    expect(await bruno.json('team', 'show')).toEqual({
      account,
      epoch: 1,
      threshold: 2,
      passkeysAlone: false,
      signers,
      recovery: { epoch: 1, threshold: 2, signers: recovery },
      me: signers[1],
      role: 'signer',
    });
    const stranger = new Person('grace', directory, stack.url);
    expect(await stranger.json('team', 'show', account)).toMatchObject({ me: null, role: null });
  });
});

describe('a team that changes', () => {
  test('is changed by nobody alone', async () => {
    const newcomer = p256Signer();
    const before = await team();
    await bruno.fails('usage-invalid', 2, 'team', 'add', formatSigner(newcomer.signer));
    const { proposal, state } = await bruno.json('team', 'add', formatSigner(newcomer.signer), '--yes');
    expect(state).toBe('approving');
    expect((await client().proposal(proposal)).reason?.code).toBe('approvals-missing');
    expect(await team()).toEqual(before);
  });

  test('grows', async () => {
    const passkey = formatSigner(passkeySigner().signer);
    const asked = await bruno.run(['team', 'add', await signerOf(dora), passkey, '--yes', '--threshold', '3']);
    expect(asked.code).toBe(0);
    for (const text of [
      `comes        ${passkey}`,
      '3 of 5 have to approve, one of them with a wallet or P-256 key',
      '2 of the 3 signers of today',
      '3 of the 5 signers afterwards',
    ])
      expect(asked.stderr).toContain(text);
    const id = /firmproof approve (0x[0-9a-f]{64})/.exec(asked.stderr)?.[1] ?? '';
    await approve(carla, id);
    // Two of today's signers are two of tomorrow's, and three are needed: who is new proves the key.
    expect((await client().proposal(id)).state).toBe('approving');
    await approve(dora, id);
    await confirmed(id);
    expect(await dora.json('team', 'show')).toMatchObject({ epoch: 2, threshold: 3, role: 'signer' });
  });

  test('shrinks, and says when no key may be lost any more', async () => {
    const { signers } = await team();
    const passkey = signers[4];
    const asked = await alice.run(['team', 'remove', passkey, await shortly(carla), '--yes']);
    expect(asked.stderr).toContain('no reserve: all 3 keys are needed');
    expect(asked.stderr).toContain(`goes         ${await shortly(carla)}`);
    const { proposal, comes, goes, threshold } = await alice.json(
      ...['team', 'remove', passkey, await shortly(carla), '--threshold', '2', '--yes'],
    );
    expect({ comes, goes, threshold }).toEqual({ comes: [], goes: [await signerOf(carla), passkey], threshold: 2 });
    await approve(bruno, proposal);
    await approve(dora, proposal);
    await confirmed(proposal);
    expect(await team()).toMatchObject({ epoch: 3, threshold: 2, signers: [signers[0], signers[1], signers[3]] });
    // Who has left is nobody any more.
    expect(await carla.json('team', 'show')).toMatchObject({ role: null });
    await carla.fails('login-invalid', 4, 'login');
  });

  test('replaces a key', async () => {
    const { signers } = await team();
    const change = ['team', 'replace', await shortly(dora), await signerOf(carla), '--yes'];
    const waiting = bruno.start(...change, '--wait');
    const said = await waiting.says('Waiting for them');
    await approve(alice, /firmproof approve (0x[0-9a-f]{64})/.exec(said)?.[1] ?? '');
    const { code, stdout } = await waiting.ended;
    expect([code, stdout]).toEqual([0, expect.stringContaining('The signers are changed')]);
    expect((await team()).signers).toEqual([...signers.slice(0, 2), await signerOf(carla)]);
  });

  test('refuses what the account would refuse, before a key is opened', async () => {
    const fails = async (code: string, exitCode: number, ...args: string[]) => {
      const { code: exit, stderr } = await alice.run([...args, '--json', '--yes'], {
        FIRMPROOF_PASSPHRASE: 'nonsense',
      });
      expect(JSON.parse(stderr)).toMatchObject({ code });
      expect(exit).toBe(exitCode);
    };
    await fails('signers-invalid', 2, 'team', 'add', await signerOf(bruno));
    await fails('signers-invalid', 2, 'team', 'add', await signerOf(emil), '--threshold', '5');
    await fails('signers-invalid', 2, 'team', 'add', await signerOf(emil), '--threshold', '0');
    await fails('signer-invalid', 2, 'team', 'add', await shortly(emil));
    await fails('signers-invalid', 2, 'team', 'remove', await signerOf(bruno), await signerOf(carla));
    await fails('signer-unknown', 4, 'team', 'remove', await signerOf(emil));
    await fails('signer-invalid', 2, 'team', 'remove', 'p256:');
    await fails('signers-invalid', 2, 'team', 'replace', await shortly(bruno), await signerOf(carla));
    await fails('usage-invalid', 2, 'team', 'recovery');
    await fails('usage-invalid', 2, 'team', 'recovery', '--none', '--signer', await signerOf(emil), '--threshold', '1');
    await fails('signers-invalid', 2, 'team', 'recovery', '--signer', await signerOf(emil), '--threshold', '2');
    await fails('usage-invalid', 2, 'team', 'recover');
    await fails('usage-invalid', 2, 'team', 'recover', '--complete', '--cancel');
    await fails('recovery-pending', 3, 'team', 'recover', '--cancel');
    // All passkeys: nobody would be left outside a browser.
    const [one, two] = [passkeySigner(), passkeySigner()].map(({ signer }) => formatSigner(signer));
    await fails('signers-invalid', 2, 'team', 'recover', one ?? '', two ?? '');
  });
});

describe('a team that lost its keys', () => {
  test('sets up who can help', async () => {
    const ended = await alice.json('team', 'recovery', '--none', '--yes');
    await approve(bruno, ended.proposal);
    await confirmed(ended.proposal);
    expect((await team()).recovery).toMatchObject({ epoch: 2, threshold: 0, signers: [] });
    await alice.fails('recovery-pending', 3, 'team', 'recover', await signerOf(emil), '--threshold', '1', '--yes');

    const recovery = ['team', 'recovery', ...(await asSigners(dora, emil)), '--threshold', '2', '--yes'];
    const { proposal } = await alice.json(...recovery);
    await approve(bruno, proposal);
    await confirmed(proposal);
    expect((await team()).recovery).toMatchObject({ epoch: 3, threshold: 2 });
  });

  test('announces new signers, which those of today can stop', async () => {
    const announce = ['team', 'recover', await signerOf(dora), await signerOf(emil), '--yes'];
    const { stderr } = await dora.run(announce);
    expect(stderr).toContain('A recovery signer types both with --home');
    expect(stderr).not.toContain('with a passkey');
    const proposal = /firmproof approve (0x[0-9a-f]{64})/.exec(stderr)?.[1] ?? '';
    expect((await client().proposal(proposal)).state).toBe('approving');
    await approve(emil, proposal);
    await confirmed(proposal);
    const { pendingRecovery } = await team();
    expect(pendingRecovery.recoverableFrom).toBeGreaterThan(0);
    const shown = await bruno.run(['team', 'show']);
    expect(shown.stdout).toContain(new Date(pendingRecovery.recoverableFrom * 1000).toISOString().slice(0, 16));

    const cancel = await bruno.json('team', 'recover', '--cancel', '--yes');
    await approve(carla, cancel.proposal);
    await confirmed(cancel.proposal);
    expect((await team()).pendingRecovery).toBeUndefined();
    await dora.fails('recovery-pending', 3, 'team', 'recover', '--complete', '--yes');
  });

  test('has them in force after 30 days, and not before', async () => {
    const announce = ['team', 'recover', await signerOf(dora), await signerOf(emil), await shortly(carla), '--yes'];
    const announced = await dora.json(...announce);
    await approve(emil, announced.proposal);
    await confirmed(announced.proposal);
    const { epoch } = await team();

    const { proposal } = await dora.json('team', 'recover', '--complete', '--yes');
    await approve(emil, proposal);
    await eventually(
      () => client().proposal(proposal),
      ({ reason }) => reason?.code === 'recovery-pending',
      'the notice to be what it waits for',
    );
    expect((await team()).epoch).toBe(epoch);

    const rpc = createRpc(stack.rpcUrl);
    await rpc('evm_increaseTime', [30 * 24 * 3600]);
    await rpc('evm_mine');
    await confirmed(proposal);
    const signers = await Promise.all([dora, emil, carla].map(signerOf));
    expect(await dora.json('team', 'show')).toMatchObject({ epoch: epoch + 1, threshold: 2, signers, role: 'signer' });
    expect(await alice.json('team', 'show')).toMatchObject({ role: null });
  });
});
