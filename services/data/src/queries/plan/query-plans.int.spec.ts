import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { openTestData } from '../../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../../testing/test-data.ts';

/** More than the replicas of this spec let queries scan. */
const size = 1_200;
const text = { type: 'string' } as const;
const schema = {
  type: 'object',
  properties: {
    title: text,
    status: { enum: ['draft', 'published'] },
    score: { type: 'number' },
    author: text,
    tags: { type: 'array', items: text },
    hidden: { type: 'boolean' },
  },
} as const;
const byStatus = { keys: { status: 1, score: -1 } } as const;
const ofOwners = { read: [{ author: { $auth: 'sub' } }], create: 'signed-in' } as const;
const ofWhatIsNotHidden = { read: [{ hidden: { $ne: true } }], create: 'signed-in' } as const;

interface Keys {
  readonly keys: Readonly<Record<string, 1 | -1>>;
}

interface Explained {
  readonly indexes: readonly (Keys & { readonly where?: object })[];
  readonly plan: readonly string[];
  readonly examined: { readonly keys: number; readonly records: number } | null;
  readonly returned: number | null;
  readonly ms: number | null;
  readonly sortedInMemory: boolean;
  readonly missing: readonly Keys[];
  readonly refused: boolean;
}

interface Query {
  readonly filter?: object;
  readonly sort?: readonly string[];
  readonly [name: string]: unknown;
}

describe('queries of a large collection', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let ada: Person;
  let made = 0;

  before(async () => {
    data = await openTestData();
    replica = await data.replica({ QUERY_SCAN_LIMIT: '1000' });
    [admin, ada] = await Promise.all([data.person({ roles: ['admin'] }), data.person()]);
  });

  after(() => data.stop());

  const define = async (name: string, definition: object): Promise<Answered> => {
    const body = { schema, indexes: [byStatus], ...definition };
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok(answer.status === 200 || answer.status === 201, answer.text);
    return answer;
  };

  /** A collection of its own, filled past what anybody would send. */
  const fill = async (definition: object, count = size): Promise<string> => {
    made += 1;
    const name = `rows${made}`;
    const { id } = (await define(name, definition)).body as unknown as { id: string };
    const at = new Date(0);
    const documents = Array.from({ length: count }, (_, n) => ({
      _id: `rec_${String(n).padStart(5, '0')}`,
      revision: 1,
      fields: {
        title: `title ${n}`,
        status: n % 2 === 0 ? 'published' : 'draft',
        score: n % 100,
        author: n === 7 ? ada.id : `usr_${n % 50}`,
        tags: [`a${n % 7}`, `b${n % 5}`],
      },
      createdAt: at,
      updatedAt: at,
    }));
    const stored = data.db.collection<{ _id: string }>(`records_${id}`);
    await stored.insertMany(documents, { bypassDocumentValidation: true });
    return name;
  };

  const query = (name: string, body: Query, person: Person = ada): Promise<Answered> =>
    replica.call(`POST /v1/data/${name}/query`, { body, token: person.token });
  const explained = async (name: string, body: Query): Promise<Explained> => {
    const answer = await query(name, { ...body, explain: true }, admin);
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as unknown as { explain: Explained }).explain;
  };
  const itemsOf = (answer: Answered): unknown[] => {
    assert.equal(answer.status, 200, answer.text);
    return (answer.body as unknown as { items: unknown[] }).items;
  };
  const outcome = ({ status, body }: Answered): unknown[] => [status, body.code];
  const needsIndex = [422, 'query-needs-index'];

  it('are refused with the index to add, and served once it is there', async () => {
    const name = await fill({ rules: ofWhatIsNotHidden });
    const asked = { filter: { author: 'usr_7' }, sort: ['-score'], limit: 3 };
    const refused = await query(name, asked);
    assert.deepEqual(outcome(refused), needsIndex);
    assert.deepEqual(refused.body.indexes, [{ keys: { author: 1, score: -1 } }]);
    assert.match(String(refused.body.detail), /\{"keys":\{"author":1,"score":-1\}\}/);
    const listed = `GET /v1/data/${name}?filter=${encodeURIComponent('{"author":"usr_7"}')}`;
    assert.deepEqual(outcome(await replica.call(listed, { token: ada.token })), needsIndex);
    const headers = { accept: 'application/x-ndjson' };
    assert.deepEqual(outcome(await replica.call(listed, { token: ada.token, headers })), needsIndex);
    await define(name, { rules: ofWhatIsNotHidden, indexes: [byStatus, { keys: { author: 1, score: -1 } }] });
    assert.equal(itemsOf(await query(name, asked)).length, 3);
    const { indexes, examined, sortedInMemory } = await explained(name, asked);
    assert.deepEqual(indexes, [{ keys: { author: 1, score: -1 } }]);
    assert.deepEqual([examined, sortedInMemory], [{ keys: 4, records: 4 }, false]);
    assert.equal((await replica.call(listed, { token: ada.token, headers })).text.trimEnd().split('\n').length, 23);
  });

  it('are served by what is proposed, whatever they ask', async () => {
    const name = await fill({ rules: ofWhatIsNotHidden, indexes: [] });
    const asked: readonly Query[] = [
      { filter: { author: 'usr_1' } },
      { filter: { author: 'usr_1' }, sort: ['-title'] },
      { filter: { score: { $gt: 98 } } },
      { filter: { score: { $gt: 98 } }, sort: ['title'] },
      { filter: { score: { $gt: 98 } }, sort: ['-score'] },
      { filter: { title: { $gt: 'title 9' }, author: { $in: ['usr_1', 'usr_2'] } }, sort: ['score'] },
      { filter: { $or: [{ author: 'usr_1' }, { title: 'title 1' }] } },
      { filter: { tags: 'a1', status: 'draft' } },
      { filter: { tags: { $all: ['a1', 'b1'] } } },
      { filter: { tags: { $elemMatch: { $gt: 'b3' } } } },
      { filter: { title: { $regex: '^title 11' } } },
      { filter: { title: { $regex: '9$' } } },
      { filter: { status: { $ne: 'draft' } } },
      { filter: { author: { $exists: false } } },
      { sort: ['title'] },
      { sort: ['-author', 'score'] },
    ];
    const as = { sub: ada.id };
    const proposed: Keys[] = [];
    for (const each of asked) {
      assert.deepEqual(outcome(await query(name, each)), needsIndex, JSON.stringify(each));
      const { refused, missing, examined } = await explained(name, { ...each, as });
      assert.deepEqual([refused, examined], [true, null], JSON.stringify(each));
      assert.ok(missing.length > 0, JSON.stringify(each));
      proposed.push(...missing);
    }
    const indexes = [...new Set(proposed.map((index) => JSON.stringify(index)))].map(
      (json) => JSON.parse(json) as Keys,
    );
    await define(name, { rules: ofWhatIsNotHidden, indexes });
    for (const each of asked) {
      itemsOf(await query(name, each));
      assert.equal((await explained(name, { ...each, as })).refused, false, JSON.stringify(each));
    }
  });

  it('are served by a partial index where they ask for what it holds, and nowhere else', async () => {
    const byAuthor = { keys: { author: 1 }, where: { status: 'published' } };
    const byScore = { keys: { score: -1 }, where: { status: 'published' } };
    const name = await fill({ rules: ofWhatIsNotHidden, indexes: [byAuthor, byScore] });
    const published = { filter: { author: 'usr_8', status: 'published' } };
    assert.equal(itemsOf(await query(name, published)).length, 20);
    assert.deepEqual((await explained(name, published)).indexes, [byAuthor]);
    const draft = await query(name, { filter: { author: 'usr_9', status: 'draft' } });
    assert.deepEqual(outcome(draft), needsIndex);
    assert.deepEqual(draft.body.indexes, [{ keys: { author: 1, status: 1 } }]);
    const alone = await query(name, { filter: { author: 'usr_8' } });
    assert.deepEqual(outcome(alone), needsIndex);
    assert.deepEqual(alone.body.indexes, [{ keys: { author: 1 } }]);
    // Along all of an index that holds no others.
    assert.equal(itemsOf(await query(name, { filter: { status: 'published' }, sort: ['-score'] })).length, 20);
    assert.deepEqual(outcome(await query(name, { filter: { status: 'draft' }, sort: ['-score'] })), needsIndex);
    await define(name, { rules: ofWhatIsNotHidden, indexes: [byAuthor, byScore, { keys: { author: 1 } }] });
    assert.equal(itemsOf(await query(name, { filter: { author: 'usr_8' } })).length, 20);
  });

  it('are refused without advice where no index can serve them', async () => {
    const name = await fill({ rules: ofWhatIsNotHidden });
    for (const filter of [{ tags: { $size: 3 } }, { title: { $not: { $regex: '1' } } }, { 'tags.0': 'a1' }]) {
      const refused = await query(name, { filter });
      assert.deepEqual(outcome(refused), needsIndex, JSON.stringify(filter));
      assert.deepEqual(refused.body.indexes, []);
    }
  });

  it('go through in order what a rule hides little of, and nothing else', async () => {
    const name = await fill({ rules: ofWhatIsNotHidden });
    const first = await query(name, {});
    assert.equal(itemsOf(first).length, 20);
    const { nextCursor: cursor } = first.body as unknown as { nextCursor: string };
    assert.equal(itemsOf(await query(name, { cursor })).length, 20);
    assert.equal(itemsOf(await query(name, { sort: ['status', '-score'] })).length, 20);
    assert.deepEqual(outcome(await query(name, { sort: ['title'] })), needsIndex);
  });

  it('need an index for the rule too, of which only administrators are told', async () => {
    const answer = await define('warned', { rules: ofOwners });
    assert.deepEqual(
      (answer.body as unknown as { warnings: { pointer: string; index: Keys }[] }).warnings.map((each) => [
        each.pointer,
        each.index,
      ]),
      [['/rules/read/0', { keys: { author: 1 } }]],
    );
    const name = await fill({ rules: ofOwners });
    const refused = await query(name, { sort: ['-score'] });
    assert.deepEqual(outcome(refused), needsIndex);
    assert.deepEqual(refused.body.indexes, []);
    assert.doesNotMatch(refused.text, /author/);
    const { missing } = await explained(name, { sort: ['-score'], as: { sub: ada.id } });
    assert.deepEqual(missing, [{ keys: { author: 1, score: -1 } }]);
    // To an administrator's own query the rule adds nothing.
    assert.deepEqual((await explained(name, {})).missing, []);
    const defined = await define(name, { rules: ofOwners, indexes: missing });
    assert.equal(defined.body.warnings, undefined);
    assert.equal(itemsOf(await query(name, { sort: ['-score'] })).length, 1);
    // Their own records are few: what else is asked of them needs none.
    assert.equal(itemsOf(await query(name, { filter: { title: 'title 7' } })).length, 1);
  });

  it('scan where an administrator allows it: once, or by the definition', async () => {
    const name = await fill({ rules: ofWhatIsNotHidden });
    const filter = { author: 'usr_3' };
    assert.equal(itemsOf(await query(name, { filter, scan: 'allow' }, admin)).length, 20);
    const path = `GET /v1/data/${name}?scan=allow&limit=1&filter=${encodeURIComponent(JSON.stringify(filter))}`;
    const page = await replica.call(path, { token: admin.token });
    assert.equal(itemsOf(page).length, 1);
    assert.match(page.headers.get('link') ?? '', /scan=allow/);
    assert.equal((await replica.call(path, { token: ada.token })).status, 403);
    assert.equal((await replica.call(path)).status, 403);
    const { refused, examined, returned } = await explained(name, { filter, scan: 'allow' });
    assert.deepEqual([refused, examined?.records, returned], [true, 1_004, 20]);
    await define(name, { rules: ofWhatIsNotHidden, scans: 'allow' });
    assert.equal(itemsOf(await query(name, { filter })).length, 20);
    assert.equal((await explained(name, { filter })).refused, false);
    await define(name, { rules: ofWhatIsNotHidden, scans: 'refuse' });
    assert.deepEqual(outcome(await query(name, { filter })), needsIndex);
  });

  it('are explained to administrators alone', async () => {
    const name = await fill({ rules: ofWhatIsNotHidden });
    const asked = { filter: { status: 'published' }, sort: ['-score'] };
    const answer = await query(name, { ...asked, explain: true }, admin);
    const plain = await query(name, asked, admin);
    const { explain, ...rest } = answer.body as unknown as { explain: Explained };
    assert.deepEqual(rest, plain.body);
    assert.deepEqual(explain, {
      indexes: [byStatus],
      plan: explain.plan,
      examined: { keys: 21, records: 21 },
      returned: 20,
      ms: explain.ms,
      sortedInMemory: false,
      missing: [],
      refused: false,
    });
    assert.ok(explain.plan.includes('IXSCAN') && typeof explain.ms === 'number');
    const inAddress = `/v1/data/${name}?explain=true&sort=-score&filter=${encodeURIComponent('{"status":"published"}')}`;
    const listed = await replica.call(`GET ${inAddress}`, { token: admin.token });
    assert.deepEqual((listed.body as unknown as { explain: Explained }).explain.examined, explain.examined);
    assert.equal((await replica.call(`GET ${inAddress}`, { token: ada.token })).status, 403);
    assert.equal((await query(name, { explain: true })).status, 403);
    assert.equal((await query(name, { explain: true, as: { roles: ['admin'] } })).status, 403);
    const unexplained = await query(name, { as: { sub: ada.id } }, admin);
    const [error] = (unexplained.body as unknown as { errors: { pointer: string; code: string }[] }).errors;
    assert.deepEqual([unexplained.status, error?.pointer, error?.code], [400, '/as', 'not-explained']);
    const headers = { accept: 'text/csv' };
    assert.equal((await replica.call(`GET ${inAddress}`, { token: admin.token, headers })).status, 400);
  });

  it('count and sort no more than they may cost', async () => {
    const name = await fill({ rules: ofWhatIsNotHidden });
    const strict = await data.replica({ QUERY_SCAN_LIMIT: '1000', QUERY_COST: '600' });
    const ask = (body: Query, person = ada): Promise<Answered> =>
      strict.call(`POST /v1/data/${name}/query`, { body, token: person.token });
    const published = { status: 'published' };
    assert.equal((await ask({ filter: published, count: true })).body.count, 600);
    const costly = [422, 'query-too-costly'];
    assert.deepEqual(outcome(await ask({ count: true })), costly);
    assert.equal((await ask({ count: true, scan: 'allow' }, admin)).body.count, size);
    itemsOf(await ask({ filter: published, sort: ['title'] }));
    const statuses = { status: { $in: ['published', 'draft'] } };
    const refused = await ask({ filter: statuses, sort: ['title'] });
    assert.deepEqual(outcome(refused), costly);
    assert.deepEqual(refused.body.indexes, [{ keys: { status: 1, title: 1 } }]);
    itemsOf(await ask({ filter: statuses, sort: ['title'], scan: 'allow' }, admin));
    await strict.stop();
  });

  it('may scan up to 10,000 records where no setting says otherwise', async () => {
    const standard = await data.replica();
    const [few, many] = [await fill({ rules: ofWhatIsNotHidden }), await fill({ rules: ofWhatIsNotHidden }, 12_000)];
    const ask = (name: string): Promise<Answered> =>
      standard.call(`POST /v1/data/${name}/query`, { body: { filter: { author: 'usr_7' } }, token: ada.token });
    assert.equal(itemsOf(await ask(few)).length, 20);
    assert.deepEqual(outcome(await ask(many)), needsIndex);
    await standard.stop();
  });

  it('are not judged where the collection is small', async () => {
    const name = await fill({ rules: ofOwners }, 500);
    assert.equal(itemsOf(await query(name, { filter: { title: 'title 7' } })).length, 1);
    const { refused, missing } = await explained(name, { filter: { title: 'title 7' } });
    assert.deepEqual([refused, missing], [false, [{ keys: { title: 1 } }]]);
  });
});
