import type { ServerResponse } from 'node:http';

import type { FeedWriter } from './feed-writer.ts';
import { mostUnsentBytes, mostUnsentMessages } from './feed-writer.ts';
import { createReaderWait } from './reader-wait.ts';

const endMs = 30_000;

const format = (lines: string, id: string | undefined): string =>
  id === undefined ? `${lines}\n` : `${lines}id: ${id}\n\n`;

/**
 * Writes an event stream (HTML Living Standard, §9.2.6) into a response whose head has been sent.
 *
 * @param response - ended by {@link FeedWriter.end} or by its reader
 */
export function createEventStreamWriter(response: ServerResponse): FeedWriter {
  /** What is written at the end of this turn, and how many blocks with an `id` it holds. */
  let gathered = '';
  let gatheredBlocks = 0;
  /** All of them that the reader has not taken. */
  let unsentBlocks = 0;
  let isDue = false;
  const reader = createReaderWait();

  const hasEnded = (): boolean => response.writableEnded || response.destroyed;
  const unsentBytes = (): number => response.writableLength + gathered.length;
  const isHalfFull = (): boolean => unsentBlocks > mostUnsentMessages / 2 || unsentBytes() > mostUnsentBytes / 2;

  const take = (): { readonly text: string; readonly sent: () => void } => {
    const [text, blocks] = [gathered, gatheredBlocks];
    gathered = '';
    gatheredBlocks = 0;
    const sent = (): void => {
      unsentBlocks -= blocks;
      if (!isHalfFull()) reader.over();
    };
    return { text, sent };
  };
  const flush = (): void => {
    isDue = false;
    const { text, sent } = take();
    if (text !== '' && !hasEnded()) response.write(text, sent);
  };

  response.once('close', () => reader.over());
  return {
    get ended() {
      return hasEnded();
    },
    write({ lines }, id) {
      if (hasEnded()) return true;
      if (unsentBlocks >= mostUnsentMessages || unsentBytes() > mostUnsentBytes) return false;
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
      return reader.wait();
    },
    end({ lines }) {
      if (hasEnded()) return;
      const { text } = take();
      response.end(text + format(lines, undefined));
      // A reader that takes nothing more would keep it open for ever.
      setTimeout(() => response.destroy(), endMs).unref();
    },
    onEnd(listener) {
      if (response.closed) listener();
      else response.once('close', listener).once('finish', listener);
    },
  };
}
