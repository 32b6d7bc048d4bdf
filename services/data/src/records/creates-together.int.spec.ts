import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import type { LoggedEvent } from '@causeway/events';

import { awaitLogged } from '../testing/logged-events.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const most = 120;

/** What is to become of one of them. */
const kinds = ['made', 'made', 'made', 'taken', 'wrong', 'forbidden'] as const;

describe('creates that come at once', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let records: string;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada] = [await data.person({ roles: ['admin'] }), await data.person()];
    const definition = {
      schema: { properties: { slug: { type: 'string' }, n: { type: 'number' } } },
      indexes: [{ keys: { slug: 1 }, unique: true }],
      rules: { read: 'public', create: [{ n: { $gte: 0 } }] },
    };
    const { body } = await replica.call('PUT /v1/collections/pages', { body: definition, token: admin.token });
    records = `records_${String(body.id)}`;
    const taken = await replica.call('POST /v1/data/pages', { body: { slug: 'taken', n: 1 }, token: ada.token });
    assert.equal(taken.status, 201, taken.text);
  });
  after(() => data.stop());

  const fieldsOf = (kind: (typeof kinds)[number], index: number): object => {
    if (kind === 'taken') return { slug: 'taken', n: index };
    if (kind === 'wrong') return { slug: `wrong-${index}`, n: 'text' };
    return { slug: `${kind}-${index}`, n: kind === 'forbidden' ? -1 : index };
  };
  const answers = {
    made: '201 ',
    taken: '409 duplicate-value',
    wrong: '400 invalid-request',
    forbidden: '403 forbidden',
  };

  it('have each its own answer, its own error and its own event, whichever go to MongoDB together', async () => {
    const sent = Array.from({ length: most }, (_, index) => kinds[index % kinds.length] ?? 'made');
    const given = await Promise.all(
      sent.map((kind, index) => replica.call('POST /v1/data/pages', { body: fieldsOf(kind, index), token: ada.token })),
    );
    const told = ({ status, body }: Answered): string => [status, body.code].join(' ');
    assert.deepEqual(
      given.map(told),
      sent.map((kind) => answers[kind]),
    );
    const made = given.flatMap((answer, index) => (answer.status === 201 ? [{ answer, index }] : []));
    assert.deepEqual(
      made.map(({ answer }) => answer.body.n),
      made.map(({ index }) => index),
    );
    assert.equal(new Set(made.map(({ answer }) => answer.body.id)).size, made.length);

    // One was there before.
    await awaitLogged(data, 'pages', made.length + 1);
    const log = data.db.collection<LoggedEvent>('events');
    for (const { answer } of made) {
      const logged = await log.findOne({ _id: answer.headers.get('causeway-event') ?? '' });
      assert.equal(logged?.event.subject, `record/${String(answer.body.id)}`);
    }
    assert.equal(await data.db.collection(records).countDocuments(), made.length + 1);
  });
});
