// A12, A46 against the audit: nodes that say that others had approved, who make up signers of a vendor account, or hide that they have changed.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type AuditedEvent,
  type AuditSummary,
  auditFile,
  auditProduct,
  signTrustRoot,
  writeAuditFile,
} from '@firmproof/client';
import { accountInterface, registryInterface, releaseRegistryAbi, vendorAccountAbi } from '@firmproof/contracts';
import {
  type ActionMessage,
  type Address,
  type ProductId,
  parseBytes32,
  parseProductName,
  productIdOf,
  sha256,
  toHex,
  trustRootType,
  zeroAddress,
  zeroBytes32,
} from '@firmproof/protocol';
import { accountEventTopics } from '@firmproof/protocol/audit';
import { createRpc, publicKeyOf } from '@firmproof/protocol/node';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Monitored } from '../support/monitored.ts';
import { call } from '../support/relayer.ts';
import { RpcProxy } from '../support/rpc-proxy.ts';
import { destroyStack, type Stack, startStack, temporaryDirectory } from '../support/stack.ts';
import {
  approveAction,
  approveChange,
  deployAccount,
  mixedTeam,
  parametersOf,
  type TeamSigner,
  walletSigner,
} from '../support/team.ts';

type Log = { topics: string[]; data: string; transactionHash: string };
type Sent = { hash: string; to: string; input: string };
type Wire = RpcProxy['lie'];

const founders = mixedTeam();
const second = [walletSigner(), walletSigner(), walletSigner()] as const;
const third = mixedTeam();
const recoverers = [walletSigner(), walletSigner()] as const;
const laterRecoverers = [walletSigner(), walletSigner()] as const;
const strangers = mixedTeam();
const keysOf = (team: readonly TeamSigner[]) => team.map(({ signer }) => signer);
const word = () => parseBytes32(toHex(randomBytes(32)));
const deadline = Math.floor(Date.now() / 1000) + 90 * 86_400;

let stack: Stack;
let account: Address;
let product: ProductId;
let wires: readonly RpcProxy[];
/** The one that lies. */
let liar: RpcProxy;
let directory: string;
const releases: ActionMessage<'Publish'>[] = [];

const registry = () => ({ address: stack.info.registry, abi: releaseRegistryAbi });
const at = (epoch: number) => ({ account, epoch });
const change = (name: string, ...args: readonly unknown[]) =>
  call(stack, { address: account, abi: vendorAccountAbi }, name, args);

async function publish(by: readonly TeamSigner[], epoch: number) {
  const version = `1.${releases.length}.0`;
  const more = { version, image: word(), attestation: word(), rollbackIndex: 0, epoch: 1, deadline };
  const message = { product, ...more } as ActionMessage<'Publish'>;
  releases.push(message);
  await call(stack, registry(), 'publish', [
    ...Object.values(message),
    approveAction(stack.info, at(epoch), by, 'Publish', message),
  ]);
}

function recovery(team: readonly TeamSigner[], epoch: number, by: readonly TeamSigner[]) {
  const message = { signers: keysOf(team), threshold: 2, passkeysAlone: false, epoch, deadline };
  const signed = (side: readonly TeamSigner[]) =>
    approveChange(stack.info.chainId, at(epoch - 1), side, 'Recover', message);
  return { values: Object.values(message), approval: signed(by), proof: signed(team.slice(0, 2)) };
}

beforeAll(async () => {
  stack = await startStack();
  directory = temporaryDirectory();
  const { chainId } = stack.info;
  const recoverySigners = { recoverySigners: keysOf(recoverers), recoveryThreshold: 2 };
  account = await deployAccount(stack, parametersOf(founders, 2, recoverySigners));
  product = productIdOf(chainId, stack.info.registry, account, 'hub' as never);
  const more = { guardian: zeroAddress, delay: 0, trustRoot: word(), predecessor: zeroBytes32, deadline };
  const message = { publisher: account, name: 'hub', ...more } as ActionMessage<'Register'>;
  const approval = approveAction(stack.info, at(1), founders.slice(1), 'Register', message);
  await call(stack, registry(), 'register', [...Object.values(message), approval]);
  await publish(founders.slice(0, 2), 1);
  const set = { signers: keysOf(second), threshold: 2, passkeysAlone: false, epoch: 2, deadline };
  const sides = [founders.slice(0, 2), second].map((by) => approveChange(chainId, at(1), by, 'SetSigners', set));
  await change('setSigners', ...Object.values(set), ...sides);
  await publish(second.slice(0, 2), 2);
  const others = { signers: keysOf(laterRecoverers), threshold: 2, epoch: 2, deadline };
  const by = approveChange(chainId, at(2), second.slice(1), 'SetRecovery', others);
  await change('setRecovery', ...Object.values(others), by);
  await publish(second, 3);
  const recovered = recovery(third, 4, laterRecoverers);
  await change('scheduleRecovery', ...recovered.values, recovered.approval);
  const rpc = createRpc(stack.rpcUrl);
  await rpc('evm_increaseTime', [30 * 86_400 + 60]);
  await rpc('anvil_mine', ['0x1']);
  await change('recover', ...recovered.values, recovered.proof);
  await publish(third.slice(0, 2), 4);
  const again = recovery(strangers, 5, laterRecoverers);
  await change('scheduleRecovery', ...again.values, again.approval);
  await rpc('anvil_mine', ['0x3']);
  liar = await RpcProxy.start(stack.rpcUrl);
  wires = [liar, await RpcProxy.start(stack.rpcUrl), await RpcProxy.start(stack.rpcUrl)];
});
afterEach(() => {
  for (const wire of wires) wire.honest();
});
afterAll(async () => {
  for (const wire of wires) await wire.stop();
  rmSync(directory, { recursive: true, force: true });
  await destroyStack(stack);
});

/** What an auditor holds: the chain names another one here. */
function heldRoot() {
  const { chainId, registry, witnesses } = stack.info;
  const members = witnesses.map(({ operator, publicKey }) => ({ operator, publicKey: publicKey as never }));
  const rootKey = generateKeyPairSync('ed25519').privateKey;
  const buildKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const place = { product, name: parseProductName('hub'), chainId, registry };
  const keys = { buildKeys: [publicKeyOf(buildKey)], rootKeys: { threshold: 1, keys: [publicKeyOf(rootKey)] } };
  const rest = { type: trustRootType, version: 1, maxAgeSeconds: 604_800, witnesses: { quorum: 2, members } } as const;
  return signTrustRoot({ ...place, ...keys, ...rest }, [rootKey]);
}

const found = ({ findings }: AuditSummary) =>
  findings.map(({ code, severity, sequence }) => `${severity} ${code}${sequence ? ` ${sequence}` : ''}`).toSorted();
const honest = ['bad recovery-pending', ...Array(3).fill('warn signers-changed')];

const verdictOf = ({ epoch, quorum, signersBy }: AuditedEvent['approval']) => [epoch, quorum, signersBy];

/** What an audit of the first so many nodes comes to. */
async function audited(nodes: number, more: { readonly stateDirectory?: string; readonly file?: string } = {}) {
  const rpcUrls = wires.slice(0, nodes).map(({ url }) => url);
  const { file, ...options } = more;
  using audit = await auditProduct({ rpcUrls, registry: stack.info.registry, product, ...options });
  if (file) writeAuditFile(audit, file);
  const approvals = [...audit.events()].map(({ approval }) => verdictOf(approval));
  return { findings: found(audit.summary), approvals, summary: audit.summary };
}

const proven = [
  [1, 'reached', 'address'],
  [1, 'reached', 'address'],
  [2, 'reached', 'signed'],
  [3, 'reached', 'signed'],
  [4, 'reached', 'signed'],
];

/** Says of a release's transaction that others have approved it, at an epoch of the account. */
const foreign =
  (index: number, epoch: number, by: readonly TeamSigner[] = strangers): Wire =>
  ({ method }, result) => {
    const message = releases[index];
    const { input } = (result ?? {}) as Sent;
    if (method !== 'eth_getTransactionByHash' || !message || !input?.includes(message.image.slice(2))) return result;
    const approval = approveAction(stack.info, at(epoch), by.slice(0, 2), 'Publish', message);
    const data = registryInterface.encodeFunctionData('publish', [...Object.values(message), approval]);
    return { ...(result as Sent), input: data };
  };
const isAccountLog = (log: Log) => Object.values<string>(accountEventTopics).includes(log.topics[0] ?? '');
const logs =
  (lie: (log: Log) => readonly Log[]): Wire =>
  ({ method }, result) =>
    method === 'eth_getLogs' ? (result as Log[]).flatMap((log) => (isAccountLog(log) ? lie(log) : [log])) : result;
const both =
  (...lies: readonly Wire[]): Wire =>
  (asked, result) =>
    lies.reduce((told, lie) => lie(asked, told), result);
const epochOf = ({ topics }: Log) => (topics[0] === accountEventTopics['signers-set'] ? Number(topics[1]) : null);
/** The log of a set, saying that it was of the strangers. */
const ofStrangers = (log: Log, epoch: number): Log => {
  const values = [epoch, keysOf(strangers), 2, false];
  const { topics, data } = accountInterface.encodeEventLog('SignersSet', values);
  return { ...log, topics: [...topics] as string[], data };
};

describe('the keys of a team', () => {
  test('are proven from one node: by the address, then by those who signed for each change', async () => {
    const { approvals, findings, summary } = await audited(1, { file: join(directory, 'audit.jsonl') });
    expect(approvals).toEqual(proven);
    expect(findings).toEqual(honest);
    const changes = summary.findings.filter(({ code }) => code === 'signers-changed').map(({ message }) => message);
    expect(changes[0]).toMatch(/now 2 of 3.*signer epoch 2 since block \d+; approved by .+, /);
    expect(changes[2]).toMatch(/by recovery \(now 2 of 3\).*signer epoch 4/);
  });

  test('are proven from a file as well, and from nothing that was taken out of it or changed', async () => {
    const remade = async (change: (line: string) => string | null) => {
      const lines = readFileSync(join(directory, 'audit.jsonl'), 'utf8').trimEnd().split('\n').slice(0, -1);
      const kept = lines.map(change).filter((line) => line !== null);
      const body = kept.map((line) => `${line}\n`).join('');
      const end = { kind: 'end', lines: kept.length + 1, sha256: sha256(Buffer.from(body)) };
      writeFileSync(join(directory, 'remade.jsonl'), `${body}${JSON.stringify(end)}\n`);
      using audit = await auditFile(join(directory, 'remade.jsonl'));
      const approvals = [...audit.events()].map(({ approval }) => verdictOf(approval));
      // These releases have no attestations, and nobody has given a trust root.
      const findings = found(audit.summary).filter((finding) => !/no-quorum|attestation-missing/.test(finding));
      return { findings, approvals };
    };
    const is = (kind: string, line: string) => line.startsWith(`{"kind":"${kind}"`);
    expect(await remade((line) => line)).toEqual({ findings: honest, approvals: proven });
    // As older files are.
    const older = await remade((line) => (is('account', line) || is('account-change', line) ? null : line));
    expect(older.findings).toEqual([1, 2, 3, 4, 5].map((sequence) => `warn approval-unproven ${sequence}`));
    const [founder = '', stranger = ''] = [founders, strangers].map((team) => keysOf(team)[0]);
    const changed = await remade((line) => (is('account', line) ? line.replace(founder, stranger) : line));
    expect(changed.findings).toContain('bad approval-unproven');
    expect(changed.approvals.slice(0, 2)).toEqual(Array(2).fill([null, 'missed', null]));
  });

  test('are searched once, and as wide as a provider allows', async () => {
    const stateDirectory = join(directory, 'state');
    let searches = 0;
    liar.limit = (calls) => {
      for (const { method, params, id } of calls) {
        const [filter] = params as [{ address?: string; fromBlock?: string; toBlock?: string }];
        if (method !== 'eth_getLogs' || filter.address !== account) continue;
        searches += 1;
        if (Number(filter.toBlock) - Number(filter.fromBlock) >= 5)
          return { status: 200, body: JSON.stringify({ id, error: { code: -32602, message: 'at most 5 blocks' } }) };
      }
      return null;
    };
    expect((await audited(1, { stateDirectory })).approvals).toEqual(proven);
    expect(searches).toBeGreaterThan(3);
  });
});

describe('a node that says that others have approved', () => {
  test('is found out: they are no signers of the account', async () => {
    liar.lie = foreign(0, 1);
    const { findings, approvals } = await audited(1);
    expect(findings).toEqual(['bad approval-unproven 2', ...honest].toSorted());
    expect(approvals[1]).toEqual([1, 'missed', 'address']);
  });

  test('is found out where it makes up that they were signers: later, instead of others, or from the start', async () => {
    liar.lie = both(
      foreign(4, 5),
      foreign(3, 4),
      logs((log) => (epochOf(log) === 4 ? [log, ofStrangers(log, 5)] : [log])),
    );
    expect((await audited(1)).findings).toEqual(
      ['bad approval-unproven 5', 'bad nodes-disagree', ...honest].toSorted(),
    );
    liar.lie = both(
      foreign(1, 2),
      logs((log) => [epochOf(log) === 2 ? ofStrangers(log, 2) : log]),
    );
    expect((await audited(1)).findings).toEqual(['bad approval-unproven 3', ...honest].toSorted());
    liar.lie = both(
      foreign(0, 1),
      logs((log) => [epochOf(log) === 1 ? ofStrangers(log, 1) : log]),
    );
    const { findings, approvals } = await audited(1);
    expect(findings).toContain('bad approval-unproven 2');
    expect(approvals[1]).toEqual([null, 'missed', null]);
  });

  test('is found out where it forges the transaction in which they became signers', async () => {
    const set = { signers: keysOf(strangers), threshold: 2, passkeysAlone: false, epoch: 2, deadline };
    const bySide = (by: readonly TeamSigner[]) => approveChange(stack.info.chainId, at(1), by, 'SetSigners', set);
    // Signed by the new ones on both sides, or by one of two of the old.
    for (const old of [strangers.slice(1), founders.slice(0, 1)]) {
      const data = accountInterface.encodeFunctionData('setSigners', [
        ...Object.values(set),
        bySide(old),
        bySide(strangers),
      ]);
      const forged: Wire = ({ method }, result) =>
        method === 'eth_getTransactionByHash' && (result as Sent | null)?.input.startsWith(data.slice(0, 10))
          ? { ...(result as Sent), input: data }
          : result;
      liar.lie = both(
        forged,
        foreign(1, 2),
        logs((log) => [epochOf(log) === 2 ? ofStrangers(log, 2) : log]),
      );
      const { findings, approvals, summary } = await audited(1);
      expect(findings).toContain('bad approval-unproven 3');
      expect(approvals[2]).toEqual([null, 'missed', null]);
      const told = summary.findings.find(({ code }) => code === 'nodes-disagree')?.message;
      expect(told).toMatch(/nobody who could has signed for what is shown as signer epoch 2/);
    }
  });

  test('with a signature of signers that are gone is found out', async () => {
    liar.lie = foreign(1, 1, founders);
    expect((await audited(1)).findings).toEqual(['bad approval-unproven 3', ...honest].toSorted());
  });
});

describe('a node that hides a change of signers', () => {
  test('is found out by what storage holds, and what cannot be proven then is said', async () => {
    liar.lie = logs((log) => (epochOf(log) === 2 ? [] : [log]));
    const file = join(directory, 'hidden.jsonl');
    const { findings, approvals } = await audited(1, { file });
    expect(findings).toContain('bad nodes-disagree');
    expect(findings.filter((finding) => finding.startsWith('bad approval-unproven'))).toEqual([
      'bad approval-unproven 3',
      'bad approval-unproven 4',
    ]);
    expect(approvals.at(-1)).toEqual([4, 'reached', 'storage']);
    // Storage of a block that no witness vouches for proves nothing to whoever wants witnesses: anybody can make one up.
    using offline = await auditFile(file, { trustRoot: heldRoot() });
    expect([...offline.events()].map(({ approval }) => verdictOf(approval)).at(-1)).toEqual([4, 'reached', 'shown']);
    const together = await audited(3);
    expect(together.findings).toEqual(honest);
    expect(together.approvals).toEqual(proven);
  });

  test('or shows one that went through another contract leaves it as its word', async () => {
    liar.lie = ({ method }, result) => {
      const sent = (result ?? {}) as Sent;
      const isChange = sent.input?.startsWith(accountInterface.getFunction('setSigners')?.selector ?? '');
      return method === 'eth_getTransactionByHash' && isChange ? { ...sent, to: zeroAddress } : result;
    };
    const { findings, approvals, summary } = await audited(1);
    expect(findings).toEqual([...honest, 'warn approval-unproven'].toSorted());
    expect(approvals.slice(2).map(([, , by]) => by)).toEqual(['shown', 'shown', 'storage']);
    expect(summary.findings.find(({ code }) => code === 'approval-unproven')?.message).toMatch(
      /shown by 1 node, not proven/,
    );
  });
});

test('a monitor does not believe it either', async () => {
  const expectedSigners = [founders, second, third, strangers].flatMap(keysOf);
  const watched = { product, chainId: stack.info.chainId, registry: stack.info.registry, expectedSigners };
  const monitored = await Monitored.start({ rpc: [liar.url], quorum: 1, products: [watched] });
  try {
    liar.lie = foreign(1, 2);
    const { alerts } = await monitored.once(true);
    expect(alerts.map(({ code }) => code)).toContain('recovery-pending');
    const unproven = monitored.fresh().filter(({ code }) => code === 'approval-unproven');
    expect(unproven).toMatchObject([{ severity: 'bad', sequence: 3 }]);
  } finally {
    await monitored.stop();
    rmSync(monitored.directory, { recursive: true, force: true });
  }
});
