import http from 'node:http';
import https from 'node:https';
import { redactUrl } from '@firmproof/protocol';

type Environment = Readonly<Record<string, string | undefined>>;

let proxies: readonly URL[] = [];

/**
 * From now on all requests of this process honour HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not. Node has that
 * built in (24.5 and newer); its global agents are exchanged only where a variable is set.
 */
export function useProxies(environment: Environment): void {
  const urls = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].map((name) => environment[name]);
  proxies = urls.flatMap((url) => (url !== undefined && URL.canParse(url) ? [new URL(url)] : []));
  const options = { keepAlive: true, scheduling: 'lifo', timeout: 5000, proxyEnv: environment } as const;
  http.globalAgent = new http.Agent(options);
  https.globalAgent = new https.Agent(options);
}

/** Whether it is a proxy that is looked up under this name: where it is, is for whoever set the variables to say. */
export const isProxyHost = (hostname: string): boolean => proxies.some((proxy) => proxy.hostname === hostname);

/** The proxy, without credentials, that could not be reached on the way to an address; null where it was the address itself. */
export function unreachableProxy(url: URL, error: unknown): string | null {
  const { address, hostname, port } = (error instanceof Object ? error : {}) as {
    readonly address?: unknown;
    readonly hostname?: unknown;
    readonly port?: unknown;
  };
  const isNot = (other: URL) => other.hostname !== url.hostname || portOf(other) !== portOf(url);
  const isMet = (proxy: URL) =>
    hostname === proxy.hostname || (port === portOf(proxy) && (address === proxy.hostname || port !== portOf(url)));
  const proxy = proxies.find((one) => isNot(one) && isMet(one));
  return proxy ? redactUrl(proxy.origin) : null;
}

const portOf = ({ port, protocol }: URL): number => Number(port) || (protocol === 'https:' ? 443 : 80);
