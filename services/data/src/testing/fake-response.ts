import type { ServerResponse } from 'node:http';
import { Writable } from 'node:stream';

import type { FeedBlock } from './test-feed.ts';

/** A response that nobody reads over a network. */
export interface FakeResponse {
  readonly response: ServerResponse;
  /** The event stream's blocks that were written so far. */
  blocks(): FeedBlock[];
  /** How often something was written. */
  writes(): number;
  /** From now on nothing more is taken; until it is called with false. */
  hold(isHeld: boolean): void;
}

/** Makes one. */
export function createFakeResponse(): FakeResponse {
  let text = '';
  let writes = 0;
  let isHeld = false;
  let taken: (() => void) | undefined;
  const response = new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      text += chunk.toString();
      writes += 1;
      if (isHeld) taken = done;
      else done();
    },
  });
  return {
    response: response as unknown as ServerResponse,
    blocks: () => text.split('\n\n').slice(0, -1).map(parseBlock),
    writes: () => writes,
    hold(held) {
      isHeld = held;
      if (held) return;
      taken?.();
      taken = undefined;
    },
  };
}

const parseBlock = (block: string): FeedBlock =>
  Object.fromEntries(
    block.split('\n').map((line) => {
      const [, name = '', value = ''] = /^([^:]*): (.*)$/.exec(line) ?? [];
      return [name, value] as const;
    }),
  );
