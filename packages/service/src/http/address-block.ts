import { isIPv4, isIPv6 } from 'node:net';

/** The IPv4 address in the last two groups. */
const dotted = (groups: readonly string[]): string =>
  groups
    .map((group) => Number.parseInt(group, 16))
    .flatMap((value) => [value >> 8, value & 255])
    .join('.');

/** The eight groups of an IPv6 address, without its zone; the last two may be an IPv4 address (RFC 4291 §2.2). */
const groupsOf = (address: string): string[] => {
  const plain = (address.split('%', 1)[0] ?? '').replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [left = '', right] = plain.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].map((group) => group.toLowerCase().replace(/^0+(?=.)/, ''));
};

/**
 * What an address is counted under. A site with IPv6 has a whole /64 to choose from, so that counts as one (RFC 6177); an IPv4 address
 * that is written as one of IPv6 (RFC 4291 §2.5.5.2) counts as what it is.
 *
 * @param address - IPv4 or IPv6
 */
export const addressBlock = (address: string): string => {
  if (isIPv4(address) || !isIPv6(address)) return address;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === '0') && groups[5] === 'ffff';
  return isMapped ? dotted(groups.slice(6)) : `${groups.slice(0, 4).join(':')}::/64`;
};
