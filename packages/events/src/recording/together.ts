/** What came of one of several. */
export type Outcome<Result> = { readonly value: Result } | { readonly error: unknown };

/** So many go together at most. */
const mostTogether = 100;
/** While one call waits for a majority, another one may be on its way. */
const defaultAtOnce = 2;
/** A call that takes so long waits for something, as for a transaction that has written the same document: the others go on without it. */
const patienceMs = 250;

/** Runs something the first time that it is called. */
const once = (work: () => void): (() => void) => {
  let isDone = false;
  return () => {
    if (!isDone) {
      isDone = true;
      work();
    }
  };
};

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly done: (result: Result) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Gathers items that come while others are under way, so that a server that is busy gets fewer, larger calls, and one that
 * is not is called at once.
 *
 * @param run - gives for each item what came of it; where it rejects, all of its items do
 * @param options - `mostAtOnce`: how many calls may be under way, 1 where they would meet one another; default 2
 */
export const together = <Item, Result>(
  run: (items: readonly Item[]) => Promise<readonly Outcome<Result>[]>,
  { mostAtOnce = defaultAtOnce }: { readonly mostAtOnce?: number } = {},
): ((item: Item) => Promise<Result>) => {
  let waiting: Waiting<Item, Result>[] = [];
  let running = 0;
  let scheduled = false;

  const runBatch = async (batch: readonly Waiting<Item, Result>[]): Promise<void> => {
    try {
      const outcomes = await run(batch.map(({ item }) => item));
      for (const [index, { done, failed }] of batch.entries()) {
        const outcome = outcomes[index] ?? { error: new Error('nothing is known of one of several calls') };
        if ('error' in outcome) failed(outcome.error);
        else done(outcome.value);
      }
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  };

  const next = (): void => {
    scheduled = false;
    while (running < mostAtOnce && waiting.length > 0) {
      const batch = waiting.slice(0, mostTogether);
      waiting = waiting.slice(mostTogether);
      running += 1;
      const done = once(() => {
        running -= 1;
        next();
      });
      const patience = setTimeout(done, patienceMs).unref();
      void runBatch(batch).finally(() => {
        clearTimeout(patience);
        done();
      });
    }
  };

  return (item) =>
    new Promise((done, failed) => {
      waiting.push({ item, done, failed });
      if (scheduled || running >= mostAtOnce) return;
      // Those that came with the same reading of sockets go along.
      scheduled = true;
      setImmediate(next);
    });
};
