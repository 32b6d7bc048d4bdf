import type { Channel } from '@causeway/service';

import type { FeedWriter } from './feed-writer.ts';
import { mostUnsentBytes, mostUnsentMessages } from './feed-writer.ts';
import { createReaderWait } from './reader-wait.ts';

/** What was told in one go, and has not been taken. */
interface Untaken {
  readonly bytes: number;
  /** Whether it has an `id`. */
  readonly isCounted: boolean;
}

/** Writes an event stream (HTML Living Standard, §9.2.6) over a channel, within the bounds that one over a connection has. */
export function createChannelWriter(channel: Channel): FeedWriter {
  let untaken: Untaken[] | undefined;
  let unsentBytes = 0;
  let unsentBlocks = 0;
  const reader = createReaderWait();

  const isHalfFull = (): boolean => unsentBlocks > mostUnsentMessages / 2 || unsentBytes > mostUnsentBytes / 2;
  const tell = (lines: string, id: string | undefined): void => {
    const own = id === undefined ? '\n' : `id: ${id}\n\n`;
    channel.tell(lines, own);
    const bytes = lines.length + own.length;
    untaken ??= [];
    untaken.push({ bytes, isCounted: id !== undefined });
    unsentBytes += bytes;
    if (id !== undefined) unsentBlocks += 1;
  };

  channel.onTaken((count) => {
    for (const { bytes, isCounted } of untaken?.splice(0, count) ?? []) {
      unsentBytes -= bytes;
      if (isCounted) unsentBlocks -= 1;
    }
    // Idle feeds are many.
    if (untaken?.length === 0) untaken = undefined;
    if (!isHalfFull()) reader.over();
  });
  channel.onEnd(() => reader.over());

  return {
    get ended() {
      return channel.ended;
    },
    write({ lines }, id) {
      if (channel.ended) return true;
      if (unsentBlocks >= mostUnsentMessages || unsentBytes > mostUnsentBytes) return false;
      tell(lines, id);
      return true;
    },
    async drained() {
      if (channel.ended || !isHalfFull()) return true;
      return reader.wait();
    },
    end({ lines }) {
      if (channel.ended) return;
      tell(lines, undefined);
      channel.end();
    },
    onEnd(listener) {
      channel.onEnd(listener);
    },
  };
}
