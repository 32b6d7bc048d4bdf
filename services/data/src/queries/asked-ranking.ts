import type { Near } from './geo/parse-near.ts';
import type { FaultPlace } from './refuse-query.ts';
import { refused } from './refuse-query.ts';
import { takeRanking } from './take-ranking.ts';
import { parseSearch } from './text/parse-text.ts';

/** Words to look for, by the index of words. */
export interface TextSearch {
  readonly words: string;
  /** Where they were sent. */
  readonly part: 'filter' | 'search';
}

/** What ranks records, and the filter without it. */
interface AskedRanking {
  readonly rest: unknown;
  readonly text: TextSearch | undefined;
  readonly near: Near | undefined;
}

/** Says where the one or the other was sent. */
type Locate = (part: 'filter' | 'search', pointer?: string) => FaultPlace;

/**
 * Parses what ranks records: words, wherever they were sent, or a place.
 *
 * @throws Fault `invalid-request` naming every fault by its place
 */
export function parseRanking(
  { filter, search }: { readonly filter: unknown; readonly search?: string | undefined },
  locate: Locate,
): AskedRanking {
  const taken = takeRanking(filter);
  if (!taken.ok) throw refused(taken.faults, (pointer) => locate('filter', pointer));
  const { rest, text: inFilter, near } = taken.value;
  const own = inFilter === undefined ? undefined : ({ words: inFilter, part: 'filter' } as const);
  if (search === undefined) return { rest, text: own, near };
  const refuse = (message: string): Error =>
    refused([{ pointer: '', code: 'invalid-combination', message }], () => locate('search'));
  if (own !== undefined) throw refuse('Give the words once: in `search`, or as $text.');
  if (near !== undefined) throw refuse('Ask either for words or $near: each has its own order.');
  const parsed = parseSearch(search, '');
  if (!parsed.ok) throw refused(parsed.faults, () => locate('search'));
  return { rest, text: { words: parsed.value, part: 'search' }, near };
}
