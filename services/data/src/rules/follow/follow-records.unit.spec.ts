import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { MongoServerError } from 'mongodb';
import type { Db } from 'mongodb';

import { createLookTime, OutOfTime } from '../../pacing/look-time.ts';
import { parseDefinition } from '../../collections/parse-definition.ts';
import type { Caller } from '../rule.ts';
import { followAll } from './follow-records.ts';

const follow = { team: { $follow: { members: { $auth: 'sub' } } } };
const { follows } = parseDefinition({
  schema: { properties: { team: { type: 'string' } } },
  indexes: [],
  fields: { team: { reference: { collection: 'col_teams' } } },
  rules: { read: [follow] },
});
const caller: Caller = { administrator: false, auth: { sub: 'usr_1' } } as unknown as Caller;

/** A database in which looking takes too long. */
function slowDatabase(): { readonly db: Db; readonly bounds: unknown[] } {
  const bounds: unknown[] = [];
  const find = (_filter: unknown, { maxTimeMS }: { readonly maxTimeMS: number }) => {
    bounds.push(maxTimeMS);
    return { toArray: () => Promise.reject(new MongoServerError({ code: 50, message: 'took too long' })) };
  };
  return { db: { collection: () => ({ find }) } as unknown as Db, bounds };
}

describe('the time to follow references', () => {
  const following = { id: 'col_1', follows };

  it('is what is left of the answer, whose problem it is where that is up', async () => {
    const { db, bounds } = slowDatabase();
    const time = createLookTime(700);
    await assert.rejects(followAll(db, following, caller, { time }), MongoServerError);
    assert.ok(Number(bounds[0]) <= 700);
    await assert.rejects(followAll(db, following, caller, { time: createLookTime(0) }), OutOfTime);
    assert.equal(bounds.length, 1);
  });

  it('is 5 s for each elsewhere, and then the rule is too costly', async () => {
    const { db, bounds } = slowDatabase();
    await assert.rejects(followAll(db, following, caller), { code: 'rule-too-costly' });
    assert.deepEqual(bounds, [5_000]);
  });
});
