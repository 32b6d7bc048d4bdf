import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

const plain = (address: string): string => {
  const bare = address.trim().replace(/^\[(.+)\](?::\d+)?$/, '$1');
  // An IPv4 caller on a socket of both families (RFC 4291 §2.5.5.2).
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare);
  return mapped?.[1] ?? bare;
};

/**
 * The client's address. A proxy of ours appends the address that it saw to `X-Forwarded-For`: counted from the right, what
 * stands further left is the client's own word and not believed.
 *
 * @param request - whose client
 * @param trustedProxies - how many proxies of ours stand before the gateway
 */
export const clientAddress = (request: IncomingMessage, trustedProxies: number): string => {
  const peer = plain(request.socket.remoteAddress ?? '');
  if (trustedProxies === 0) return peer;
  const forwarded = request.headers['x-forwarded-for'];
  const chain = String(forwarded ?? '')
    .split(',')
    .map(plain);
  const seen = chain.at(-trustedProxies) ?? '';
  return isIP(seen) === 0 ? peer : seen;
};
