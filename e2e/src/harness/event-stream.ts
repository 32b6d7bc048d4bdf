import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/** One block of an event stream, as the standard has it: fields that it does not carry are absent. */
export interface FeedBlock {
  readonly id?: string;
  readonly event?: string;
  readonly data?: string;
  /** When it was read, by `performance.now()`. */
  readonly readAt: number;
}

/**
 * Reads an event stream (HTML Living Standard, §9.2.6), until it ends.
 *
 * @param add - called with each block as it comes
 */
export async function readEventStream(body: Readable, add: (block: FeedBlock) => void): Promise<void> {
  let block: Record<string, string> = {};
  for await (const line of createInterface({ input: body })) {
    if (line === '') {
      if (Object.keys(block).length > 0) add({ ...block, readAt: performance.now() });
      block = {};
      continue;
    }
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    if (name !== '') block[name] = block[name] === undefined ? value : `${block[name]}\n${value}`;
  }
}
