import type { IncomingMessage } from 'node:http';

import { Tunnel, type TunnelOptions } from './tunnel.ts';

/** The header by which a caller says which channel an answer may go on over; and an answer, that it does. */
export const channelHeader = 'causeway-channel';

/** What a streamed answer goes on over once its request is over. The link is shared with many others. */
export interface Channel {
  readonly id: number;
  /** By either side. */
  readonly ended: boolean;
  /**
   * Tells the reader something. What one channel after the other is told with the same beginning goes over the link once.
   *
   * @param shared - the beginning
   * @param own - what follows it
   */
  tell(shared: string, own: string): void;
  /** Calls with how many tellings the reader has taken since the last call, in the order in which they were told. */
  onTaken(listener: (count: number) => void): void;
  /** Nothing more is told. */
  end(): void;
  /** Calls when it has ended, by either side; at once where it has already. */
  onEnd(listener: () => void): void;
  /** Ends it when something is over; so that the reader knows that it is not whole, where that fails. */
  carry(work: Promise<void>): void;
}

/** A tunnel at the end of the service. */
export class ServiceTunnel extends Tunnel {
  readonly #open: (id: number) => Channel;

  constructor(options: TunnelOptions, open: (id: number) => Channel) {
    super(options);
    this.#open = open;
  }

  openChannel(id: number): Channel {
    return this.#open(id);
  }

  /** Nobody is left to be answered. */
  protected override endArrived(): void {
    this.destroy();
  }
}

const numberForm = /^[1-9]\d{0,9}$/;

/**
 * The channel that the answer to a request may go on over.
 *
 * @returns undefined where it came over a connection of its own, or names none
 */
export const openChannelOf = ({ method, socket, headers }: IncomingMessage): Channel | undefined => {
  const connection: unknown = socket;
  const { [channelHeader]: id } = headers;
  if (method !== 'GET' || !(connection instanceof ServiceTunnel) || typeof id !== 'string' || !numberForm.test(id))
    return undefined;
  return connection.openChannel(Number(id));
};
