import type { Feature, Ground } from '../feature.ts';
import { createUpsertRecord } from './upsert-record.ts';
import { upsertRecordRoute } from './upsert-record.route.ts';

/** Storing records by their unique key. */
export const createUpsert = ({ events, registry, now }: Ground) =>
  ({ routes: [upsertRecordRoute({ upsertRecord: createUpsertRecord({ events, registry, now }) })] }) satisfies Feature;
