import type { VersionedCache } from '@causeway/cache';
import { createAskedBefore, createSharedReads } from '@causeway/cache';
import type { Timestamp } from 'mongodb';

import type { FoundPage, KeptPage } from './found-page.ts';
import type { SharedMarks } from './shared-marks.ts';

/** How far this process has heard, and the version of what is read. */
export interface KnownPlace {
  readonly position: Timestamp;
  readonly version: string;
}

/** The two ways to find a page in MongoDB. */
export interface PageFinds {
  /** As it is. */
  readonly find: () => Promise<FoundPage>;
  /** Nothing older than a position, so that it may be kept. */
  readonly load: (notBefore: Timestamp) => Promise<KeptPage>;
}

/** Pages for those who have not said what they have seen. */
export interface PlainReads {
  /**
   * A page that shows all that was acknowledged, by whichever process, before the call.
   *
   * @param now - how far this process has heard; undefined where it may be missing something
   */
  read(name: string, now: () => KnownPlace | undefined, finds: PageFinds): Promise<FoundPage | KeptPage>;
}

/** What {@link createPlainReads} is given. */
export interface PlainReadsOptions {
  readonly cache: Pick<VersionedCache<KeptPage>, 'has' | 'peek' | 'keep' | 'passed'>;
  readonly marks: SharedMarks;
  /** Monotonic milliseconds. */
  readonly clock?: () => number;
}

/** Pages that were asked for are remembered: who is the second to ask has it kept. */
const maxRemembered = 20_000;

/**
 * Makes it. Whether a page that is kept is still as it should be can only be told by what has been committed until now: those who ask while
 * many do wait together until the commit stream has brought a mark that was written after they asked, and then look at what is kept. It
 * need not be known what anybody has seen, nor by which way.
 */
export function createPlainReads({ cache, marks, clock = () => performance.now() }: PlainReadsOptions): PlainReads {
  const shared = createSharedReads<FoundPage | KeptPage>();
  const askedBefore = createAskedBefore(maxRemembered);

  const timed = async <Page>(read: () => Promise<Page>): Promise<Page> => {
    const startedAt = clock();
    const page = await read();
    marks.found(clock() - startedAt);
    cache.passed();
    return page;
  };
  const find = (name: string, now: () => KnownPlace | undefined, finds: PageFinds) =>
    shared(name, async () => {
      const place = now();
      if (!askedBefore(name) || place === undefined) return timed(finds.find);
      const page = await timed(() => finds.load(place.position));
      cache.keep(name, place.version, page);
      return page;
    });

  return {
    async read(name, now, finds) {
      const place = now();
      if (place !== undefined && cache.has(name, place.version) && (await marks.pass())) {
        const marked = now();
        const kept = marked && cache.peek(name, marked.version);
        if (kept !== undefined) return kept;
      }
      return find(name, now, finds);
    },
  };
}
