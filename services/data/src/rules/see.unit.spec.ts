import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';

import { bindCondition } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { seededRandom } from '../conditions/testing/random.ts';
import { parseFields } from '../fields/parse-fields.ts';
import { generateCaller, generateQuestion, generateRecord, generateRules } from './testing/generate-sight.ts';
import { decide } from './rule.ts';
import type { Caller } from './rule.ts';
import type { Seen } from './see.ts';
import { createSight, demandSeen, show, visibleCondition } from './see.ts';
import { GuardRefused } from './guard-condition.ts';

const { CAUSEWAY_TEST_SEED } = process.env;
const at = new Date('2026-01-02T00:00:00.000Z');

const filterOf = (json: unknown): Condition<Operand> => {
  const parsed = parseCondition(json, { now: true });
  assert.ok(parsed.ok);
  return parsed.value;
};

const schema = {
  type: 'object',
  properties: {
    title: { type: 'string' },
    salary: { type: 'number' },
    contact: { type: 'object', properties: { phone: { type: 'string' }, email: { type: 'string' } } },
  },
};

/** A collection that everybody may read, but for some fields. */
function guarded(fields: unknown): Seen {
  const parsed = parseFields(fields, schema, '/fields');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  const open = { kind: 'public' } as const;
  return {
    rules: { read: open, create: open, update: { before: open, after: open }, delete: open },
    fields: parsed.value,
    cipher: undefined,
  };
}

const nobody: Caller = { signedIn: false, administrator: false, auth: {} };
const ada: Caller = { signedIn: true, administrator: false, auth: { sub: 'ada', roles: [] } };
const admin: Caller = { ...ada, administrator: true };

const staff = guarded({
  salary: { read: [{ createdBy: { $auth: 'sub' } }] },
  'contact.phone': { read: 'signed-in' },
});
const record = {
  _id: 'rec_1',
  revision: 1,
  fields: { title: 'x', salary: 5, contact: { phone: '1', email: 'e' } },
  createdAt: at,
  updatedAt: at,
  createdBy: 'ada',
};

describe('what somebody sees of a record', () => {
  it('is what the rules of its fields leave', () => {
    assert.deepEqual(show(staff, nobody, record, { at }).fields, { title: 'x', contact: { email: 'e' } });
    assert.deepEqual(show(staff, ada, record, { at }), record);
    assert.deepEqual(show(staff, ada, { ...record, createdBy: 'bob' }, { at }).fields, {
      title: 'x',
      contact: record.fields.contact,
    });
    assert.equal(createSight(staff, admin, { at }).isWhole, true);
    assert.equal(createSight(staff, ada, { at }).isWhole, false);
    // Nobody is nobody: of no record it has to be known whose it is.
    assert.equal(createSight(guarded({ salary: { read: [{}] } }), nobody, { at }).isWhole, true);
    assert.equal(createSight(guarded({ salary: { read: [] } }), ada, { at }).looksAtRecord, false);
  });

  it('has the objects around what is hidden, in their order', () => {
    const only = { ...record, fields: { contact: { phone: '1' }, title: 'x' } };
    assert.equal(JSON.stringify(show(staff, nobody, only, { at }).fields), '{"contact":{},"title":"x"}');
  });
});

describe('what is asked of what somebody does not see', () => {
  const meets = (json: unknown, caller: Caller): boolean => {
    const filter = bindCondition(filterOf(json), { at });
    return compilePredicate(visibleCondition(staff, caller, filter, { at }), () => undefined)(record);
  };

  it('is asked of nothing', () => {
    for (const [filter, ofNothing] of [
      [{ salary: 5 }, false],
      [{ salary: { $ne: 5 } }, true],
      [{ salary: { $gt: 4 } }, false],
      [{ salary: { $not: { $gt: 6 } } }, true],
      [{ salary: { $exists: true } }, false],
      [{ salary: { $exists: false } }, true],
      [{ salary: null }, true],
      [{ salary: { $in: [5, null] } }, true],
      [{ $nor: [{ salary: 5 }] }, true],
      [{ $or: [{ salary: 5 }, { title: 'y' }] }, false],
      [{ 'contact.phone': { $regex: '1' } }, false],
      [{ 'contact.phone.x': null }, true],
      [{ 'contact.email': 'e', salary: { $nin: [5] } }, true],
    ] as const) {
      assert.equal(meets(filter, nobody), ofNothing, JSON.stringify(filter));
    }
    assert.equal(meets({ salary: 5, 'contact.phone': '1' }, ada), true);
    assert.equal(meets({ salary: { $exists: false } }, ada), false);
  });

  const pathOf = (text: string) => ({
    path: { text, storage: `fields.${text}`, segments: ['fields', ...text.split('.')], holds: 'json' as const },
  });
  const demand = (
    asked: unknown,
    caller: Caller,
    sort: readonly string[] = [],
    words: readonly string[] = [],
  ): unknown => {
    const ranked = words.map((text) => ({ ...pathOf(text), part: 'search' as const }));
    try {
      const given = { filter: filterOf(asked), sort: sort.map(pathOf), ranked };
      demandSeen(staff, caller, given, (parameter) => ({ parameter }));
      return 'asked';
    } catch (error) {
      const { status, errors = [] } = error as {
        status: number;
        errors?: readonly { code: string; parameter: string }[];
      };
      return `${status} ${errors.map(({ code, parameter }) => `${parameter} ${code}`).join()}`;
    }
  };

  it('is refused where it is not of that alone', () => {
    const refused = '400 filter guarded-field';
    assert.equal(demand({ contact: { $exists: true } }, nobody), refused);
    assert.equal(demand({ $or: [{ title: 'x' }, { contact: { email: 'e' } }] }, nobody), refused);
    // Those who are signed in see all of it.
    assert.equal(demand({ contact: { $exists: true } }, ada), 'asked');
    assert.equal(demand({}, nobody, ['title']), 'asked');
    assert.equal(demand({}, nobody, ['title', 'salary']), '400 sort guarded-field');
    assert.equal(demand({}, ada, ['salary']), '400 sort guarded-field');
    assert.equal(demand({}, ada, ['contact.phone']), 'asked');
    assert.equal(demand({}, admin, ['salary']), 'asked');
  });

  it('is refused where records would be ranked by it', () => {
    const refused = '400 search guarded-field';
    assert.equal(demand({}, nobody, [], ['title', 'salary']), refused);
    assert.equal(demand({}, ada, [], ['salary']), refused);
    for (const words of ['contact', 'contact.phone', 'contact.phone.home']) {
      assert.equal(demand({}, nobody, [], [words]), refused);
      assert.equal(demand({}, ada, [], [words]), 'asked');
    }
    assert.equal(demand({}, nobody, [], ['title', 'contact.email']), 'asked');
    assert.equal(demand({}, admin, [], ['salary']), 'asked');
  });

  it('has a bound, since each condition repeats the rule', () => {
    const ring = Array.from({ length: 401 }, (_, index) => {
      const angle = (2 * Math.PI * (index % 400)) / 400;
      return [Math.cos(angle), Math.sin(angle)];
    });
    const area = { $geoWithin: { $geometry: { type: 'Polygon', coordinates: [ring] } } };
    const asked = { $and: Array.from({ length: 40 }, () => ({ salary: { $gt: 1 } })) };
    for (const rule of [
      { title: { $in: Array.from({ length: 400 }, (_, index) => String(index)) } },
      { title: area },
    ]) {
      const seen = guarded({ salary: { read: [rule] } });
      const filter = bindCondition(filterOf(asked), { at });
      assert.throws(() => visibleCondition(seen, ada, filter, { at }), GuardRefused);
      visibleCondition(seen, ada, bindCondition(filterOf({ salary: { $gt: 1 } }), { at }), { at });
    }
  });
});

describe('a filter under the rules of fields', () => {
  it('finds, of the records that may be read, those that meet it as they are shown', (test) => {
    const seed = Number(CAUSEWAY_TEST_SEED ?? randomInt(2 ** 31));
    test.diagnostic(`CAUSEWAY_TEST_SEED=${seed}`);
    const random = seededRandom(seed);
    let compared = 0;
    let differing = 0;
    for (let round = 0; round < 300; round += 1) {
      const [collection, caller] = [generateRules(random), generateCaller(random)];
      const records = Array.from({ length: 30 }, (_, index) => generateRecord(random, `rec_${index}`));
      for (let question = 0; question < 10; question += 1) {
        const json = generateQuestion(random);
        const parsed = parseCondition(json, { now: true });
        if (!parsed.ok) continue;
        const filter = bindCondition(parsed.value, { at });
        let condition;
        try {
          condition = visibleCondition(collection, caller, filter, { at });
        } catch (error) {
          assert.ok(error instanceof GuardRefused);
          continue;
        }
        const [finds, plain] = [condition, filter].map((each) => compilePredicate(each, () => undefined));
        for (const each of records) {
          const reads = decide(collection.rules.read, caller, each, { at });
          const shown = show(collection, caller, each, { at });
          const expected = reads && plain!(shown);
          compared += 1;
          if (reads && expected !== plain!(each)) differing += 1;
          const about = () => JSON.stringify({ seed, fields: collection.fields, caller, json, each });
          assert.equal(finds!(each), expected, about());
        }
      }
    }
    assert.ok(compared > 20_000, `only ${compared} were compared`);
    assert.ok(differing > 300, `only ${differing} were found otherwise than they would be without the rules`);
  });
});
