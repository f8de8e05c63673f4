import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Address, FirmproofError, isFirmproofError, type ProductId, type TrustRoot } from '@firmproof/protocol';
import {
  contradictionsOf,
  type Finding,
  type ProductHistory,
  type ProductPlace,
  type ProvenProduct,
  repeatedNode,
} from '@firmproof/protocol/audit';
import type { FirmproofClient } from '../api-client.ts';
import { AccountReader } from './account-reader.ts';
import { AccountStore } from './account-store.ts';
import { Audit } from './audit.ts';
import { AuditState } from './audit-state.ts';
import { BlockReader } from './block-entries.ts';
import type { RootDocuments } from './check-attestation.ts';
import type { ContentSource } from './content-source.ts';
import { transactionsFrom } from './examine-approval.ts';
import { examineHistory } from './examine-history.ts';
import { FindingList } from './finding-list.ts';
import { proveFromNodes } from './node-proof.ts';
import { type ProvenHistory, proveHistory } from './prove-history.ts';
import type { AuditBasis, AuditedSaidLater, AuditSummary } from './report.ts';
import { RpcNode } from './rpc-node.ts';
import { type AgreedBlock, agreeOnFinalBlock, defaultQuorum } from './rpc-quorum.ts';
import { carriedByServer, SaidLater } from './said-later.ts';
import { rootDocuments, type WitnessedProof, witnessedProof } from './server-carrier.ts';
import { Sidecar } from './sidecar.ts';

export type AuditStep = 'entries' | 'approvals' | 'bytes';

export type AuditOptions = {
  /** Addresses of RPC nodes: nothing else is needed. */
  readonly rpcUrls: readonly string[];
  /** How many of them have to show the same block; all but a minority by default. */
  readonly quorum?: number | undefined;
  readonly chainId?: number | undefined;
  readonly registry: Address;
  readonly product: ProductId;
  /** From the vendor or a device image: then the witnesses that it names are compared too. */
  readonly trustRoot?: TrustRoot | null;
  /** A server that hands over proofs of witnesses, trust roots, rebuilds and advisories. It only carries. */
  readonly client?: FirmproofClient | null;
  /** nodes: walked back from event to event. server: handed over by it, and replayed against the nodes' proof. */
  readonly entriesFrom?: 'nodes' | 'server';
  /** Whether transactions are read to see who approved. */
  readonly approvals?: boolean;
  /** Where attestations and images are looked for. */
  readonly sources?: readonly ContentSource[];
  /** Whether every source is asked, and images are fetched and hashed. */
  readonly fetch?: boolean;
  /** Where to keep what was read, so that the next audit goes on from there; by default it is forgotten. */
  readonly stateDirectory?: string | undefined;
  readonly onProgress?: (step: AuditStep, done: number, total: number) => void;
};

/**
 * Replays all events of a product, walked back from block to block as the events themselves say, against a storage proof at a final
 * block that a quorum of nodes shows alike; and finds out who approved what, and what each release's attestation and content are.
 * Believes neither node nor server (docs/adr/0017-how-an-audit-walks.md). Whoever calls has to close it.
 * @throws FirmproofError `no-quorum`, `nodes-disagree`, `chain-unreachable`, `chain-unsuitable`, `chain-mismatch`, `registry-absent`,
 * `account-proof-invalid`, `storage-proof-invalid`, `product-unknown`, `audit-busy`
 */
export async function auditProduct(options: AuditOptions): Promise<Audit> {
  const { registry, product, trustRoot: held = null, client = null } = options;
  const nodes = options.rpcUrls.map((url, index) => new RpcNode(url, index + 1));
  const quorum = options.quorum ?? defaultQuorum(nodes.length);
  if (nodes.length === 0 || quorum < 1 || quorum > nodes.length)
    throw new FirmproofError(
      'usage-invalid',
      `a quorum of ${quorum} needs as many RPC nodes, ${nodes.length} are given`,
    );
  requireDistinct(options.rpcUrls);
  const findings = new FindingList();
  // Before the nodes are asked, so that they know at least as much as the server did.
  const carried = client && (await proofOfServer(client, product, findings));
  const agreed = await agreeOnFinalBlock(nodes, quorum, options.chainId ?? held?.chainId);
  const place = { chainId: agreed.block.chainId, registry, product };
  const shown = carried && (await witnessedProof(carried, place, held));
  const witnessed = shown && noted(shown, findings);
  const { proof, proven, findings: lies } = await proveFromNodes(agreed, place);
  findings.add(...agreed.findings, ...lies);
  const temporary = options.stateDirectory === undefined ? mkdtempSync(join(tmpdir(), 'firmproof-audit-')) : null;
  const state = AuditState.open(options.stateDirectory ?? temporary ?? '', place);
  try {
    const reader = new BlockReader(agreed.nodes, Math.min(quorum, agreed.nodes.length), place);
    const history = await proveHistory(state, proven, reader, {
      remember: witnessed ? [witnessed.proven.sequence] : [],
      carried: client && options.entriesFrom === 'server' ? (after) => client.history(product, after) : undefined,
      nodes: agreed.nodes.length,
      onProgress: (done, total) => options.onProgress?.('entries', done, total),
    });
    findings.add(...history.findings);
    const documents = await rootDocuments(client, product, held);
    const facts = new Sidecar(join(state.directory, 'facts'));
    facts.clear();
    const accounts = new AccountReader(agreed, new AccountStore(join(state.directory, 'accounts.json')));
    let model: ProductHistory | null = null;
    let later: SaidLater | null = null;
    const proofs = [...(witnessed ? [witnessed.proof] : [])];
    if (history.firstDifference === null) {
      const carrier = client && carriedByServer(client, product);
      later = await SaidLater.read(carrier, proven.trustRoot, documents, findings);
      const parts = { options, agreed, accounts, documents, later, findings, total: proven.sequence };
      model = await examine(state, facts, place, parts);
      const heads = await proofOfHeads(agreed, place, model, findings, lies.length > 0);
      findings.add(...accounts.findings, ...contradictions(model, heads?.proven ?? proven, place));
      proofs.unshift(heads?.proof ?? proof);
      if (witnessed && history.replay) compareWithWitnesses(history.replay, proven, witnessed, findings);
    } else proofs.unshift(proof);
    const summary = summarize(place, {
      proven,
      history,
      model,
      later,
      findings,
      basis: {
        entries: history.entries,
        nodes: { agree: agreed.nodes.map(({ label }) => label), asked: nodes.length, quorum: agreed.quorum },
        witnesses: witnessed?.witnesses ?? null,
        unwitnessed: whyUnwitnessed(client, shown),
      },
    });
    const material = {
      proofs,
      trustRoots: [...documents.trustRoots.values()].map(({ envelope }) => JSON.stringify(envelope)),
      sigstoreRoots: [...documents.sigstoreRoots.values()],
      accounts: [...accounts.records.values()],
      advisories: later?.advisoryTexts ?? [],
    };
    return new Audit({ summary, material, state, facts, model, temporary });
  } catch (error) {
    state.close();
    if (temporary !== null) rmSync(temporary, { recursive: true, force: true });
    throw error;
  }
}

function requireDistinct(urls: readonly string[]): void {
  const twice = repeatedNode(urls);
  if (twice === null) return;
  const { label } = new RpcNode(twice, urls.lastIndexOf(twice) + 1);
  throw new FirmproofError('usage-invalid', `${label} is given twice`);
}

async function proofOfServer(client: FirmproofClient, product: ProductId, findings: FindingList) {
  try {
    return await client.productProof(product);
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    const message = `the server gave no proof to compare with: ${error.message} [${error.code}]`;
    findings.add({ code: 'no-quorum', severity: 'info', message });
    return null;
  }
}

function noted(found: WitnessedProof | Finding, findings: FindingList): WitnessedProof | null {
  if ('proven' in found) return found;
  findings.add(found);
  return null;
}

function examine(
  state: AuditState,
  facts: Sidecar,
  place: ProductPlace,
  parts: {
    readonly options: AuditOptions;
    readonly agreed: AgreedBlock;
    readonly accounts: AccountReader;
    readonly documents: RootDocuments;
    readonly later: SaidLater;
    readonly findings: FindingList;
    readonly total: number;
  },
): Promise<ProductHistory> {
  const { options, agreed, accounts, documents, later, findings, total } = parts;
  const { approvals = true, sources = [], fetch = false, onProgress } = options;
  let bytes = 0;
  return examineHistory(state, facts, place, {
    transactions: approvals ? transactionsFrom(agreed.nodes, state.transactions) : null,
    signers: accounts.histories,
    means: {
      sources,
      atSeconds: agreed.block.timestamp,
      fetch,
      ...documents,
      onBytes: (more) => {
        bytes += more;
        onProgress?.('bytes', bytes, bytes);
      },
    },
    later,
    findings,
    total,
    onProgress: (done, all) => onProgress?.('approvals', done, all),
  });
}

/** As many as one proof takes (V4). */
const maximumHeads = 16;

/** What the model says otherwise than storage, or than the id of the product (V7). */
export function contradictions(model: ProductHistory, proven: ProvenProduct, place: ProductPlace): readonly Finding[] {
  return contradictionsOf(model, proven, place).map((message) => ({
    code: 'history-differs',
    severity: 'bad',
    message,
  }));
}

/** The channels and their heads, proved; null, and told, where no node proves them. */
async function proofOfHeads(
  agreed: AgreedBlock,
  place: ProductPlace,
  model: ProductHistory,
  findings: FindingList,
  isToldOf: boolean,
) {
  const heads = [...model.channels.values()].slice(0, maximumHeads);
  const of = {
    channels: heads.map(({ channel }) => channel),
    releases: [...new Set(heads.map(({ version }) => version))],
  };
  try {
    const found = await proveFromNodes(agreed, place, of);
    // Of each node once: the same false proof of the product was told before.
    if (!isToldOf) findings.add(...found.findings);
    return found;
  } catch (error) {
    if (!isFirmproofError(error)) throw error;
    const message = `heads and their releases were not compared with storage, which no node proves: ${error.message}`;
    findings.add({ code: 'no-quorum', severity: 'warn', message: message.slice(0, 500) });
    return null;
  }
}

/** Finality comes to nodes at different moments: so far behind the witnesses one may be without anybody hiding something. */
const ordinaryLagSeconds = 900;

/** What the witnesses vouch for has to lie on the way that was replayed. */
function compareWithWitnesses(
  replay: NonNullable<ProvenHistory['replay']>,
  proven: ProvenProduct,
  witnessed: Pick<WitnessedProof, 'proven'>,
  findings: FindingList,
): void {
  const { sequence, history, block } = witnessed.proven;
  if (sequence <= proven.sequence) {
    if (replay.at(sequence) === history) return;
    const message = `the witnesses vouch for history ${history} at event ${sequence}, the nodes show ${replay.at(sequence)}`;
    findings.add({ code: 'history-differs', severity: 'bad', sequence, message });
    return;
  }
  const behind = block.timestamp - proven.block.timestamp;
  const isLate = block.number > proven.block.number && behind <= ordinaryLagSeconds;
  const message = `the witnesses vouch for ${sequence} events at block ${block.number}, the nodes know ${proven.sequence} at block ${proven.block.number}, ${behind} seconds before: ${isLate ? 'audit again in a while' : 'they are stuck, or hide what is newer'}`;
  findings.add({ code: 'nodes-disagree', severity: isLate ? 'warn' : 'bad', sequence, message });
}

function whyUnwitnessed(client: FirmproofClient | null, shown: WitnessedProof | Finding | null): string | null {
  if (shown !== null) return 'message' in shown ? shown.message : null;
  return client === null ? 'no server was asked for their signatures' : 'the server gave no proof';
}

/** Of an incomplete history no release is proven, so that there is nothing to say about. */
const nothingSaid: AuditedSaidLater = {
  from: null,
  unchecked: 'the history is incomplete',
  rebuilders: [],
  advisories: null,
  passedOver: { rebuilds: 0, advisories: 0 },
};

/** Puts together what an audit has come to. */
export function summarize(
  { chainId, registry, product }: ProductPlace,
  parts: {
    readonly proven: ProvenProduct;
    readonly history: Pick<ProvenHistory, 'replay' | 'firstDifference'>;
    readonly model: ProductHistory | null;
    readonly later: SaidLater | null;
    readonly findings: FindingList;
    readonly basis: AuditBasis;
  },
): AuditSummary {
  const { proven, history, model, later, findings, basis } = parts;
  const firstDifference = history.firstDifference && {
    ...history.firstDifference,
    message: history.firstDifference.message.slice(0, 500),
  };
  if (firstDifference) {
    const { sequence, message } = firstDifference;
    findings.add({ code: 'history-incomplete', severity: 'bad', sequence, message });
  }
  const { block, sequence, publisher, guardian, delaySeconds, epoch, trustRoot } = proven;
  return {
    product,
    name: model?.name ?? null,
    chainId,
    registry,
    complete: firstDifference === null,
    firstDifference,
    basis,
    block,
    sequence,
    history: proven.history,
    replayedHistory: history.replay?.history ?? null,
    publisher,
    guardian,
    delaySeconds,
    epoch,
    trustRoot,
    pending: model?.pending ? { sequence: model.pending.sequence, pendingFrom: model.pending.pendingFrom } : null,
    releaseCount: model?.releases.size ?? 0,
    channels: [...(model?.channels.values() ?? [])].map(({ channel, version, halted }) => ({
      channel,
      version,
      halted,
    })),
    saidLater: later?.summary ?? nothingSaid,
    findings: findings.settled(model),
    moreFindings: findings.more,
  };
}
