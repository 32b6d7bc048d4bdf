/** What a subscriber is told of: a change, what is missing, the end. */
export interface Told {
  readonly event?: string | undefined;
  /** JSON in one line. */
  readonly data?: string | undefined;
}

/** What a subscriber is told at once, before one place. */
export interface Message {
  /** Nothing, where it says no more than where one stands. */
  readonly told: readonly Told[];
  /** As lines of an event stream, but for the `id`, with an empty line between blocks: made once for all who are told the same. */
  readonly lines: string;
}

const linesOf = ({ event, data }: Told): string =>
  `${event === undefined ? '' : `event: ${event}\n`}${data === undefined ? '' : `data: ${data}\n`}`;

/** Makes a message. */
export const messageOf = (...told: readonly Told[]): Message => ({ told, lines: told.map(linesOf).join('\n') });

/** Brings what a feed tells to who reads it, and says when they have fallen too far behind. */
export interface FeedWriter {
  /**
   * Writes a message.
   *
   * @param id - a cursor, where the message has one
   * @returns false where too much is on its way to the reader already: nothing of it has been written, and `drained` says whether it is taken
   */
  write(message: Message, id?: string): boolean;
  /** Waits until most of what was written has been taken. @returns false where that takes too long */
  drained(): Promise<boolean>;
  /** Writes a last message and ends the feed. */
  end(message: Message): void;
  readonly ended: boolean;
  /** Calls when it has ended, by either side; at once where it has already. */
  onEnd(listener: () => void): void;
}

/** So much may be on its way to one reader of a feed: what has an `id` is counted, for what has none belongs to what follows. */
export const mostUnsentBytes = 1_048_576;
export const mostUnsentMessages = 1_000;
/** For half of it to be taken. */
export const drainMs = 5_000;
