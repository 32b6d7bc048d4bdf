import { isIPv6 } from 'node:net';

/** The groups of an IPv6 address, without its zone. */
const groupsOf = (address: string): string[] => {
  const [left = '', right] = (address.split('%', 1)[0] ?? '').split('::');
  const head = left === '' ? [] : left.split(':');
  if (right === undefined) return head;
  const tail = right === '' ? [] : right.split(':');
  return [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
};

/**
 * What an address is counted under. A site with IPv6 has a whole /64 to choose from, so that counts as one (RFC 6177).
 *
 * @param address - IPv4 or IPv6
 */
export const addressKey = (address: string): string => {
  if (!isIPv6(address)) return address;
  const prefix = groupsOf(address.toLowerCase()).slice(0, 4);
  return `${prefix.map((each) => each.replace(/^0+(?=.)/, '')).join(':')}::/64`;
};
