import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { longTexts, oddTexts } from '../conditions/testing/odd-texts.ts';
import { operatorsType } from '../operators/parse-operators.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestCall, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';
import { jsonPatchType } from './json-patch.ts';
import { mergePatchType } from './merge-patch.ts';

interface Item {
  readonly id: string;
  readonly s: string;
}

/** No text is there twice. */
const texts = [...new Set(['', 'a', 'z', 'é', '\u{1F600}', ...oddTexts, ...longTexts])];
/** Names hold no NUL, which ends one in BSON. */
const names = oddTexts.filter((text) => !text.includes('\0'));

describe('texts of all kinds', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  const path = '/v1/data/texts';

  const call = (methodAndPath: string, options: TestCall = {}): Promise<Answered> =>
    replica.call(methodAndPath, { ...options, token: admin.token });
  const itemsOf = ({ body, text }: Answered): readonly Item[] => {
    assert.ok(Array.isArray(body.items), text);
    return body.items as readonly Item[];
  };

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
    const schema = { properties: { s: { type: 'string' }, by: true }, additionalProperties: true };
    const indexes = [{ keys: { s: 1 }, unique: true }];
    const defined = await call('PUT /v1/collections/texts', { body: { schema, indexes, rules: { read: 'public' } } });
    assert.equal(defined.status, 201, defined.text);
  });

  after(() => data.stop());

  it('come back as they were sent by every way, in the order of their bytes, and are told apart', async () => {
    const feed = await openFeed(replica, 'texts', { token: admin.token });
    const type = 'application/x-ndjson';
    const lines = texts.map((s) => JSON.stringify({ s })).join('\n');
    const sent = await call(`POST ${path}`, { body: lines, type });
    assert.equal(sent.body.created, texts.length, sent.text);
    const told = await feed.count(texts.length);
    feed.close();
    assert.deepEqual(new Set(told.map(({ record }) => record?.s)), new Set(texts));

    const inOrder = texts.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    const paged: string[] = [];
    let cursor: unknown;
    do {
      const body = { sort: ['s'], limit: 7, ...(typeof cursor === 'string' ? { cursor } : {}) };
      const page = await call(`POST ${path}/query`, { body });
      paged.push(...itemsOf(page).map(({ s }) => s));
      cursor = page.body.nextCursor;
    } while (typeof cursor === 'string');
    assert.deepEqual(paged, inOrder);

    const exported = await call(`GET ${path}?sort=-s`, { headers: { accept: type } });
    const shown = exported.text.split('\n').filter((line) => line !== '');
    assert.deepEqual(
      shown.map((line) => (JSON.parse(line) as Item).s),
      inOrder.toReversed(),
    );

    for (const s of texts) {
      const found = await call(`POST ${path}/query`, { body: { filter: { s } } });
      assert.deepEqual(
        itemsOf(found).map((item) => item.s),
        [s],
      );
      const after = await call(`POST ${path}/query`, { body: { filter: { s: { $gt: s } }, sort: ['s'], limit: 1 } });
      assert.deepEqual(
        itemsOf(after).map((item) => item.s),
        inOrder.slice(inOrder.indexOf(s) + 1).slice(0, 1),
      );
    }
    const group = { by: { s: 's' }, fields: { n: 'count' } };
    const grouped = await call(`POST ${path}/aggregate`, { body: { stages: [{ group }] } });
    assert.equal(itemsOf(grouped).length, texts.length);
    assert.equal((await call(`POST ${path}`, { body: { s: 'e\u0301' } })).status, 409);
  });

  it('are names of fields, too', async () => {
    for (const [index, name] of names.entries()) {
      const fields = { s: `name ${index}`, [name]: { [name]: index } };
      const made = await call(`POST ${path}`, { body: fields });
      assert.equal(made.status, 201, made.text);
      const filter = { [`${name}.${name}`]: index };
      const found = await call(`POST ${path}/query`, { body: { filter, fields: [name] } });
      assert.deepEqual(itemsOf(found), [{ id: made.body.id, [name]: { [name]: index } }]);
      const more = { body: { $inc: { [`${name}.${name}`]: 1 } }, type: operatorsType };
      const changed = await call(`PATCH ${path}/${String(made.body.id)}`, more);
      assert.deepEqual((changed.body as Record<string, unknown>)[name], { [name]: index + 1 });
    }
  });

  it('are refused with their place where they are no text, and nothing is done', async () => {
    const half = '\ud83d';
    const made = await call(`POST ${path}`, { body: { s: 'whole' } });
    const own = `${path}/${String(made.body.id)}`;
    const batch = (operation: object): TestCall => ({ body: { operations: [{ collection: 'texts', ...operation }] } });
    const ways: readonly (readonly [string, TestCall, string])[] = [
      [`POST ${path}`, { body: { s: half } }, 's'],
      [`POST ${path}`, { body: { by: [{ [half]: 1 }] } }, 'by'],
      [`POST ${path}`, { body: { by: { 'a\0': 1 } } }, 'by'],
      [`PUT ${own}`, { body: { s: `a${half}b` } }, 's'],
      [`PUT ${path}?by=s`, { body: { s: half } }, 's'],
      [`PATCH ${own}`, { body: { s: half }, type: mergePatchType }, 's'],
      [`PATCH ${own}`, { body: [{ op: 'replace', path: '/s', value: half }], type: jsonPatchType }, 's'],
      [`PATCH ${own}`, { body: { $set: { s: half } }, type: operatorsType }, 's'],
      ['POST /v1/batch', batch({ op: 'create', fields: { s: half } }), 's'],
      ['POST /v1/batch', batch({ op: 'update', id: made.body.id, merge: { s: half } }), 's'],
      [`POST ${path}/query`, { body: { filter: { s: half } } }, 'filter'],
      [`POST ${path}/query`, { body: { filter: { [half]: 1 } } }, 'filter'],
      [`POST ${path}/query`, { body: { sort: [half] } }, 'sort'],
      [`POST ${path}/aggregate`, { body: { stages: [{ group: { by: { k: half } } }] } }, 'stages'],
    ];
    for (const [methodAndPath, options, place] of ways) {
      const answer = await call(methodAndPath, options);
      const about = `${methodAndPath} ${JSON.stringify(options.body)}: ${answer.text}`;
      assert.ok(answer.status === 400 || answer.status === 422, about);
      const { errors = [] } = answer.body as unknown as { readonly errors?: readonly { readonly pointer?: string }[] };
      assert.ok(
        errors.some(({ pointer = '' }) => pointer.includes(place)),
        about,
      );
      assert.ok(answer.text.isWellFormed(), about);
    }
    const imported = await call(`POST ${path}`, { body: JSON.stringify({ s: half }), type: 'application/x-ndjson' });
    assert.deepEqual([imported.body.created, imported.body.failed], [0, 1], imported.text);
    assert.equal((await call(`GET ${own}`)).body.revision, 1);
  });
});
