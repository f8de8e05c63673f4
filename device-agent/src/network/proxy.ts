import http from 'node:http';
import https from 'node:https';

type Environment = Readonly<Record<string, string | undefined>>;

let proxyHosts: ReadonlySet<string> = new Set();

/**
 * From now on all requests of this process honour HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not. Node has that
 * built in (24.5 and newer); its global agents are exchanged only where a variable is set.
 */
export function useProxies(environment: Environment): void {
  const urls = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY'].map((name) => environment[name]);
  proxyHosts = new Set(
    urls.filter((url) => url !== undefined && URL.canParse(url)).map((url) => new URL(url ?? '').hostname),
  );
  const options = { keepAlive: true, scheduling: 'lifo', timeout: 5000, proxyEnv: environment } as const;
  http.globalAgent = new http.Agent(options);
  https.globalAgent = new https.Agent(options);
}

/** Whether it is a proxy that is looked up under this name: where it is, is for whoever set the variables to say. */
export const isProxyHost = (hostname: string): boolean => proxyHosts.has(hostname);
