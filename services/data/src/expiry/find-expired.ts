import type { Collection } from 'mongodb';

import type { RecordDocument } from '../records/record.model.ts';
import type { Expiry } from './expiry-of.ts';
import { expiryIn } from './expiry-of.ts';

/** Records after which it is said that the work goes on. */
const tellEach = 1_000;
const maxExamples = 5;

/** Records whose time is over. */
export interface FoundExpired {
  /** How many there are, up to a bound. */
  readonly count: number;
  readonly examples: readonly { readonly id: string }[];
}

/** What {@link findExpired} is given. */
export interface FindExpiredOptions {
  readonly records: Pick<Collection<RecordDocument>, 'find'>;
  readonly expiry: Expiry;
  /** By MongoDB's clock. */
  readonly time: Date;
  /** Asked after each 1,000 records; ends the work by throwing. */
  readonly tell: () => Promise<void>;
  /** For how long MongoDB may look, in milliseconds. */
  readonly maxTimeMS: number;
  /** More are not counted. */
  readonly most: number;
}

/**
 * Looks for records that the reaper would delete.
 *
 * @param found - is given what there is so far, as often as that changes
 */
export async function findExpired(
  { records, expiry, time, tell, maxTimeMS, most }: FindExpiredOptions,
  found: (expired: FoundExpired) => void,
): Promise<void> {
  const examples: { readonly id: string }[] = [];
  let [checked, count] = [0, 0];
  for await (const { _id: id, fields } of records.find(
    {},
    { projection: { fields: 1 }, batchSize: 1_000, maxTimeMS },
  )) {
    checked += 1;
    if (checked % tellEach === 0) await tell();
    const expiresAt = expiryIn(expiry, fields);
    if (expiresAt === undefined || expiresAt > time) continue;
    count += 1;
    if (examples.length < maxExamples) examples.push({ id });
    found({ count, examples });
    if (count >= most) return;
  }
}
