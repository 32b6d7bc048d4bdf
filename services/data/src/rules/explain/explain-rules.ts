import { newId } from '@causeway/contracts';
import { readAfter } from '@causeway/events';
import type { Db, MongoClient, Timestamp } from 'mongodb';

import type { Collection, CollectionRegistry } from '../../collections/collection-registry.ts';
import { applyDefaults } from '../../fields/apply-defaults.ts';
import { openFields } from '../../encryption/seal-fields.ts';
import type { SeenChange } from '../../fields/check-field-rights.ts';
import { redact, restore } from '../../fields/redact.ts';
import { faultOfQuery } from '../../queries/find-records.ts';
import type { FindCurrent } from '../../records/find-current.ts';
import type { Judged } from '../../records/judge-record.ts';
import { mergePatch } from '../../records/merge-patch.ts';
import type { VisibleRecord } from '../../records/record.model.ts';
import { visibleProjection } from '../../records/record.model.ts';
import { findForWrite } from '../../records/under-definition.ts';
import { followFrom } from '../follow/follow-records.ts';
import type { Caller } from '../rule.ts';
import { unknownCollection } from '../rules.errors.ts';
import { createSight } from '../see.ts';
import type { ExplainBody } from './asked-explanation.ts';
import { callerFrom, demandFields, demandOneRecord, recordFrom } from './asked-explanation.ts';
import { explainAccess } from './explain-access.ts';
import { explainFields } from './explain-fields.ts';

/** What {@link createExplainRules} is given. */
export interface ExplainRulesDependencies {
  readonly registry: CollectionRegistry;
  readonly findCurrent: FindCurrent;
  readonly client: MongoClient;
  readonly db: Db;
  readonly queryTimeoutMs: number;
  readonly now: () => Date;
}

/**
 * Explains what the rules of a collection say of somebody, and writes nothing.
 *
 * @returns the use case; it throws faults `not-found` for a collection that is not there, `invalid-request`, `rule-too-costly`
 */
export function createExplainRules({
  registry,
  findCurrent,
  client,
  db,
  queryTimeoutMs,
  now,
}: ExplainRulesDependencies) {
  const read = async (
    { records }: Collection,
    id: string,
    after: Timestamp | undefined,
  ): Promise<VisibleRecord | undefined> => {
    const options = { projection: visibleProjection, maxTimeMS: queryTimeoutMs };
    try {
      const find = (own: object): Promise<VisibleRecord | null> =>
        records.native.findOne<VisibleRecord>({ _id: id }, { ...options, ...own });
      return (await readAfter(client, after, find)) ?? undefined;
    } catch (error) {
      throw faultOfQuery(error);
    }
  };

  return async (body: ExplainBody, after: Timestamp | undefined): Promise<ReturnType<typeof explainFields>> => {
    const { collection: name, action, id, record: given, change } = body;
    // By the definition that the call itself would be judged by.
    const collection = await (action === 'read' ? findCurrent(name, after) : findForWrite(registry, name));
    if (collection === undefined) throw unknownCollection();
    demandOneRecord(body);
    const [caller, at] = [callerFrom(body.who), now()];
    const { fields } = collection;
    if (action === 'create') {
      const record = toBe(collection, caller, given, at);
      const asking = await readAfter(client, after, (own) =>
        followFrom(db, collection, caller, [record], { read: own }),
      );
      const access = explainAccess(collection, { action, caller: asking, record, at });
      return explainFields(access, {
        fields,
        caller,
        record,
        change: { before: undefined, after: given, hidden: [] },
        at,
      });
    }
    const record = id === undefined ? recordFrom(given ?? {}, at) : await read(collection, id, after);
    const made =
      record === undefined || change === undefined ? undefined : changedBy(collection, caller, record, change, at);
    const judged = [record, made?.changed].filter((each) => each !== undefined);
    const asking = await readAfter(client, after, (own) => followFrom(db, collection, caller, judged, { read: own }));
    const access = explainAccess(collection, { action, caller: asking, record, changed: made?.changed, at });
    if (record === undefined || (action !== 'read' && made === undefined)) return access;
    return explainFields(access, { fields, caller, record, change: made?.own, at });
  };
}

const nameOf = ({ auth: { sub } }: Caller): string | undefined => (typeof sub === 'string' ? sub : undefined);

/** The record that a creation would make. */
function toBe({ fields: declared }: Collection, caller: Caller, given: unknown, at: Date): Judged {
  const fields = applyDefaults(declared, given, caller, at);
  demandFields(fields, '/record');
  const by = nameOf(caller);
  const own = { _id: newId('rec'), revision: 1, fields, createdAt: at, updatedAt: at };
  return { ...own, ...(by === undefined ? {} : { createdBy: by }) };
}

/** The record that a change would make, and what is changed of what the caller sees. */
function changedBy(
  collection: Collection,
  caller: Caller,
  record: Judged,
  change: unknown,
  at: Date,
): { readonly changed: Judged; readonly own: SeenChange } {
  const hidden = createSight(collection, caller, { at }).hidden(record);
  const whole = openFields(collection, record);
  const before = redact(whole, hidden);
  const after = mergePatch(before, change);
  const fields = restore(after, whole, hidden);
  demandFields(fields, '/change');
  const by = nameOf(caller);
  const changed = {
    ...record,
    fields,
    revision: record.revision + 1,
    updatedAt: at,
    ...(by === undefined ? {} : { updatedBy: by }),
  };
  return { changed, own: { before, after, hidden } };
}
