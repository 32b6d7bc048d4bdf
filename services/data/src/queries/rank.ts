import type { VisibleRecord } from '../records/record.model.ts';

/** Where a record has its rank while it is read: beside what is stored of it. */
export const rankKey = 'rank';

/** A record with its rank: how well it has the words, or how many metres away it is. */
export type RankedRecord = VisibleRecord & { readonly [rankKey]: number };

/** As what a rank is answered; users' names do not begin so. */
export const rankNames = { score: '_score', distance: '_distance' } as const;
