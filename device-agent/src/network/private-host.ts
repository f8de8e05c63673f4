import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { isProxyHost } from './proxy.ts';

const privateAddresses = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  privateAddresses.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
] as const) {
  privateAddresses.addSubnet(network, prefix, 'ipv6');
}

/** Whether a host name of a URL is a private, loopback or link-local address, or names this machine. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.local');
  return privateAddresses.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * A look-up for names that strangers gave: one that leads to a private address is not found (A27). The connection uses the
 * addresses that were looked at, so a name that changes meanwhile gains nothing.
 */
export const lookUpPublic: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const permitted = isProxyHost(hostname) ? addresses : addresses.filter(({ address }) => !isPrivateHost(address));
    const [first] = permitted;
    if (first === undefined) return callback(privateAddressError(hostname), []);
    return options.all ? callback(null, permitted) : callback(null, first.address, first.family);
  });
};

const privateAddressError = (hostname: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${hostname} leads to a private address`), { code: privateAddressCode });

/** Of the error of `lookUpPublic`. */
export const privateAddressCode = 'PRIVATE_ADDRESS';
