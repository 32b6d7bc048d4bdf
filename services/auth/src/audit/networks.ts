import { isIPv4 } from 'node:net';

import { addressBlock } from '@causeway/service';

/** The site that an address belongs to, and no computer or person in it: /24 of IPv4, /48 of IPv6 (RFC 6177). */
const networkOf = (address: string): string[] => {
  const block = addressBlock(address);
  if (isIPv4(block)) return [block.replace(/\d+$/, '0/24')];
  const [, site] = /^(\w+:\w+:\w+):\w+::\/64$/.exec(block) ?? [];
  return site === undefined ? [] : [`${site.replace(/(:0)+$/, '')}::/48`];
};

/**
 * Where calls came from, as far as that may be kept for good.
 *
 * @param addresses - IPv4 or IPv6; whatever else is left out
 * @returns each network once
 */
export const networksOf = (addresses: readonly string[]): string[] => [...new Set(addresses.flatMap(networkOf))];
