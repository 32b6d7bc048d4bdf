import type { ServerResponse } from 'node:http';

/** One block of an event stream (HTML Living Standard, §9.2.6). */
export interface Block {
  readonly event?: string;
  readonly id?: string;
  /** One line. */
  readonly data?: string;
}

/** Writes blocks, and says when the reader has fallen too far behind. */
export interface EventStreamWriter {
  /**
   * Writes a block; all that is written in one turn goes out at once.
   *
   * @param lines - see {@link linesOf}: made once for all who are told the same; of several blocks, with an empty line between them
   * @param id - where the block has one
   * @returns false where too much is on its way to the reader already: nothing of it has been written, and `drained` says whether it is taken
   */
  write(lines: string, id?: string): boolean;
  /** Waits until most of what was written has been taken. @returns false where that takes too long */
  drained(): Promise<boolean>;
  /** Writes a last block and ends the stream. */
  end(block?: Block): void;
  readonly ended: boolean;
}

/** So much may be on its way to one reader: what has an `id` is counted, for what has none belongs to what follows. */
export const maxUnsentBytes = 1_048_576;
const maxUnsentBlocks = 1_000;
const drainMs = 5_000;
const endMs = 30_000;

/** A block's lines, but for its `id`. */
export const linesOf = ({ event, data }: Pick<Block, 'event' | 'data'>): string =>
  `${event === undefined ? '' : `event: ${event}\n`}${data === undefined ? '' : `data: ${data}\n`}`;

const format = (lines: string, id: string | undefined): string =>
  id === undefined ? `${lines}\n` : `${lines}id: ${id}\n\n`;

/**
 * Writes an event stream into a response whose head has been sent.
 *
 * @param response - ended by {@link EventStreamWriter.end} or by its reader
 */
export function createEventStreamWriter(response: ServerResponse): EventStreamWriter {
  /** What is written at the end of this turn, and how many blocks with an `id` it holds. */
  let gathered = '';
  let gatheredBlocks = 0;
  /** All of them that the reader has not taken. */
  let unsentBlocks = 0;
  let isDue = false;
  let waiting: (() => void) | undefined;

  const hasEnded = (): boolean => response.writableEnded || response.destroyed;
  const unsentBytes = (): number => response.writableLength + gathered.length;
  const isHalfFull = (): boolean => unsentBlocks > maxUnsentBlocks / 2 || unsentBytes() > maxUnsentBytes / 2;

  const take = (): { readonly text: string; readonly sent: () => void } => {
    const [text, blocks] = [gathered, gatheredBlocks];
    gathered = '';
    gatheredBlocks = 0;
    const sent = (): void => {
      unsentBlocks -= blocks;
      if (!isHalfFull()) waiting?.();
    };
    return { text, sent };
  };
  const flush = (): void => {
    isDue = false;
    const { text, sent } = take();
    if (text !== '' && !hasEnded()) response.write(text, sent);
  };

  response.once('close', () => waiting?.());
  return {
    get ended() {
      return hasEnded();
    },
    write(lines, id) {
      if (hasEnded()) return true;
      if (unsentBlocks >= maxUnsentBlocks || unsentBytes() > maxUnsentBytes) return false;
      gathered += format(lines, id);
      if (id !== undefined) {
        gatheredBlocks += 1;
        unsentBlocks += 1;
      }
      if (!isDue) setImmediate(flush);
      isDue = true;
      return true;
    },
    async drained() {
      if (hasEnded() || !isHalfFull()) return true;
      flush();
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), drainMs);
      waiting = () => resolve(true);
      try {
        return await promise;
      } finally {
        clearTimeout(timer);
        waiting = undefined;
      }
    },
    end(block) {
      if (hasEnded()) return;
      const { text } = take();
      response.end(`${text}${block === undefined ? '' : format(linesOf(block), block.id)}`);
      // A reader that takes nothing more would keep it open for ever.
      setTimeout(() => response.destroy(), endMs).unref();
    },
  };
}
