import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { vendorAccountFactoryAddress } from '@firmproof/contracts';
import { FirmproofError, parseAddress, type ServerInfo } from '@firmproof/protocol';
import { createWitness, type Witness } from '@firmproof/protocol/node';
import pino, { type Logger } from 'pino';
import { createDeviceAnchors } from './anchors/device-anchors.ts';
import { createDeviceLists } from './anchors/device-lists.ts';
import { createCosignatures } from './audit/cosignatures.ts';
import { createAuditHistory } from './audit/history.ts';
import { createProductProofs } from './audit/product-proofs.ts';
import { createAccounts } from './chain/accounts.ts';
import { createContracts } from './chain/contracts.ts';
import { createDeviceAnchor } from './chain/device-anchor.ts';
import { createIndexer } from './chain/indexer.ts';
import { createRegistry } from './chain/registry.ts';
import { createRelayer } from './chain/relayer.ts';
import { type Chain, openChain } from './chain/setup.ts';
import { type Config, configurationDigest } from './config.ts';
import { lockDataDirectory } from './data-directory.ts';
import { openDatabase } from './database/database.ts';
import { createDevices } from './devices/devices.ts';
import { createDocuments } from './documents/documents.ts';
import { createEngine } from './engine.ts';
import { createAttachments } from './evidence/attachments.ts';
import { createEvidenceService } from './evidence/evidence-service.ts';
import { createStops } from './evidence/stops.ts';
import { httpWitness, type WitnessSource } from './evidence/witness-client.ts';
import { createApp } from './http/app.ts';
import { createTokens } from './http/authentication.ts';
import { createMetrics } from './http/metrics.ts';
import { pagesDirectory, pagesRouter } from './http/pages.ts';
import { createUploadQuota } from './http/upload-quota.ts';
import { createUploads } from './http/uploads.ts';
import { createGateway } from './images/gateway.ts';
import { createImageAccess } from './images/image-access.ts';
import { createImageStore } from './images/image-store.ts';
import { createRefusals } from './log/refusals.ts';
import { rejectionsTo } from './log/rejections.ts';
import { createServerLog } from './log/server-log.ts';
import { createIssuer } from './oidc/issuer.ts';
import { createOidcLogin } from './oidc/oidc-login.ts';
import { createApprovals } from './proposals/approvals.ts';
import { createIntake } from './proposals/intake.ts';
import { createProposalStore } from './proposals/proposal-store.ts';
import { createProposalWorker } from './proposals/proposal-worker.ts';
import { createTrustRoots } from './proposals/trust-roots.ts';
import { createAdvisories } from './said-later/advisories.ts';
import { createRebuilds } from './said-later/rebuilds.ts';
import { createTokenStore } from './tokens/token-store.ts';
import { chainEventsTo } from './webhooks/chain-events.ts';
import { flagsTo, proposalEventsTo } from './webhooks/other-events.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

const embeddedWitnessCount = 3;
const embeddedPollMilliseconds = 150;

export type RunningServer = {
  readonly url: string;
  /** The origin that vendors and devices see, where the operator has named one. */
  readonly publicUrl: string | undefined;
  readonly hasPages: boolean;
  readonly info: ServerInfo;
  readonly rpcUrl: string;
  readonly ready: Promise<void>;
  stop(): Promise<void>;
};

const nowSeconds = () => Math.floor(Date.now() / 1000);

/**
 * The composition root: opens everything that the configuration names, in order, and closes it in the other order.
 * @throws FirmproofError `data-directory-in-use`, `port-in-use`, `chain-unreachable`, `chain-unsuitable`, `config-invalid`
 */
export async function startServer(config: Config): Promise<RunningServer> {
  const closing: (() => Promise<unknown> | unknown)[] = [];
  const stop = async () => {
    for (const close of closing.reverse().splice(0)) await close();
  };
  try {
    return await open(config, closing, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function open(
  config: Config,
  closing: (() => Promise<unknown> | unknown)[],
  stop: () => Promise<void>,
): Promise<RunningServer> {
  const log = pino({ level: config.logLevel, redact: ['req.headers.authorization'] });
  closing.push(lockDataDirectory(config.dataDirectory));
  const chain = await openChain(config);
  closing.push(() => chain.stop());
  const database = await openDatabase(join(config.dataDirectory, 'firmproof.sqlite'));
  closing.push(() => database.destroy());
  const store = createImageStore(join(config.dataDirectory, 'blocks'));
  await store.open();
  const access = createImageAccess(database, store);
  const documents = createDocuments({ database, store, nowSeconds });
  await access.dropUnused();
  await documents.dropUnused();
  await store.collectGarbage(new Set([...(await access.pinned()), ...(await documents.pinned())]));

  const { rpc, chainId, registry: address } = chain;
  const registry = createRegistry({ rpc, chainId, address });
  const accounts = createAccounts(rpc);
  const anchor = createDeviceAnchor({ rpc, registry: address });
  const anchors = createDeviceAnchors({
    database,
    lists: createDeviceLists(join(config.dataDirectory, 'device-lists')),
  });
  await anchors.dropUnusedLists();
  const contracts = createContracts({ rpc, registry, accounts, anchor });
  const relayer = createRelayer({ rpc, chainId, privateKey: chain.relayerKey });
  const witnesses = openWitnesses(config, chain, log, closing);
  const serverLog = createServerLog({ database, nowSeconds });
  await serverLog.started({ chainId, registry: address, configuration: configurationDigest(config) });
  closing.push(() => serverLog.stop());
  const webhooks = createWebhooks({
    database,
    serverLog,
    policy: { development: chain.embedded, privateHosts: config.webhookPrivateHosts },
    firstRetrySeconds: config.webhookRetrySeconds,
    nowSeconds,
    log,
  });
  const proposals = createProposalStore(database, nowSeconds, [
    rejectionsTo(serverLog),
    proposalEventsTo(webhooks.outbox),
  ]);
  const approvals = createApprovals({ store: proposals, accounts, registry, nowSeconds });
  const trustRoots = createTrustRoots(database);
  const intake = createIntake({
    database,
    trustRoots,
    store: proposals,
    registry,
    contracts,
    accounts,
    anchor,
    anchors,
    documents,
    approvals,
    relayer: relayer.address,
  });
  const devices = createDevices({
    database,
    serverLog,
    onFlag: flagsTo(webhooks.outbox),
    rpc,
    maximumPending: config.pendingDevices,
    nowSeconds,
  });
  await devices.imports.dropUnfinished();
  const stops = createStops({ database, serverLog, nowSeconds });
  const onUnproven = (error: FirmproofError) => log.warn({ err: error }, 'the RPC node gives proofs that do not hold');
  const rebuilds = createRebuilds(database, nowSeconds);
  const advisories = createAdvisories({ database, documents, nowSeconds });
  const evidence = createEvidenceService({
    database,
    trustRoots,
    rpc,
    chainId,
    registry: address,
    witnesses: witnesses.sources,
    renewalSeconds: config.evidenceRenewalSeconds,
    sources: config.publicUrl ? [config.publicUrl] : [],
    stops,
    attachmentsOf: createAttachments({ database, trustRoots, rebuilds, advisories }),
    onUnproven,
  });
  const proofs = createProductProofs({
    database,
    trustRoots,
    rpc,
    chainId,
    registry: address,
    cosignatures: createCosignatures(witnesses.sources),
    onUnproven,
    nowSeconds,
  });
  const metrics = createMetrics();
  const tokenStore = createTokenStore({ database, serverLog, nowSeconds });
  const tokens = createTokens({
    database,
    store: tokenStore,
    accounts,
    chainId,
    lifetimeSeconds: config.tokenSeconds,
    allowedPublishers: config.allowedPublishers,
    nowSeconds,
  });
  const oidcLogin = createOidcLogin({
    issuers: config.oidcIssuers.map((issuer) => createIssuer(issuer, nowSeconds)),
    intake,
    trustRoots,
    tokens,
    allowedPublishers: config.allowedPublishers,
  });
  const engine = createEngine({
    indexer: createIndexer({
      database,
      rpc,
      registry: address,
      firstBlock: chain.registryBlock,
      watcher: chainEventsTo(webhooks.outbox),
    }),
    store: proposals,
    worker: createProposalWorker({ store: proposals, contracts, approvals, relayer, nowSeconds }),
    evidence,
    isWaiting: () => proofs.isWaiting(),
    relayer,
    reviewTold: () => webhooks.reviewAfterRebuild(),
    judgeViews: () => devices.views.judgeAgain(),
    openContent: async (atSeconds) => {
      await access.openInstallable(atSeconds);
      await documents.openInstallable(atSeconds);
    },
    advance: chain.advance,
    metrics,
    log,
    pollMilliseconds: chain.embedded
      ? Math.min(config.pollMilliseconds, embeddedPollMilliseconds)
      : config.pollMilliseconds,
    nowSeconds,
  });
  const info: ServerInfo = {
    chainId,
    registry: address,
    accountFactory: parseAddress(vendorAccountFactoryAddress),
    registryBlock: chain.registryBlock,
    witnesses: [...witnesses.known],
    maximumImageBytes: config.maximumImageBytes,
    development: chain.embedded,
    ...(chain.embedded && { rpcUrl: chain.rpcUrl }),
  };
  const uploadQuota = createUploadQuota({ database, dailyUploadBytes: config.dailyUploadBytes, nowSeconds });
  const pages = pagesDirectory(config.pages);
  let origin = config.publicUrl ?? '';
  const app = createApp({
    config,
    log,
    database,
    tokens,
    tokenStore,
    serverLog,
    webhooks,
    refusals: createRefusals({ database, serverLog, ownerOf: tokens.ownerOf, log }),
    oidcLogin,
    accounts,
    anchors,
    approvals,
    intake,
    store: proposals,
    evidence,
    audit: { history: createAuditHistory({ database, rpc }), proofs },
    stops,
    trustRoots,
    rebuilds,
    advisories,
    devices,
    documents,
    metrics,
    uploadQuota,
    gateway: createGateway({
      store,
      audienceOf: async (cid, request) => {
        const mayRead = async (reader: Parameters<typeof access.mayRead>[1]) =>
          (await access.mayRead(cid, reader)) || (await documents.mayRead(cid, reader));
        if (await mayRead(async () => null)) return 'everybody';
        return (await mayRead(() => tokens.publisherOf(request))) ? 'publisher' : null;
      },
    }),
    pages: pages === null ? null : pagesRouter(pages),
    receiveRelease: createUploads({ store, access, documents, intake, config, quota: uploadQuota }),
    info: () => info,
    origin: () => origin,
    unreadiness: () => engine.unreadiness(),
    wake: () => engine.wake(),
    nowSeconds,
  });
  const server = createServer(app);
  // Uploads of gigabytes take their time; a timer of their own watches their progress.
  server.requestTimeout = 0;
  // Longer than proxies and clients keep an idle connection: who uses one at its last moment finds it open.
  server.keepAliveTimeout = 65_000;
  const url = await listen(server, config);
  closing.push(() => closeServer(server));
  origin = new URL(config.publicUrl ?? url).origin;
  engine.start();
  closing.push(() => engine.stop());
  webhooks.worker.start();
  closing.push(() => webhooks.worker.stop());
  log.info({ url, chainId, registry: address, dataDirectory: config.dataDirectory }, 'Firmproof is running');
  const { publicUrl } = config;
  return { url, publicUrl, hasPages: pages !== null, info, rpcUrl: chain.rpcUrl, ready: engine.ready, stop };
}

type Witnesses = { readonly sources: readonly WitnessSource[]; readonly known: ServerInfo['witnesses'] };

function openWitnesses(config: Config, chain: Chain, log: Logger, closing: (() => unknown)[]): Witnesses {
  if (config.chain !== undefined) {
    return { sources: config.chain.witnesses.map(({ operator, url }) => httpWitness(operator, url)), known: [] };
  }
  const directory = join(config.dataDirectory, 'witnesses');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const embedded: Witness[] = Array.from({ length: embeddedWitnessCount }, (_, index) => {
    const operator = `witness-${index + 1}`;
    return createWitness({
      rpcUrl: chain.rpcUrl,
      key: witnessKey(join(directory, `${operator}.pem`)),
      operator,
      stateFile: join(directory, `${operator}.json`),
      pollMilliseconds: embeddedPollMilliseconds,
      onTrouble: (error) => log.warn({ err: error, operator }, 'a witness does not vouch'),
    });
  });
  for (const witness of embedded) {
    witness.start();
    closing.push(() => witness.stop());
  }
  return { sources: embedded, known: embedded.map(({ operator, publicKey }) => ({ operator, publicKey })) };
}

function witnessKey(file: string): KeyObject {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600, flag: 'wx' });
  }
  return createPrivateKey(readFileSync(file));
}

function listen(server: Server, { host, port }: Config): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new FirmproofError('port-in-use', `port ${port} on ${host} is taken`, { cause: error })
          : error,
      );
    });
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${actual}`);
    });
  });
}

async function closeServer(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  const patience = setTimeout(() => server.closeAllConnections(), 2000);
  await closed;
  clearTimeout(patience);
}
