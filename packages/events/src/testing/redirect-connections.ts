import { Socket } from 'node:net';

/** The connect options that `net` hands to `Socket.connect`, alone or in its own array. */
interface ConnectOptions {
  port?: number;
  direct?: boolean;
}

/**
 * Makes every connection that this process opens to a port go to another one, whoever opens it: a broker tells clients its own
 * address, so that a proxy beside it would be passed by. With `direct: true` among its options a connection goes where it says.
 *
 * @returns a function that ends it
 */
export const redirectConnections = (from: number, to: number): (() => void) => {
  const before = Socket.prototype.connect;
  const connect = before as (this: Socket, ...args: unknown[]) => Socket;
  Socket.prototype.connect = function (this: Socket, ...args: unknown[]): Socket {
    const options = (Array.isArray(args[0]) ? args[0][0] : args[0]) as ConnectOptions;
    if (options.port === from && options.direct !== true) options.port = to;
    return connect.apply(this, args);
  };
  return () => {
    Socket.prototype.connect = before;
  };
};
