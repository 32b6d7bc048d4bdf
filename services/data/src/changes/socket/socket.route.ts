import { faults } from '@causeway/contracts';
import { faultOfError } from '@causeway/events';
import { addressBlock, defineRoute, faultOf, problemOf, upgradeRequired } from '@causeway/service';
import type { Identity, Route } from '@causeway/service';
import { createUpDownCounter } from '@causeway/telemetry';
import type { Logger } from '@causeway/telemetry';

import type { FeedHub } from '../feed-hub.ts';
import type { OpenFeed } from '../open-feed.ts';
import type { CallerShares } from './caller-shares.ts';
import type { SocketTimes } from './heartbeat.ts';
import { protocolName } from './protocol.ts';
import { serveSocket } from './socket-session.ts';

/** What {@link socketRoute} is given. */
export interface SocketDependencies {
  readonly openFeed: OpenFeed;
  readonly hub: Pick<FeedHub, 'watch' | 'admit'>;
  readonly identity: Pick<Identity, 'authenticate'>;
  readonly shares: CallerShares;
  /** Of sockets that are open in this process. */
  readonly limit: number;
  readonly publicUrl: string;
  readonly logger: Logger;
  readonly times: SocketTimes;
}

const description = [
  'One WebSocket (subprotocol `causeway.v1`), many feeds; messages are JSON texts of at most 64 KiB.',
  'First `{"type":"hello","token":"…"}`, within 5 s: the access token, where the `Authorization` header of the handshake, which browsers cannot set, has not said who calls; a cookie says nothing here. `welcome` answers it.',
  'Then `{"type":"subscribe","id":"…","collection":"…"}` with `filter` (a condition), `snapshot` (true or false), `resume` (the last `cursor` that was read of it), `after` (as `Causeway-After`); up to 100, by ids of your own. `subscribed` answers it, or `error` with the `id` and a `problem`.',
  'Each message of a feed has the `type` that `GET /v1/data/{collection}/changes` calls `event`, its `data`, and as `cursor` what it calls `id`; `place` has a cursor alone. `end`, and `gap` for the reason `slow`, are the last of a subscription.',
  '`{"type":"unsubscribe","id":"…"}` ends one; `{"type":"ping"}` is answered with `pong`. The server pings every 15 s.',
  '`hello` again with a newer token of the same session goes on with it. A token that ends closes the socket within a second.',
  'Closed with 1003 (binary), 1007 (not UTF-8), 1009 (too large), 1012 (shutdown: connect again), 1013 (try again later), 4400 (no greeting first), 4401 (the token is no good, or has ended; the reason says which), 4408 (no greeting, or no pongs, in time), 4429 (more than 300 messages in 10 s).',
].join(' ');

/** `GET /v1/changes` */
export const socketRoute = ({ openFeed, hub, identity, shares, ...options }: SocketDependencies): Route => {
  const { limit, publicUrl, logger, times } = options;
  const count = createUpDownCounter('causeway.data.sockets', { description: 'WebSockets that are open.' });
  let open = 0;
  const faultOfSocket = (requestId: string) => (error: unknown) => {
    const fault = faultOf(error, faultOfError);
    const about = { requestId, code: fault.code };
    if (fault.status >= 500) logger.error({ ...about, error: fault.cause ?? fault }, 'a subscription failed');
    else logger.debug({ ...about, reason: fault.message }, 'a message was refused');
    return fault;
  };
  return defineRoute({
    method: 'get',
    path: '/v1/changes',
    operationId: 'openSocket',
    tag: 'data',
    summary: 'Follow the changes of collections over a WebSocket',
    description,
    access: 'public',
    responses: { 101: { description: 'It is a WebSocket from here on.' } },
    faults: [upgradeRequired, faults.unavailable],
    async handle({ token, requestId, clientIp, draining }) {
      await hub.admit();
      if (open >= limit) throw faults.unavailable({ retryAfterS: 5, message: 'too many sockets' });
      const address = `address:${addressBlock(clientIp)}`;
      return {
        status: 101,
        socket: {
          protocol: protocolName,
          serve: async (socket) => {
            open += 1;
            count.add(1);
            try {
              await serveSocket(socket, {
                ...{ openFeed, hub, token, draining, times },
                authenticate: async (text) => {
                  const claims = await identity.authenticate(`Bearer ${text}`);
                  if (claims === undefined) throw faults.unauthenticated();
                  return claims;
                },
                hold: (caller) => shares.hold(caller === undefined ? address : `account:${caller.sub}`),
                faultOf: faultOfSocket(requestId),
                problemOf: (fault) => problemOf(fault, publicUrl, requestId),
              });
            } finally {
              open -= 1;
              count.add(-1);
            }
          },
        },
      };
    },
  });
};
