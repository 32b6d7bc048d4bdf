import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';

import { checkRead } from './check-read.ts';
import { checkRecorded } from './check-recorded.ts';
import { ContractViolation } from './contract-violation.ts';
import type { EventEnvelope } from './envelope.ts';
import {
  defineEvent,
  eventVersion,
  schemaUrn,
  versionsOf,
  type DataOf,
  type EventContract,
  type EventData,
} from './event-contract.ts';

const type = 'test.person.named';
const common = { type, thing: 'person', description: 'A person has a name, in a test.' };

const first = eventVersion({ version: 1, data: { name: z.string(), age: z.string().optional() } });
const second = eventVersion({
  version: 2,
  data: { given: z.string(), family: z.string(), age: z.number().optional() },
  earlier: first,
  upcast: ({ name, age }) => {
    const [given = '', ...family] = name.split(' ');
    return { given, family: family.join(' '), ...(age !== undefined && { age: Number(age) }) };
  },
});
const third = defineEvent({
  ...common,
  version: 3,
  data: { given: z.string(), family: z.string().min(1), since: z.string() },
  earlier: second,
  upcast: ({ given, family }, { time }) => ({ given, family, since: time }),
});

const eventOf = (data: EventData, version: number): EventEnvelope => ({
  specversion: '1.0',
  id: 'e1',
  type,
  source: '/causeway/test',
  subject: 'person/1',
  sequence: '0000000000000001',
  time: '2026-01-01T00:00:00.000Z',
  datacontenttype: 'application/json',
  dataschema: schemaUrn({ type, version }),
  correlationid: 'c1',
  authtype: 'system',
  data,
});

const violation = (read: () => unknown): ContractViolation => {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof ContractViolation, String(error));
    return error;
  }
  return assert.fail('it was read');
};

describe('an event of an earlier version', () => {
  it('is lifted step by step to the newest, which is all that a handler sees', () => {
    const read = checkRead(third, eventOf({ name: 'Ada King Lovelace', age: '36' }, 1));
    assert.deepEqual(read.data, { given: 'Ada', family: 'King Lovelace', since: '2026-01-01T00:00:00.000Z' });
    assert.equal(read.dataschema, schemaUrn({ type, version: 3 }));
    assert.equal(read.recordedschema, schemaUrn({ type, version: 1 }));
    const half = checkRead(third, eventOf({ given: 'Ada', family: 'Lovelace' }, 2));
    assert.equal(half.data.family, 'Lovelace');
    assert.equal(half.recordedschema, schemaUrn({ type, version: 2 }));
  });

  it('leaves an event of the newest version as it is', () => {
    const data = { given: 'Ada', family: 'Lovelace', since: '1842' };
    assert.deepEqual(checkRead(third, eventOf(data, 3)), eventOf(data, 3));
  });

  it('is held against the version that it was recorded under, and its faults name that', () => {
    const { faults } = violation(() => checkRead(third, eventOf({ name: 7 }, 1)));
    assert.deepEqual(faults, ['/name invalid_type (version 1)']);
  });

  it('is refused where its upcaster makes of it what the next version does not allow', () => {
    const { faults } = violation(() => checkRead(third, eventOf({ name: 'Ada' }, 1)));
    assert.deepEqual(faults, ['/family too_small (version 3)']);
  });

  it('is refused where its upcaster fails, and no value is told', () => {
    const failing = defineEvent({
      ...common,
      version: 2,
      data: { name: z.string() },
      earlier: eventVersion({ version: 1, data: { secret: z.string() } }),
      upcast: ({ secret }) => {
        throw new Error(`cannot make anything of ${secret}`);
      },
    });
    const error = violation(() => checkRead(failing, eventOf({ secret: 'hunter2' }, 1)));
    assert.deepEqual(error.faults, ['the upcaster to version 2 failed']);
    assert.doesNotMatch(error.message, /hunter2/);
  });
});

describe('an event that a reader does not know', () => {
  it('is of a newer version: the words say what to deploy', () => {
    const { message, eventType } = violation(() => checkRead(third, eventOf({}, 12)));
    assert.equal(eventType, type);
    assert.match(
      message,
      /is of version 12, and this reader knows 3 at most: deploy this reader with version 12 first/,
    );
  });

  it('is of another type', () => {
    const { message } = violation(() => checkRead(third, { ...eventOf({}, 3), type: 'test.person.left' }));
    assert.match(message, /knows test\.person\.named alone: deploy a reader of test\.person\.left first/);
  });

  it('names no version of this contract', () => {
    for (const suffix of ['0', '01', '-1', '3 ', '3.0', 'x', '', '1e1']) {
      const dataschema = `urn:causeway:contract:${type}:${suffix}`;
      const { message } = violation(() => checkRead(third, { ...eventOf({}, 3), dataschema }));
      assert.match(message, /this reader knows urn:causeway:contract:test\.person\.named:3, the event is/, suffix);
    }
    const { message } = violation(() => checkRead(third, { ...eventOf({}, 3), dataschema: 'x'.repeat(100_000) }));
    assert.ok(message.length < 500);
  });
});

describe('what is recorded', () => {
  it('is of the newest version', () => {
    const data = { given: 'Ada', family: 'Lovelace', since: '1842' };
    assert.deepEqual(checkRecorded(third, data), data);
    const old = { name: 'Ada Lovelace' } as unknown as typeof data;
    assert.ok(violation(() => checkRecorded(third, old)).faults.length > 0);
  });

  it('holds no property that the contract does not name', () => {
    const data = { given: 'Ada', family: 'Lovelace', since: '1842', more: true };
    assert.deepEqual(violation(() => checkRecorded(third, data)).faults, ['/more unrecognized_keys']);
  });

  it('is refused with JSON pointers: keys are escaped, and the whole has the empty one', () => {
    const odd = defineEvent({
      ...common,
      version: 1,
      data: { by: z.record(z.string(), z.object({ 'a/b': z.array(z.string()) })) },
    });
    const faultsOf = (data: unknown) => violation(() => checkRecorded(odd, data as DataOf<typeof odd>)).faults;
    assert.deepEqual(faultsOf({ by: { '~me': { 'a/b': ['x', 7] } } }), ['/by/~0me/a~1b/1 invalid_type']);
    assert.deepEqual(faultsOf({ by: {}, '/': 1, '~': 2 }), ['/~1 unrecognized_keys', '/~0 unrecognized_keys']);
    assert.deepEqual(faultsOf('no object'), ['"" (the whole of it) invalid_type']);
    const long = 'k'.repeat(100_000);
    assert.deepEqual(faultsOf({ by: {}, [long]: 1 }), [`/${'k'.repeat(199)}… unrecognized_keys`]);
    const { message } = violation(() => checkRead(odd, eventOf(['secret'] as unknown as EventData, 1)));
    assert.match(message, /test\.person\.named does not keep to its contract: "" \(the whole of it\) invalid_type$/);
  });
});

describe('a declaration', () => {
  const data = { name: z.string() };
  // As it may come from code that no compiler has checked.
  const declare = defineEvent as unknown as (declaration: unknown) => EventContract;
  const earlier = eventVersion({ version: 1, data });
  const upcast = (given: unknown): unknown => given;

  it('names every version that can be read', () => {
    assert.deepEqual(
      versionsOf(third).map(({ version }) => version),
      [1, 2, 3],
    );
  });

  const refused: readonly (readonly [string, object, RegExp])[] = [
    ['begins after 1', { version: 2 }, /`earlier` is missing: events of version 1 are in the log/],
    ['leaves a version out', { version: 3, earlier, upcast }, /the version before it is 2, not 1/],
    ['goes backwards', { version: 1, earlier, upcast }, /the version before it is 0, not 1/],
    ['has no upcaster', { version: 2, earlier }, /an upcaster from version 1 is missing/],
    ['has an upcaster from nowhere', { version: 1, upcast }, /an upcaster, and no earlier version/],
    ['counts in fractions', { version: 1.5 }, /a version is 1, 2, 3/],
    ['counts from 0', { version: 0 }, /a version is 1, 2, 3/],
  ];
  for (const [what, part, words] of refused) {
    it(`is refused where it ${what}`, () => {
      assert.throws(() => declare({ ...common, data, ...part }), { name: 'TypeError', message: words });
    });
  }

  it('is typed: an upcaster gives what the next version takes', () => {
    defineEvent({
      ...common,
      version: 2,
      data: { name: z.string() },
      earlier: eventVersion({ version: 1, data: { title: z.string() } }),
      // @ts-expect-error - a number is no name
      upcast: ({ title }) => ({ name: title.length }),
    });
    // @ts-expect-error - an earlier version has an upcaster
    assert.throws(() => defineEvent({ ...common, version: 2, data, earlier }));
  });
});
