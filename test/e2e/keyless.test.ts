// A release that CI signs without a key, from the command line to a device: Fulcio, Rekor and the timestamp authority of
// @sigstore/mock, real ID tokens, a team that approves.
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  auditProduct,
  ContentSource,
  dropBuildKey,
  FirmproofClient,
  keylessAttester,
  liveAttestations,
  nextTrustRoot,
  setKeyless,
} from '@firmproof/client';
import { type ErrorCode, parseAttestation, parseEvidence, sha256 } from '@firmproof/protocol';
import { publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { reviewOf } from '../../client/src/proposal-review.ts';
import { Ci } from '../support/ci.ts';
import { firmproofAgent, runCommand } from '../support/command.ts';
import { makeDevice } from '../support/device.ts';
import { expectCode } from '../support/expect-code.ts';
import { Monitored } from '../support/monitored.ts';
import { type Claims, github, githubRun } from '../support/oidc-issuer.ts';
import { eventually, makeVendor, stable, temporaryDirectory } from '../support/stack.ts';
import { cycloneDx } from '../support/supply-chain.ts';

let ci: Ci;
let directory: string;
const image = randomBytes(1_300_000);

beforeAll(async () => {
  ci = await Ci.open();
  directory = temporaryDirectory();
  writeFileSync(join(directory, 'firmware.bin'), image);
});
afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await ci.close();
});

const buildScript = new URL('../../device-agent/scripts/build.ts', import.meta.url).pathname;
const bundledAgent = new URL('../../device-agent/dist/firmproof-agent.mjs', import.meta.url).pathname;

const publish = (product: string) => ['publish', join(directory, 'firmware.bin'), '--keyless', '--product', product];

async function fails(
  code: ErrorCode,
  exitCode: number,
  args: readonly string[],
  environment: Record<string, string> = {},
  claims?: Claims,
) {
  const outcome = await ci.command(args, environment, claims);
  expect(JSON.parse(outcome.stderr)).toMatchObject({ code, hint: expect.stringMatching(/\S/) });
  expect(outcome).toMatchObject({ code: exitCode, stdout: '' });
  return outcome;
}

describe('a team whose releases CI signs', () => {
  test('publishes from a job without any stored secret, and a device proves and installs it', async () => {
    const team = await ci.team('lamp');
    const sbom = join(directory, 'lamp.cdx.json');
    writeFileSync(sbom, JSON.stringify(cycloneDx([{ name: 'zlib', version: '1.3' }])));
    const attached = ['--sbom', sbom, '--severity', 'low'];
    const done = await ci.command([...publish('lamp'), '--version', '1.0.0', '--channel', 'stable', ...attached]);
    expect(done.stderr).toBe('');
    expect(done.code).toBe(0);
    const proposed = JSON.parse(done.stdout);
    expect(proposed).toMatchObject({
      product: team.product,
      version: '1.0.0',
      image: { digest: sha256(image) },
      documents: [{ kind: 'sbom', digest: sha256(readFileSync(sbom)) }],
      state: 'approving',
      proposal: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      promotion: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    });
    // Who approves sees that the identity of the trust root has signed.
    const known = { registry: null, trustRoot: team.trustRoot };
    const { review } = await reviewOf(team.vendor.client, ci.stack.info, proposed.proposal, known);
    expect(review.checks).toContainEqual({
      name: "The attestation's signature",
      outcome: 'passed',
      text: 'An identity of the trust root here has signed it.',
    });
    // They see its documents, and need no token for it.
    expect(review.checks).toContainEqual(expect.objectContaining({ name: 'The documents', outcome: 'passed' }));
    await team.approve(proposed.proposal);
    await team.approve(proposed.promotion);

    const device = makeDevice(team.trustRoot, [ci.stack.url]);
    try {
      await eventually(
        async () => (await device.check()).verdict,
        ({ outcome }) => outcome === 'update',
        'the update',
      );
      // The agent as one minified file knows Sigstore too.
      expect(spawnSync(process.execPath, [buildScript]).status).toBe(0);
      const checked = await runCommand(bundledAgent, ['check', '--config', device.configFile]);
      expect(checked.stdout).toContain('update: 1.0.0 is proven');
      const installed = await runCommand(firmproofAgent, ['install', '--config', device.configFile]);
      expect(installed.stdout).toContain('installed: 1.0.0 runs and is confirmed');
      expect(device.running()).toBe(sha256(image));
    } finally {
      device.destroy();
    }
    const evidence = parseEvidence(await team.vendor.client.evidence(team.product, stable));
    expect(evidence.sigstoreTrustedRoot).toBe(ci.sigstore.trustedRoot);
    expect(await team.vendor.client.sigstoreRoot(team.product)).toBe(ci.sigstore.trustedRoot);
    expect(parseAttestation(evidence.release?.attestation ?? '')).toMatchObject({ kind: 'keyless' });

    // An auditor sees which keys of the team have approved, and which identity has signed.
    using audit = await auditProduct({
      rpcUrls: [ci.stack.rpcUrl],
      registry: ci.stack.info.registry,
      product: team.product,
      client: team.vendor.client,
      sources: [new ContentSource(ci.stack.url)],
      fetch: true,
    });
    expect(audit.summary).toMatchObject({ complete: true, findings: [], basis: { witnesses: { trustRoot: 'chain' } } });
    const [released] = audit.releases();
    const [identity] = team.trustRoot.sigstore?.identities ?? [];
    expect(released).toMatchObject({
      version: '1.0.0',
      approval: { form: 'vendor-account', epoch: 1, quorum: 'reached' },
      signature: { state: 'trusted', by: { kind: 'identity', ...identity } },
      statement: { documents: [{ kind: 'sbom', availableIn: 1 }] },
      availability: [{ attestation: 'available', image: 'available' }],
    });
    expect(released?.approval.signers.length).toBeGreaterThan(1);
    expect(released?.approval.signers.every(({ valid }) => valid)).toBe(true);

    // A monitor verifies the same: nothing to tell, and nothing that it could not judge.
    const { chainId, registry } = ci.stack.info;
    const monitored = await Monitored.start({
      rpc: [ci.stack.rpcUrl],
      server: ci.stack.url,
      products: [{ product: team.product, chainId, registry }],
    });
    try {
      expect(await monitored.look()).toEqual([]);
      expect(monitored.notes).toEqual([]);
    } finally {
      await monitored.stop();
      rmSync(monitored.directory, { recursive: true, force: true });
    }
  });

  test('follows examples/publish-keyless.yml, in which no secret is', async () => {
    const example = readFileSync(new URL('../../examples/publish-keyless.yml', import.meta.url), 'utf8');
    expect(example).toMatch(/^permissions:\n {2}contents: read\n {2}id-token: write$/m);
    expect(example).not.toMatch(/secrets|PASSPHRASE|TOKEN/);
    const named = /--keyless-identity (\S+)/.exec(example)?.[1] ?? '';
    expect(named.replace('OWNER/REPOSITORY', 'acme/lamp')).toBe(ci.run.identity);
    const [step = '', ...more] = [...example.matchAll(/^ +- run: (npx firmproof .*)$/gm)].map((match) => match[1]);
    expect(more).toEqual([]);
    const team = await ci.team('prime-hub');
    symlinkSync(new URL('../../node_modules', import.meta.url).pathname, join(directory, 'node_modules'));
    writeFileSync(join(directory, 'VERSION'), '7.28.0\n');
    const { stdout } = await promisify(execFile)('sh', ['-e', '-c', `${step} --json`], {
      cwd: directory,
      env: { ...process.env, ...ci.jobEnvironment(), FIRMPROOF_HOME: join(directory, 'home') },
    });
    const proposed = JSON.parse(stdout);
    expect(proposed).toMatchObject({ product: team.product, version: '7.28.0', channel: 'stable', state: 'approving' });
    expect((await team.approve(proposed.proposal)).state).toBe('confirmed');
    expect((await team.approve(proposed.promotion)).state).toBe('confirmed');
  });

  test('needs no timestamp authority where the log promises a time', async () => {
    const team = await ci.team('rekor-only');
    const { code, stdout } = await ci.command([...publish('rekor-only'), '--version', '1.0.0'], {
      FIRMPROOF_TIMESTAMP_URL: '',
    });
    expect(code).toBe(0);
    expect((await team.approve(JSON.parse(stdout).proposal)).state).toBe('confirmed');
  });

  test('logs in by itself, or with a token that it is given, or that login --oidc has kept', async () => {
    const team = await ci.team('logins');
    const home = temporaryDirectory();
    const kept = { FIRMPROOF_HOME: home };
    const login = await ci.command(['login', '--oidc', '--product', 'logins'], kept);
    expect(JSON.parse(login.stdout)).toMatchObject({ product: team.product, publisher: team.vendor.account });
    const without = { ACTIONS_ID_TOKEN_REQUEST_URL: '' };
    const idToken = ci.issuer.token({ ...ci.run.claims, aud: 'sigstore' });
    const signing = { ...without, SIGSTORE_ID_TOKEN: idToken };
    const again = await ci.command([...publish('logins'), '--version', '1.0.0'], { ...kept, ...signing });
    expect(again).toMatchObject({ code: 0, stderr: '' });
    const { token } = Object.values(JSON.parse(readFileSync(join(home, 'tokens.json'), 'utf8')))[0] as {
      token: string;
    };
    const given = await ci.command([...publish('logins'), '--version', '1.0.1'], {
      ...signing,
      FIRMPROOF_TOKEN: token,
    });
    expect(given.code).toBe(0);
    const byVariable = {
      ...signing,
      FIRMPROOF_ID_TOKEN: ci.issuer.token({ ...ci.run.claims, aud: new URL(ci.stack.url).origin }),
    };
    expect((await ci.command([...publish('logins'), '--version', '1.0.2'], byVariable)).code).toBe(0);
    // One ID token is for one purpose: that of Fulcio opens nothing here.
    await fails('oidc-token-invalid', 4, [...publish('logins'), '--version', '1.0.3'], signing);
    rmSync(home, { recursive: true, force: true });
  });
});

describe('a product that gives up its build key', () => {
  test('names an identity in the next trust root, and devices follow', async () => {
    const { vendor, product, trustRoot, buildKey, rootKey, publish, promote } = await makeVendor(ci.stack, {
      name: 'moving',
    });
    const device = makeDevice(trustRoot, [ci.stack.url]);
    const proves = (version: string) =>
      eventually(
        async () => (await device.check()).verdict,
        (verdict) => verdict.outcome === 'update' && verdict.release.version === version,
        version,
      );
    await publish('1.0.0', randomBytes(1000));
    await promote('1.0.0');
    await proves('1.0.0');
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '1.0.0' });

    // Another text than the server has from the other products here, and so another digest.
    const sigstoreTrustedRoot = `${ci.sigstore.trustedRoot}\n`;
    const { identities } = ci.trust;
    const live = await liveAttestations(vendor.client, product, publicKeyOf(buildKey));
    const accepted = live.map(({ attestation }) => attestation);
    const changes = [
      setKeyless({ identities, trustedRoot: sigstoreTrustedRoot }),
      dropBuildKey(publicKeyOf(buildKey), accepted),
    ];
    const next = nextTrustRoot(trustRoot, changes, [rootKey]);
    await expectCode('sigstore-root-missing', () => vendor.configure(product, { trustRoot: next }));
    await vendor.client.follow((await vendor.configure(product, { trustRoot: next, sigstoreTrustedRoot })).id);
    await vendor.client.follow((await vendor.applyConfiguration(product)).id);

    await expectCode('attestation-key-unknown', () => publish('2.0.0', randomBytes(1000)));
    const attester = keylessAttester(ci.sigstore.services, async (aud) => ci.issuer.token({ ...ci.run.claims, aud }));
    await publish('2.0.0', randomBytes(1000), {}, attester);
    await promote('2.0.0');
    await proves('2.0.0');
    expect(await device.install()).toMatchObject({ outcome: 'installed', version: '2.0.0' });
    expect((await device.status()).trustRootVersion).toBe(2);
    device.destroy();
  });
});

describe('publish --keyless says what is wrong, and exits as documented', () => {
  const release = (...more: string[]) => [...publish('refusals'), '--version', '1.0.0', ...more];
  const nowhere = { ACTIONS_ID_TOKEN_REQUEST_URL: '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: '' };
  let given: { FIRMPROOF_TOKEN: string };
  beforeAll(async () => {
    const team = await ci.team('refusals');
    const client = new FirmproofClient({ server: ci.stack.url });
    const idToken = ci.issuer.token({ ...ci.run.claims, aud: new URL(ci.stack.url).origin });
    given = { FIRMPROOF_TOKEN: (await client.loginWithIdToken(idToken, team.product)).token };
  });

  test('no identity of CI', async () => {
    await fails('ci-identity-missing', 4, release(), nowhere);
    await fails('ci-identity-missing', 4, release(), { ...nowhere, ...given });
    await fails('ci-identity-missing', 4, ['login', '--oidc', '--product', 'refusals'], nowhere);
  });

  test('an ID token that cannot be read, without showing it', async () => {
    const secret = `x.${Buffer.from('not JSON, but secret').toString('base64url')}.x`;
    const { stderr } = await fails('ci-identity-missing', 4, release(), {
      ...nowhere,
      ...given,
      SIGSTORE_ID_TOKEN: secret,
    });
    expect(stderr).not.toContain(secret);
  });

  test('another workflow than the trust root names', async () => {
    const claims = { job_workflow_ref: 'acme/lamp/.github/workflows/test.yml@refs/heads/main' };
    await fails('oidc-identity-unknown', 4, release(), {}, claims);
    await fails('identity-mismatch', 3, release(), given, claims);
  });

  test('Fulcio that refuses, that does not answer, or that would get the ID token in the clear', async () => {
    const { stderr } = await fails('sigstore-unavailable', 7, release('--identity-audience', 'somebody'), given);
    expect(JSON.parse(stderr).message).toContain('Fulcio gives no certificate: (400)');
    await fails('sigstore-unavailable', 7, release('--fulcio-url', 'http://127.0.0.1:1'), given);
    await fails('sigstore-unavailable', 7, release('--rekor-url', `${ci.stack.url}`), given);
    await fails('usage-invalid', 2, release('--fulcio-url', 'http://fulcio.example.com'), given);
    await fails('usage-invalid', 2, release('--timestamp-url', 'timestamp.example.com'), given);
  });

  test('a dry run sends nothing', async () => {
    const { code, stdout } = await ci.command(release('--dry-run'), given);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ dryRun: true, statement: { predicate: { version: '1.0.0' } } });
  });
});

describe('one person with a development chain', () => {
  let home: string;
  let rootFile: string;
  const passphrase = { FIRMPROOF_PASSPHRASE: 'correct horse battery staple' };
  beforeAll(() => {
    home = temporaryDirectory();
    rootFile = join(home, 'sigstore.json');
    writeFileSync(rootFile, ci.sigstore.trustedRoot);
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const mine = () => ({ FIRMPROOF_HOME: join(home, 'firmproof'), ...passphrase });
  const identity = ['--keyless-identity', githubRun().identity, '--keyless-issuer', github];

  test('is told what does not go together', async () => {
    const setup = ['setup', '--solo', '--product', 'hub'];
    await fails('usage-invalid', 2, [...setup, ...identity], mine());
    await fails('usage-invalid', 2, [...setup, '--sigstore-root', rootFile], mine());
    await fails('file-not-found', 2, [...setup, ...identity, '--sigstore-root', `${rootFile}.not`], mine());
    const any = ['--keyless-identity', 'https://github.com/acme/*', '--keyless-issuer', github];
    await fails('usage-invalid', 2, [...setup, ...any, '--sigstore-root', rootFile], mine());
    const three = ['--keyless-identity', 'a', '--keyless-identity', 'b', '--keyless-identity', 'c'];
    const two = ['--keyless-issuer', github, '--keyless-issuer', github];
    await fails('usage-invalid', 2, [...setup, ...three, ...two, '--sigstore-root', rootFile], mine());
    writeFileSync(join(home, 'empty.json'), '{}');
    await fails(
      'sigstore-root-malformed',
      2,
      [...setup, ...identity, '--sigstore-root', join(home, 'empty.json')],
      mine(),
    );
  });

  test('names the identity at setup, approves with the own key, and verifies', async () => {
    const setup = await ci.command(
      ['setup', '--solo', '--product', 'hub', ...identity, '--sigstore-root', rootFile],
      mine(),
    );
    expect(setup).toMatchObject({ code: 0, stderr: '' });
    const done = await ci.command([...publish('hub'), '--version', '1.0.0', '--channel', 'stable'], mine());
    expect(done).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toMatchObject({ state: 'confirmed', transaction: expect.stringMatching(/^0x/) });
    const file = join(directory, 'firmware.bin');
    const client = new FirmproofClient({ server: ci.stack.url });
    await eventually(
      async () => parseEvidence(await client.evidence(JSON.parse(done.stdout).product, stable)),
      ({ release }) => release?.image === sha256(image),
      'evidence',
    );
    const verified = await ci.command(['verify', file, '--product', 'hub'], mine());
    expect(verified.code).toBe(0);
    expect(JSON.parse(verified.stdout)).toMatchObject({ proven: true, version: '1.0.0' });
    // The build key of this machine is not named: it cannot sign beside the identity.
    await fails('attestation-key-unknown', 3, ['publish', file, '--product', 'hub', '--version', '1.0.1'], mine());
    // In a job without the approval key nobody could approve what a single wallet publishes.
    await fails('approval-invalid', 3, [...publish('hub'), '--version', '1.0.1']);
  });
});
