import { once } from 'node:events';
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
  /** @returns false where the reader is too slow: nothing more is to be written but the end */
  write(block: Block): boolean;
  /** Waits until most of what was written has been taken. @returns false where that takes too long */
  drained(): Promise<boolean>;
  /** Writes a last block and ends the stream. */
  end(block?: Block): void;
  readonly ended: boolean;
}

/** So much may be on its way to one reader: what has an `id` is counted, for what has none belongs to what follows. */
const maxUnsentBytes = 1_048_576;
const maxUnsentBlocks = 1_000;
const drainMs = 5_000;
const endMs = 30_000;

const format = ({ event, id, data }: Block): string =>
  `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}${data === undefined ? '' : `data: ${data}\n`}\n`;

/**
 * Writes an event stream into a response whose head has been sent.
 *
 * @param response - ended by {@link EventStreamWriter.end} or by its reader
 */
export function createEventStreamWriter(response: ServerResponse): EventStreamWriter {
  let unsentBlocks = 0;
  const sent = (): void => {
    unsentBlocks -= 1;
  };
  const nothing = (): void => undefined;
  return {
    get ended() {
      return response.writableEnded || response.destroyed;
    },
    write(block) {
      if (response.writableEnded || response.destroyed) return true;
      if (unsentBlocks >= maxUnsentBlocks || response.writableLength > maxUnsentBytes) return false;
      if (block.id !== undefined) unsentBlocks += 1;
      response.write(format(block), block.id === undefined ? nothing : sent);
      return true;
    },
    async drained() {
      const isFull = unsentBlocks > maxUnsentBlocks / 2 || response.writableLength > maxUnsentBytes / 2;
      if (!isFull || response.writableEnded || response.destroyed) return true;
      const waiting = new AbortController();
      const { signal } = waiting;
      const timer = setTimeout(() => waiting.abort(), drainMs);
      try {
        await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
        return true;
      } catch {
        return false;
      } finally {
        clearTimeout(timer);
        waiting.abort();
      }
    },
    end(block) {
      if (response.writableEnded || response.destroyed) return;
      response.end(block === undefined ? undefined : format(block));
      // A reader that takes nothing more would keep it open for ever.
      setTimeout(() => response.destroy(), endMs).unref();
    },
  };
}
