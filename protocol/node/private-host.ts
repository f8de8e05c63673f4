import { lookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

const privateAddresses = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  // Many at once, and reserved.
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  privateAddresses.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  // Nobody, this machine, and IPv4 as it was once written.
  ['::', 96],
  // IPv4 in other clothes: translated, and tunnelled. Mapped addresses are judged as the IPv4 that they are.
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const) {
  privateAddresses.addSubnet(network, prefix, 'ipv6');
}

/** Whether a host name of a URL is a private, loopback or link-local address, or names this machine. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.local');
  return privateAddresses.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * A look-up for names that strangers gave: one that leads to a private address is not found (A27). The connection uses the
 * addresses that were looked at, so a name that changes meanwhile gains nothing. Addresses in numbers are never looked up:
 * they have to be judged with `isPrivateHost` before.
 * @param isExempt Names that may lead to private addresses.
 */
export const publicLookUp =
  (isExempt: (hostname: string) => boolean): LookupFunction =>
  (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const permitted = isExempt(hostname) ? addresses : addresses.filter(({ address }) => !isPrivateHost(address));
      const [first] = permitted;
      if (first === undefined) return callback(privateAddressError(hostname), []);
      return options.all ? callback(null, permitted) : callback(null, first.address, first.family);
    });
  };

const privateAddressError = (hostname: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${hostname} leads to a private address`), { code: privateAddressCode });

/** Of the error of a look-up that found private addresses only. */
export const privateAddressCode = 'PRIVATE_ADDRESS';
