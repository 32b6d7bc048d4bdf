import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { createAsking, faultsOf, pageOf } from '../../testing/asked-data.ts';
import { openTestData } from '../../testing/test-data.ts';
import type { Person, TestData, TestReplica } from '../../testing/test-data.ts';

const text = { type: 'string' } as const;
const definition = {
  schema: {
    type: 'object',
    properties: { title: text, body: text, kind: text, place: { type: 'integer' }, hidden: { type: 'boolean' } },
  },
  indexes: [{ keys: { title: 'text', body: 'text' }, weights: { title: 10 } }],
  rules: { read: [{ hidden: { $ne: true } }], create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
};

describe('words in queries', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let asking: ReturnType<typeof createAsking>;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
    asking = createAsking(replica, admin);
  });

  after(() => data.stop());

  const filled = (rows: readonly object[], given: object = definition): Promise<string> => asking.filled(given, rows);
  const titles = async (name: string, search: string, by: Person = ada): Promise<unknown[]> =>
    pageOf(await asking.query(name, { search }, by)).items.map(({ title }) => title);

  it('find records, the best first, and say how good each is', async () => {
    const name = await filled([
      { title: 'in the body', body: 'a causeway' },
      { title: 'causeway', kind: 'x' },
      { title: 'causeway causeway, of causeway', body: 'causeway' },
      { title: 'nothing of it' },
    ]);
    const { items, nextCursor } = pageOf(await asking.query(name, { search: 'causeway' }, ada));
    assert.deepEqual(
      items.map(({ title }) => title),
      ['causeway causeway, of causeway', 'causeway', 'in the body'],
    );
    const scores = items.map(({ _score }) => Number(_score));
    assert.ok(
      scores.every((score, at) => score > 0 && (at === 0 || score < (scores[at - 1] ?? 0))),
      String(scores),
    );
    assert.equal(nextCursor, null);
    // A list has none.
    assert.ok(pageOf(await asking.query(name, {}, ada)).items.every((item) => !('_score' in item)));
  });

  it('are the same in a parameter, in a body and in the filter, with each other’s cursors', async () => {
    const name = await filled(
      Array.from({ length: 9 }, (_, n) => ({ title: `mole ${n}`, kind: n % 2 === 0 ? 'x' : 'y' })),
    );
    const kind = JSON.stringify({ kind: 'x' });
    const first = pageOf(await asking.list(name, { search: 'mole', filter: kind, limit: '2', count: 'true' }, ada));
    assert.equal(first.count, 5);
    const cursor = first.nextCursor ?? assert.fail();
    const inParameters = pageOf(await asking.list(name, { search: 'mole', filter: kind, limit: '2', cursor }, ada));
    const inFilter = { filter: { $text: { $search: 'mole' }, kind: 'x' }, limit: 2, cursor };
    assert.deepEqual(pageOf(await asking.query(name, inFilter, ada)), inParameters);
    const inBody = { search: 'mole', filter: { kind: 'x' }, limit: 2, cursor };
    assert.deepEqual(pageOf(await asking.query(name, inBody, ada)), inParameters);
    for (const other of [{ search: 'moles' }, { search: 'mole', sort: ['title'] }, {}]) {
      const answer = await asking.query(name, { ...inBody, search: undefined, ...other }, ada);
      assert.deepEqual(faultsOf(answer), [400, 'invalid-request', [['', '/cursor', 'other-query']]]);
    }
    const link = (await asking.list(name, { search: 'mole', limit: '2' }, ada)).headers.get('link') ?? '';
    const next = /<(?<path>[^>]+)>/u.exec(link)?.groups?.path ?? assert.fail(link);
    assert.equal(pageOf(await replica.call(`GET ${next}`, { token: ada.token })).items.length, 2);
  });

  it('have pages that neither skip nor repeat what stays, whatever is written meanwhile', async () => {
    const rows = Array.from({ length: 40 }, (_, n) => ({
      title: n % 3 === 0 ? 'mole' : `a mole ${'and a word '.repeat(n % 3)}`,
      place: n,
    }));
    const name = await filled(rows);
    const staying = new Set(rows.map((_, n) => n).filter((n) => n % 4 !== 0));
    const all = pageOf(await asking.query(name, { sort: ['place'], limit: 200 }, ada)).items;
    const leaving = all.filter(({ place }) => !staying.has(Number(place)));
    let turn = 0;
    const write = async (): Promise<void> => {
      turn += 1;
      const gone = leaving.pop();
      const calls = [
        replica.call(`POST /v1/data/${name}`, { body: { title: `mole mole ${turn}` }, token: ada.token }),
        replica.call(`POST /v1/data/${name}`, { body: { title: 'worm', body: 'mole' }, token: ada.token }),
        ...(gone === undefined
          ? []
          : turn % 2 === 0
            ? [replica.call(`DELETE /v1/data/${name}/${gone.id}`, { token: ada.token })]
            : [replica.call(`PUT /v1/data/${name}/${gone.id}`, { body: { title: 'mole, best' }, token: ada.token })]),
      ];
      for (const { status, text: told } of await Promise.all(calls)) assert.ok(status < 300, told);
    };
    const items = await asking.all(name, { search: 'mole', limit: 3 }, ada, write);
    const places = items.flatMap(({ place }) => (staying.has(Number(place)) ? [Number(place)] : []));
    assert.deepEqual(
      places.toSorted((a, b) => a - b),
      [...staying],
    );
    const keys = items.map(({ _score, id }) => [Number(_score), id] as const);
    const isAfter = (at: number): boolean => {
      const [[score, id], [before, idBefore]] = [keys[at] ?? [0, ''], keys[at - 1] ?? [0, '']];
      return score < before || (score === before && id > idBefore);
    };
    assert.ok(
      keys.every((_, at) => at === 0 || isAfter(at)),
      JSON.stringify(keys),
    );
  });

  it('find nothing of a record that one may not see, which takes no place on a page', async () => {
    const hidden = Array.from({ length: 10 }, () => ({ title: 'mole mole secret', hidden: true }));
    const name = await filled([...hidden, ...Array.from({ length: 4 }, (_, n) => ({ title: 'b', body: `mole ${n}` }))]);
    const page = pageOf(await asking.query(name, { search: 'mole', limit: 3, count: true }, ada));
    assert.deepEqual([page.items.length, page.count], [3, 4]);
    assert.ok(page.items.every(({ title }) => title === 'b'));
    assert.equal((await asking.all(name, { search: 'mole', limit: 3 }, ada)).length, 4);
    assert.deepEqual(await titles(name, 'secret'), []);
    assert.equal((await titles(name, 'secret', admin)).length, 10);
    const none = pageOf(await asking.query(name, { search: 'mole', filter: { kind: { $in: [] } }, count: true }, ada));
    assert.deepEqual([none.items, none.count], [[], 0]);
  });

  it('are refused to who does not see every field of their index, whatever the records are', async () => {
    const guarded = {
      ...definition,
      rules: { ...definition.rules, read: 'public' },
      fields: { body: { read: [{ kind: 'x' }] } },
    };
    for (const rows of [[], [{ title: 'a mole', body: 'secret', kind: 'y' }]]) {
      const name = await filled(rows, guarded);
      for (const search of ['secret', 'nowhere']) {
        const wanted = [400, 'invalid-request', [['', '/search', 'guarded-field']]];
        const refused = await asking.query(name, { search }, ada);
        assert.deepEqual(faultsOf(refused), wanted);
        assert.doesNotMatch(refused.text, /body/);
        const inFilter = await asking.query(name, { filter: { $text: { $search: search } }, sort: ['title'] }, ada);
        assert.deepEqual(faultsOf(inFilter), [400, 'invalid-request', [['', '/filter', 'guarded-field']]]);
      }
      assert.equal(pageOf(await asking.query(name, { search: 'secret' }, admin)).items.length, rows.length);
    }
    const asAda = await asking.query(
      await filled([], guarded),
      { search: 'a', explain: true, as: { sub: ada.id } },
      admin,
    );
    assert.equal(asAda.status, 400, asAda.text);
  });

  it('come in an order that is asked for, without a score, and in exports with one', async () => {
    const name = await filled([
      { title: 'mole b', kind: 'x' },
      { title: 'mole mole a', kind: 'x' },
      { title: 'mole c', kind: 'y' },
    ]);
    const sorted = await asking.all(name, { search: 'mole', sort: ['-title'], limit: 2 }, ada);
    assert.deepEqual(
      sorted.map(({ title, _score }) => [title, _score]),
      ['mole mole a', 'mole c', 'mole b'].map((title) => [title, undefined]),
    );
    const [few] = pageOf(await asking.query(name, { search: 'a', fields: ['kind'] }, ada)).items;
    assert.deepEqual(Object.keys(few ?? {}).toSorted(), ['_score', 'id', 'kind']);
    const ndjson = await asking.list(name, { search: 'mole' }, ada, 'application/x-ndjson');
    const lines = ndjson.text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { title: string; _score: number });
    assert.equal(lines[0]?.title, 'mole mole a');
    assert.equal(lines.length, 3);
    assert.ok(lines.every(({ _score }) => _score > 0));
    const csv = (await asking.list(name, { search: 'mole', fields: 'title' }, ada, 'text/csv')).text.split(/\r?\n/u);
    assert.equal(csv[0], 'id,title,_score');
    assert.match(csv[1] ?? '', /,mole mole a,\d/u);
  });

  it('are found whatever their letters, and left out where they are to be', async () => {
    const long = '東京タワー';
    const name = await filled([
      { title: 'Zürich am See' },
      { title: 'ZURICH without a lake' },
      { title: `${'é'.repeat(5_000)} Ωμέγα 🚀` },
      { title: long },
      { title: 'the old causeway at dawn' },
      { title: 'dawn at the old bridge' },
    ]);
    assert.equal((await titles(name, 'zurich')).length, 2);
    assert.deepEqual(await titles(name, 'zürich -lake'), ['Zürich am See']);
    assert.equal((await titles(name, 'ωμεγα')).length, 1);
    assert.deepEqual(await titles(name, long), [long]);
    assert.deepEqual(await titles(name, '"old causeway"'), ['the old causeway at dawn']);
    assert.deepEqual(await titles(name, 'dawn -"old causeway"'), ['dawn at the old bridge']);
  });

  it('are refused where they are none, or stand where they cannot', async () => {
    const name = await filled([]);
    const asked: readonly (readonly [object, string])[] = [
      [{ search: '' }, '/search'],
      [{ search: '-a' }, '/search'],
      [{ search: 'x'.repeat(501) }, '/search'],
      [{ search: 'a', filter: { $text: { $search: 'b' } } }, '/search'],
      [{ filter: { $text: 'a' } }, '/filter/$text'],
      [{ filter: { $text: { $search: { $gt: '' } } } }, '/filter/$text/$search'],
      [{ filter: { $text: { $search: 'a', $language: 'none' } } }, '/filter/$text/$language'],
      [{ filter: { $or: [{ $text: { $search: 'a' } }] } }, '/filter/$or/0/$text'],
      [{ filter: { title: { $not: { $text: { $search: 'a' } } } } }, '/filter/title/$not/$text'],
    ];
    for (const [body, pointer] of asked) {
      const answer = await asking.query(name, body, ada);
      const [status, code, [first]] = faultsOf(answer);
      assert.deepEqual([status, code, first?.[1]], [400, 'invalid-request', pointer], JSON.stringify(body));
    }
    const feed = await asking.list(`${name}/changes`, { filter: '{"$text": {"$search": "a"}}' }, ada);
    assert.equal(feed.status, 400, feed.text);
    assert.match(
      feed.text,
      /at the top of the filter of a list or a query, and not in its branches, in rules, in feeds or in changes/,
    );
    const body = { ...definition, rules: { read: [{ $text: { $search: 'a' } }] } };
    const rule = await replica.call('PUT /v1/collections/other', { body, token: admin.token });
    assert.deepEqual(faultsOf(rule), [400, 'invalid-request', [['', '/rules/read/0/$text', 'unknown-operator']]]);
    assert.match(rule.text, /not in its branches, in rules, in feeds or in changes by filter/);
  });

  it('need an index of words that holds what is asked for', async () => {
    const name = await filled([{ title: 'mole', body: 'b' }], { ...definition, indexes: [] });
    const refused = await asking.query(name, { search: 'mole' }, admin);
    assert.deepEqual([refused.status, refused.body.code], [422, 'query-needs-index']);
    assert.deepEqual(refused.body.indexes, [{ keys: { title: 'text', body: 'text', kind: 'text' } }]);
    const member = await asking.query(name, { search: 'mole' }, ada);
    assert.deepEqual([member.status, member.body.indexes], [422, []]);
    assert.doesNotMatch(member.text, /kind/);
    const where = { kind: 'x' };
    const partly = await filled(
      [
        { title: 'mole', kind: 'x' },
        { title: 'mole', kind: 'y' },
      ],
      { ...definition, indexes: [{ keys: { title: 'text' }, where }] },
    );
    const open = await asking.query(partly, { search: 'mole' }, ada);
    assert.deepEqual([open.status, open.body.code], [422, 'query-needs-index']);
    assert.equal(pageOf(await asking.query(partly, { search: 'mole', filter: where }, ada)).items.length, 1);
  });

  it('are refused while MongoDB has the index of another definition, into whose fields they would look', async () => {
    const name = await filled(
      [
        { title: 'mole', body: 'a causeway' },
        { title: 'vole', body: 'a mole' },
      ],
      { ...definition, indexes: [{ keys: { title: 'text' } }] },
    );
    const shown = await replica.call(`GET /v1/collections/${name}`, { token: admin.token });
    const native = data.db.collection(`records_${String(shown.body.id)}`);
    const [own] = (await native.indexes()).filter(({ key }) => Object.values(key).includes('text'));
    assert.ok(own?.name !== undefined);
    // As in the middle of a change of the definition, or where one broke off.
    await native.dropIndex(own.name);
    await native.createIndex(
      { 'fields.title': 'text', 'fields.body': 'text' },
      { name: 'by_of-another', default_language: 'none' },
      {},
    );
    const answers = [
      await asking.query(name, { search: 'causeway' }, ada),
      await asking.query(name, { search: 'causeway', count: true, limit: 1 }, ada),
      await asking.list(name, { search: 'causeway' }, ada),
      await replica.call(`GET /v1/data/${name}?search=causeway`, {
        token: ada.token,
        headers: { accept: 'application/x-ndjson' },
      }),
      await replica.call(`POST /v1/data/${name}/aggregate`, {
        token: ada.token,
        body: {
          stages: [{ match: { $text: { $search: 'causeway' } } }, { group: { by: {}, fields: { n: 'count' } } }],
        },
      }),
    ];
    for (const { status, body, text: sent } of answers)
      assert.deepEqual([status, body.code], [422, 'query-needs-index'], sent);
    // Sending it again puts the indexes right.
    await asking.define(name, { ...definition, indexes: [{ keys: { title: 'text' } }] });
    assert.deepEqual(await titles(name, 'causeway'), []);
    assert.deepEqual(await titles(name, 'mole'), ['mole']);
  });

  it('are refused where too many records have them, and explained', async () => {
    const name = await filled(Array.from({ length: 30 }, (_, n) => ({ title: `mole ${n % 15}`, place: n })));
    const bounded = await data.replica({ QUERY_SCAN_LIMIT: '5', QUERY_COST: '20' });
    const few = createAsking(bounded, admin);
    const refused = await few.query(name, { search: 'mole' }, ada);
    assert.deepEqual([refused.status, refused.body.code], [422, 'query-too-costly']);
    assert.equal(pageOf(await few.query(name, { search: '"mole 3"' }, ada)).items.length, 2);
    assert.equal(pageOf(await few.query(name, { search: 'mole', scan: 'allow' }, admin)).items.length, 20);
    const explained = await few.query(name, { search: '"mole 3"', explain: true }, admin);
    const { explain } = explained.body as unknown as { explain: Record<string, unknown> };
    assert.deepEqual(explain.indexes, [{ keys: { title: 'text', body: 'text' } }]);
    assert.deepEqual([explain.refused, explain.returned, explain.sortedInMemory], [false, 2, true]);
    await bounded.stop();
  });
});
