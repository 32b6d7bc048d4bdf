import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { call } from '../harness/client.ts';
import { defineCollection } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectProblem, expectStatus } from '../harness/expectations.ts';
import { admin, signUp, type Person } from '../harness/people.ts';

interface Listed {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly sequence: string;
  readonly correlationid: string;
  readonly authid?: string;
}

interface Page {
  readonly items: readonly Listed[];
  readonly nextCursor: string | null;
}

describe('GET /v1/events', () => {
  let administrator: string;
  let [ada, bob]: readonly Person[] = [];
  let collection: string;
  let record: string;
  /** The ids of what happened to the record, in order; by Ada and by Bob in turn. */
  const changes: string[] = [];

  const page = async (token: string, query: Readonly<Record<string, string>>): Promise<Page> =>
    expectStatus(await call('GET', '/v1/events', { token, query }), 200).json<Page>();

  /** All pages. */
  const list = async (token: string, query: Readonly<Record<string, string>>): Promise<readonly Listed[]> => {
    const found: Listed[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { items, nextCursor }: Page = await page(token, { ...query, ...(cursor !== '' && { cursor }) });
      found.push(...items);
      cursor = nextCursor;
    }
    return found;
  };

  const idsOf = (events: readonly Listed[]): readonly string[] => events.map(({ id }) => id);

  before(async () => {
    administrator = await admin();
    [ada, bob] = await Promise.all([signUp(), signUp()]);
    collection = await defineCollection(administrator);
    const made = await call('POST', `/v1/data/${collection}`, { token: ada.accessToken, json: { title: 'One' } });
    record = expectStatus(made, 201).json<{ id: string }>().id;
    changes.push(...made.events);
    for (let round = 0; round < 6; round += 1) {
      const { accessToken: token } = round % 2 === 0 ? bob : ada;
      const type = 'application/merge-patch+json';
      const json = { score: round };
      const answer = await call('PATCH', `/v1/data/${collection}/${record}`, { token, type, json });
      changes.push(...expectStatus(answer, 200).events);
    }
    await eventually(async () => {
      const { items } = await page(administrator, { subject: `record/${record}` });
      assert.equal(items.length, changes.length);
    });
  });

  it('lists what happened to a thing, in order, page by page', async () => {
    const subject = `record/${record}`;
    const events = await list(administrator, { subject, limit: '2' });
    assert.deepEqual(idsOf(events), changes);
    assert.deepEqual(
      events.map(({ sequence }) => Number(sequence)),
      changes.map((_, index) => index + 1),
    );
    assert.ok(events.every((each) => each.subject === subject));
  });

  it('lists some types, of a thing or of a request, and nothing else', async () => {
    const subject = `record/${record}`;
    assert.deepEqual(idsOf(await list(administrator, { subject, type: 'data.record.created' })), changes.slice(0, 1));
    const both = 'data.record.updated,data.record.created';
    assert.deepEqual(idsOf(await list(administrator, { subject, type: both })), changes);
    const [first] = await list(administrator, { subject });
    const correlationId = first?.correlationid ?? '';
    assert.deepEqual(idsOf(await list(administrator, { correlationId, type: both })), changes.slice(0, 1));
    assert.deepEqual(await list(administrator, { correlationId, subject: 'record/rec_other' }), []);
    assert.deepEqual(await list(administrator, { subject, type: 'user.profile.updated' }), []);
    assert.deepEqual(
      await list(administrator, { subject, type: 'nobody.thing.happened' }),
      [],
      'may be newer than this',
    );
  });

  it('lists all of a type to administrators, and to everybody else their own', async () => {
    const type = 'data.record.updated';
    const [all, adas, bobs] = await Promise.all(
      [administrator, ada?.accessToken ?? '', bob?.accessToken ?? ''].map((token) =>
        list(token, { type, limit: '200' }),
      ),
    );
    const byBob = changes.filter((_, index) => index % 2 === 1);
    const byAda = changes.filter((_, index) => index % 2 === 0).slice(1);
    assert.deepEqual([...idsOf(bobs ?? [])], byBob);
    assert.deepEqual([...idsOf(adas ?? [])], byAda);
    const seen = new Set(idsOf(all ?? []));
    assert.ok([...byAda, ...byBob].every((id) => seen.has(id)));
    assert.ok(all?.every((each) => each.type === type));
  });

  it('shows nobody what others did to the same thing', async () => {
    const events = await list(bob?.accessToken ?? '', { subject: `record/${record}` });
    assert.equal(events.length, 3);
    assert.ok(events.every(({ authid }) => authid === bob?.id));
    assert.deepEqual(await list(bob?.accessToken ?? '', { subject: `account/${ada?.id ?? ''}` }), []);
  });

  it('takes a cursor for the same question and the same caller alone', async () => {
    const subject = `record/${record}`;
    const { nextCursor } = await page(administrator, { subject, limit: '2' });
    const cursor = nextCursor ?? assert.fail('there is no next page');
    const asks = (token: string, query: Readonly<Record<string, string>>) =>
      call('GET', '/v1/events', { token, query: { ...query, cursor } });
    expectStatus(await asks(administrator, { subject, limit: '5' }), 200);
    for (const other of [
      { subject: 'record/rec_other' },
      { subject, type: 'data.record.created' },
      { correlationId: subject },
    ]) {
      await expectProblem(await asks(administrator, other), 400, 'invalid-request');
    }
    await expectProblem(await asks(bob?.accessToken ?? '', { subject }), 404, 'not-found');
  });

  it('says what is wrong with the question', async () => {
    const wrong: readonly (readonly [Readonly<Record<string, string>>, string, RegExp])[] = [
      [{}, 'correlationId', /at least one of `correlationId`, `subject` and `type`/],
      [{ limit: '5' }, 'correlationId', /at least one of/],
      [{ correlationId: '' }, 'correlationId', /at least 1 character/],
      [{ subject: '' }, 'subject', /a thing and its id, such as account/],
      [{ subject: 'usr_1' }, 'subject', /a thing and its id, such as account/],
      [{ subject: `account/${'x'.repeat(300)}` }, 'subject', /at most 300/],
      [{ type: '' }, 'type', /a type such as auth\.account\.created/],
      [{ type: 'auth.*' }, 'type', /a type such as auth\.account\.created/],
      [{ type: 'auth.account.created,' }, 'type', /a type such as auth\.account\.created/],
      [{ type: Array.from({ length: 21 }, (_, each) => `a.b.c${each}`).join() }, 'type', /up to 20/],
      [{ type: 'auth.account.created', limit: '201' }, 'limit', /at most 200/],
    ];
    for (const [query, parameter, words] of wrong) {
      const { errors = [] } = await expectProblem(
        await call('GET', '/v1/events', { token: administrator, query }),
        400,
        'invalid-request',
      );
      const [error] = errors;
      assert.equal(error?.parameter, parameter, JSON.stringify(query));
      assert.match(error.message, words);
    }
    const path = '/v1/events?type=auth.account.created&type=auth.account.updated';
    await expectProblem(await call('GET', path, { token: administrator }), 400, 'invalid-request');
    await expectProblem(await call('GET', '/v1/events?type=auth.account.created'), 401, 'unauthenticated');
  });

  it('shows whoever caused an event none of the fields that had read rules of their own', async () => {
    const name = `guarded-${collection}`.slice(0, 60);
    const schema = { type: 'object', properties: { title: { type: 'string' }, score: { type: 'number' } } };
    const rules = { read: 'signed-in', create: 'signed-in', update: 'signed-in', delete: 'signed-in' };
    const definition = { schema, rules, fields: { score: { read: [], write: 'signed-in' } } };
    expectStatus(await call('PUT', `/v1/collections/${name}`, { token: administrator, json: definition }), 201);
    const token = ada?.accessToken ?? assert.fail();
    const made = await call('POST', `/v1/data/${name}`, { token, json: { title: 'One', score: 987_654 } });
    const { id, score } = expectStatus(made, 201).json<{ id: string; score?: number }>();
    assert.equal(score, undefined);
    const gone = expectStatus(await call('DELETE', `/v1/data/${name}/${id}`, { token }), 204);
    const ids = [...made.events, ...gone.events];
    const all = { subject: `record/${id}` };
    await eventually(async () => assert.equal((await list(administrator, all)).length, 2), { withinMs: 60_000 });
    for (const each of ids) {
      for (const what of ['', '/effects']) {
        const path = `/v1/events/${each}${what}`;
        const own = expectStatus(await call('GET', path, { token }), 200);
        assert.ok(own.text.includes('"One"'), own.text);
        assert.equal(/987654|guarded":/.test(own.text), false, own.text);
        assert.ok(expectStatus(await call('GET', path, { token: administrator }), 200).text.includes('987654'));
      }
    }
    assert.deepEqual(idsOf(await list(token, all)), ids);
    assert.equal(JSON.stringify(await list(token, all)).includes('987654'), false);
    assert.ok(JSON.stringify(await list(administrator, all)).includes('987654'));
  });
});
