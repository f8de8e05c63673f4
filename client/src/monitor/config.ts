import { dirname, resolve } from 'node:path';
import {
  type Address,
  describeIssues,
  FirmproofError,
  isFirmproofError,
  type ProductId,
  parseSigner,
  parseTrustRoot,
  parseWebhookSecret,
  type Signer,
  type TrustRoot,
  type WebhookSecret,
} from '@firmproof/protocol';
import { repeatedNode } from '@firmproof/protocol/audit';
import type { z } from 'zod';
import { readText } from '../cli/files.ts';
import {
  type ConfigDocument,
  configSchema,
  type EmailDocument,
  type ProductDocument,
  type SinkDocument,
  type SyslogDocument,
  soundPartsSchema,
  type WebhookDocument,
} from './config-schema.ts';
import { readSecret, type SecretPlace, type SecretReference } from './secret.ts';

const maximumConfigBytes = 4 * 1024 * 1024;

/** One product that is followed, with all that is needed to. */
export type WatchedProduct = {
  readonly label: string | null;
  readonly product: ProductId;
  readonly chainId: number;
  readonly registry: Address;
  readonly trustRoot: TrustRoot | null;
  /** The file of announced releases; null where releases are not compared with announcements. */
  readonly announced: string | null;
  /** null where approvals are not compared with a list. */
  readonly expectedSigners: ReadonlySet<Signer> | null;
  /** May hold keys: for requests only. */
  readonly rpc: readonly string[];
  /** How many nodes have to say the same. */
  readonly quorum: number;
  readonly server: string | null;
  readonly sources: readonly string[];
};

export type WebhookSinkConfig = {
  readonly kind: 'webhook';
  readonly name: string;
  readonly url: string;
  readonly secrets: readonly [WebhookSecret, ...WebhookSecret[]];
};
export type EmailSinkConfig = {
  readonly kind: 'email';
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly security: 'starttls' | 'tls' | 'none';
  readonly login: { readonly user: string; readonly password: string } | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly certificateAuthority: string | null;
};
export type SyslogSinkConfig = {
  readonly kind: 'syslog';
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp' | 'tls';
  readonly facility: number;
  readonly certificateAuthority: string | null;
};
export type SinkConfig = WebhookSinkConfig | EmailSinkConfig | SyslogSinkConfig;

export type MonitorConfig = {
  readonly stateDirectory: string;
  readonly products: readonly WatchedProduct[];
  readonly sinks: readonly SinkConfig[];
} & Pick<ConfigDocument, 'intervalSeconds' | 'rateLimit' | 'patience' | 'content'>;

/**
 * Reads the configuration of the monitor with everything that it names: secrets, trust roots, announcements. Paths in it are
 * relative to it.
 * @throws FirmproofError `file-not-found`, or `config-invalid` that names every mistake at once and shows no secret
 */
export function readMonitorConfig(file: string, environment: SecretPlace['environment'] = process.env): MonitorConfig {
  const value = jsonOf(readText(file), file);
  const parsed = configSchema.safeParse(value);
  const parts = parsed.success ? parsed.data : soundParts(value);
  const reader = new Reader({ directory: dirname(resolve(file)), environment });
  const products = parts.products.map(
    (product, index) => product && reader.product(product, parts, `products.${index}`),
  );
  const sinks = parts.alerts.map((sink, index) => sink && reader.sink(sink, `alerts.${index}`));
  reader.requireDistinct(sinks.map(nameOf), 'alerts', 'is the name of two: give each a "name" of its own');
  reader.requireDistinct(products.map(idOf), 'products', 'is there twice');
  const mistakes = [...(parsed.success ? [] : describeIssues(parsed.error)), ...reader.mistakes];
  if (!parsed.success || mistakes.length > 0) throw invalid(file, mistakes);
  const document = parsed.data;
  const { intervalSeconds, rateLimit, patience, content } = document;
  return {
    stateDirectory: reader.path(document.state),
    products: products.filter((product) => product !== null),
    sinks: sinks.filter((sink) => sink !== null),
    intervalSeconds,
    rateLimit,
    patience,
    content,
  };
}

type CommonSettings = Pick<ConfigDocument, 'rpc' | 'quorum' | 'server' | 'sources'>;

const nameOf = (sink: SinkConfig | null) => sink?.name ?? null;
const idOf = (product: WatchedProduct | null) => product?.product ?? null;

function jsonOf(text: string, file: string): unknown {
  if (text.length > maximumConfigBytes) throw new FirmproofError('config-invalid', `${file} is too large`);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message shows a piece of the text.
    throw new FirmproofError('config-invalid', `${file} is no JSON`);
  }
}

function soundParts(value: unknown): z.output<typeof soundPartsSchema> {
  const parsed = soundPartsSchema.safeParse(value);
  return parsed.success ? parsed.data : { products: [], alerts: [] };
}

const invalid = (file: string, mistakes: readonly string[]) =>
  new FirmproofError('config-invalid', `${file}: ${mistakes.join('; ')}`, {
    details: { mistakes },
    hint: 'docs/monitor.md explains every setting.',
  });

/** Resolves what the document names, and collects what is wrong with it. */
class Reader {
  readonly #place: SecretPlace;
  readonly #mistakes: string[] = [];

  constructor(place: SecretPlace) {
    this.#place = place;
  }

  readonly path = (name: string): string => resolve(this.#place.directory, name);

  get mistakes(): readonly string[] {
    return this.#mistakes;
  }

  requireDistinct(values: readonly (string | null)[], where: string, what: string): void {
    const known = values.filter((value) => value !== null);
    for (const value of new Set(known.filter((value, index) => known.indexOf(value) !== index))) {
      this.#mistakes.push(`${where}: "${value}" ${what}`);
    }
  }

  /** null, and a mistake more, where it fails. */
  #try<Value>(where: string, read: () => Value): Value | null {
    try {
      return read();
    } catch (error) {
      if (!isFirmproofError(error)) throw error;
      this.#mistakes.push(`${where}: ${error.message}`);
      return null;
    }
  }

  #mistake(where: string, message: string): null {
    this.#mistakes.push(`${where}: ${message}`);
    return null;
  }

  readonly #secret = (reference: SecretReference) => readSecret(reference, this.#place);

  /** An address, or the secret that holds one: what is no address is not shown. */
  #url(given: string | SecretReference, where: string): string | null {
    if (typeof given === 'string') return given;
    const url = this.#try(where, () => this.#secret(given));
    if (url === null || (/^https?:\/\//.test(url) && URL.canParse(url))) return url;
    return this.#mistake(where, 'what the reference holds is no http(s) address');
  }

  product(given: ProductDocument, common: CommonSettings, where: string): WatchedProduct | null {
    const trustRoot = given.trustRoot
      ? this.#try(`${where}.trustRoot`, () => parseTrustRoot(readText(this.path(given.trustRoot ?? ''))))
      : null;
    const place = this.#placeOf(given, trustRoot, where);
    const named = given.rpc ?? common.rpc;
    const nodes = (named ?? []).map((node, index) => this.#url(node, `${where}.rpc.${index}`));
    const rpc = nodes.filter((node) => node !== null);
    if (named === undefined) this.#mistake(`${where}.rpc`, 'no RPC node is named, neither here nor for all products');
    // More than half, where nobody says: then no two answers can both have a quorum.
    const quorum = given.quorum ?? common.quorum ?? Math.floor(nodes.length / 2) + 1;
    if (nodes.length > 0 && quorum > nodes.length)
      this.#mistake(`${where}.quorum`, `${quorum} of ${nodes.length} nodes can never be reached`);
    if (repeatedNode(rpc) !== null) this.#mistake(`${where}.rpc`, 'a node is named twice: it has one voice');
    const announced = given.announced === undefined ? null : this.path(given.announced);
    if (announced !== null) this.#try(`${where}.announced`, () => readText(announced));
    const signers = given.expectedSigners?.map((text, index) =>
      this.#try(`${where}.expectedSigners.${index}`, () => parseSigner(text)),
    );
    if (place === null) return null;
    const server = given.server ?? common.server ?? null;
    return {
      ...place,
      label: given.label ?? trustRoot?.name ?? null,
      trustRoot,
      announced,
      expectedSigners: signers ? new Set(signers.filter((signer) => signer !== null)) : null,
      rpc,
      quorum,
      server,
      sources: given.sources ?? common.sources ?? (server === null ? [] : [server]),
    };
  }

  /** From the trust root, or said; where both are there, they say the same. */
  #placeOf(given: ProductDocument, root: TrustRoot | null, where: string) {
    const said = { product: given.product, chainId: given.chainId, registry: given.registry };
    for (const name of ['product', 'chainId', 'registry'] as const) {
      const value = said[name];
      if (value === undefined && given.trustRoot === undefined)
        this.#mistake(`${where}.${name}`, 'is needed where there is no trustRoot');
      if (value !== undefined && root !== null && value !== root[name])
        this.#mistake(`${where}.${name}`, `the trust root says ${root[name]}`);
    }
    const product = said.product ?? root?.product;
    const chainId = said.chainId ?? root?.chainId;
    const registry = said.registry ?? root?.registry;
    if (product === undefined || chainId === undefined || registry === undefined) return null;
    return { product, chainId, registry };
  }

  sink({ name, webhook, email, syslog }: SinkDocument, where: string): SinkConfig | null {
    if (webhook) return this.#webhook(name ?? 'webhook', webhook, `${where}.webhook`);
    if (email) return this.#email(name ?? 'email', email, `${where}.email`);
    return syslog ? this.#syslog(name ?? 'syslog', syslog, `${where}.syslog`) : null;
  }

  #syslog(name: string, given: SyslogDocument, where: string): SyslogSinkConfig {
    const certificateAuthority = this.#authority(given.certificateAuthority, where);
    const port = given.port ?? { udp: 514, tcp: 601, tls: 6514 }[given.protocol];
    return { kind: 'syslog', name, ...given, port, certificateAuthority };
  }

  #webhook(name: string, given: WebhookDocument, where: string): WebhookSinkConfig | null {
    const url = this.#url(given.url, `${where}.url`);
    const read = (reference: SecretReference, field: string) =>
      this.#try(`${where}.${field}`, () => parseWebhookSecret(this.#secret(reference)));
    const secret = read(given.secret, 'secret');
    const previous = given.previousSecret ? read(given.previousSecret, 'previousSecret') : null;
    if (url === null || secret === null) return null;
    const secrets: WebhookSinkConfig['secrets'] = previous === null ? [secret] : [secret, previous];
    return { kind: 'webhook', name, url, secrets };
  }

  #email(name: string, given: EmailDocument, where: string): EmailSinkConfig {
    const { user, password: reference, certificateAuthority, ...rest } = given;
    if ((user === undefined) !== (reference === undefined))
      this.#mistake(where, 'user and password belong together: give both or none');
    if (user !== undefined && given.security === 'none')
      this.#mistake(`${where}.security`, 'a password is never sent without encryption');
    const password = reference ? this.#try(`${where}.password`, () => this.#secret(reference)) : null;
    return {
      kind: 'email',
      name,
      ...rest,
      login: user !== undefined && password !== null ? { user, password } : null,
      certificateAuthority: this.#authority(certificateAuthority, where),
    };
  }

  #authority(file: string | undefined, where: string): string | null {
    if (file === undefined) return null;
    return this.#try(`${where}.certificateAuthority`, () => readFileIfPem(this.path(file)));
  }
}

function readFileIfPem(file: string): string {
  const text = readText(file);
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new FirmproofError('config-invalid', `${file} is no certificate in PEM`);
}
