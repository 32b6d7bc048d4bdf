import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';

import { Timestamp } from 'mongodb';

import { bindCondition } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import type { Random } from '../conditions/testing/random.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import type { VisibleRecord } from '../records/record.model.ts';
import { answerRecord } from '../records/record.model.ts';
import { GuardRefused } from '../rules/guard-condition.ts';
import { decide } from '../rules/rule.ts';
import { show, visionOf } from '../rules/see.ts';
import { generateCaller, generateQuestion, generateRecord, generateRules } from '../rules/testing/generate-sight.ts';
import { createFeedView } from './feed-view.ts';
import type { FeedMessage, FeedView } from './feed-view.ts';

const { CAUSEWAY_TEST_SEED } = process.env;

const changeOf = (random: Random) => {
  const record = (): VisibleRecord | undefined =>
    random.chance(15) ? undefined : (generateRecord(random, 'rec_1') as unknown as VisibleRecord);
  const about = { collectionId: 'col_1', id: 'rec_1', revision: 3, eventId: 'e', inTransaction: false };
  const time = new Date(random.pick(['2026-01-01T00:00:00.000Z', '2026-01-03T00:00:00.000Z']));
  return { ...about, position: new Timestamp(1n), time, before: record(), after: record() };
};

describe('a view of a feed under the rules of fields', () => {
  it('tells of records what a query would show, before and after', (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    const told = new Map<string, number>();
    for (let round = 0; round < 3_000; round += 1) {
      const [collection, caller] = [generateRules(random), generateCaller(random)];
      const json = generateQuestion(random);
      const parsed = parseCondition(json, { now: true });
      if (!parsed.ok) continue;
      let view: FeedView;
      try {
        view = createFeedView(visionOf(collection, caller, parsed.value));
      } catch (error) {
        assert.ok(error instanceof GuardRefused);
        continue;
      }
      for (let time = 0; time < 5; time += 1) {
        const change = changeOf(random);
        const context = { at: change.time };
        const asks = compilePredicate(bindCondition(parsed.value, context), () => undefined);
        const seen = (record: VisibleRecord | undefined) => {
          if (record === undefined || !decide(collection.rules.read, caller, record, context)) return undefined;
          const shown = show(collection, caller, record, context);
          return { answer: answerRecord(shown), isAskedFor: asks(shown) };
        };
        const [before, after] = [seen(change.before), seen(change.after)];
        const [saw, sees] = [before?.isAskedFor === true, after?.isAskedFor === true];
        const previous = before === undefined ? {} : { previous: before.answer };
        const about = { revision: 3, eventId: 'e', ...previous };
        const expected: (Omit<FeedMessage, 'data'> & { readonly data: unknown }) | undefined = sees
          ? {
              event: saw ? 'updated' : change.before === undefined ? 'created' : 'entered',
              data: { record: after?.answer, ...about },
            }
          : saw
            ? { event: change.after === undefined ? 'deleted' : 'left', data: { id: 'rec_1', ...about } }
            : undefined;
        const message = view.tell(change);
        assert.deepEqual(
          message === undefined ? undefined : { event: message.event, data: JSON.parse(message.data) as unknown },
          expected === undefined
            ? undefined
            : { event: expected.event, data: JSON.parse(JSON.stringify(expected.data)) as unknown },
          JSON.stringify({ seed, json, fields: collection.fields, caller, change }),
        );
        const kind = message?.event ?? 'nothing';
        told.set(kind, (told.get(kind) ?? 0) + 1);
      }
    }
    for (const kind of ['created', 'updated', 'entered', 'left', 'deleted', 'nothing']) {
      assert.ok((told.get(kind) ?? 0) > 50, JSON.stringify([...told]));
    }
  });

  it('is shared by those who see the same fields, and by no others', () => {
    const open = { kind: 'public' } as const;
    const rules = { read: open, create: open, update: { before: open, after: open }, delete: open };
    const keyOf = (read: unknown, sub: string): string => {
      const parsed = parseCondition(read, { auth: true });
      assert.ok(parsed.ok);
      const fields = [
        { path: 'a', segments: ['a'], read: { kind: 'alternatives', alternatives: [parsed.value] } as const },
      ];
      const caller = { signedIn: true, administrator: false, auth: { sub, roles: [] } };
      return createFeedView(visionOf({ rules, fields, cipher: undefined }, caller, { kind: 'and', branches: [] })).key;
    };
    const own = { createdBy: { $auth: 'sub' } };
    assert.equal(keyOf(own, 'ada'), keyOf(own, 'ada'));
    assert.notEqual(keyOf(own, 'ada'), keyOf(own, 'bob'));
    assert.equal(keyOf({ b: 1 }, 'ada'), keyOf({ b: 1 }, 'bob'));
    assert.notEqual(keyOf({ b: 1 }, 'ada'), keyOf({ b: 2 }, 'ada'));
  });
});
