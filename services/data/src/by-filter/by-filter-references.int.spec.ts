import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { mergePatchType } from '../records/merge-patch.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

const open = { read: 'public', create: 'public', update: 'public', delete: 'public' } as const;

type OnDelete = 'restrict' | 'cascade' | 'null';

interface Many {
  readonly matched: number;
  readonly changed?: number;
  readonly deleted?: number;
  readonly refused: readonly { readonly id: string; readonly problem: { readonly code: string } }[];
}

describe('writes by filter keep to references', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
  });
  after(() => data.stop());

  const newName = (): string => `c${randomUUID().slice(0, 8)}`;
  const define = async (
    references: Readonly<Record<string, readonly [string, OnDelete]>> = {},
    name = newName(),
    rules: object = open,
  ) => {
    const entries = Object.entries(references);
    const properties = Object.fromEntries(entries.map(([field]) => [field, { type: ['string', 'null'] }]));
    const fields = entries.map(([field, [collection, onDelete]]) => [field, { reference: { collection, onDelete } }]);
    const body = {
      schema: { properties: { n: { type: 'number' }, ...properties } },
      fields: Object.fromEntries(fields) as object,
      rules,
    };
    const answer = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.ok(answer.status < 300, answer.text);
    return name;
  };
  const made = async (collection: string, body: object = {}): Promise<string> => {
    const answer = await replica.call(`POST /v1/data/${collection}`, { body });
    assert.equal(answer.status, 201, answer.text);
    return String(answer.body.id);
  };
  const address = (collection: string, filter: object, dryRun: boolean): string =>
    `/v1/data/${collection}?dryRun=${dryRun}&filter=${encodeURIComponent(JSON.stringify(filter))}`;
  const done = (answer: Answered): Many => {
    assert.equal(answer.status, 200, answer.text);
    return { ...answer.body, dryRun: undefined } as unknown as Many;
  };
  /** Says first what it is going to do. */
  const remove = async (collection: string, filter: object): Promise<Many> => {
    const rehearsed = done(await replica.call(`DELETE ${address(collection, filter, true)}`));
    const run = done(await replica.call(`DELETE ${address(collection, filter, false)}`));
    assert.deepEqual(rehearsed, run);
    return run;
  };
  const patch = async (collection: string, filter: object, body: object): Promise<Many> => {
    const ask = { body, type: mergePatchType };
    const rehearsed = done(await replica.call(`PATCH ${address(collection, filter, true)}`, ask));
    const run = done(await replica.call(`PATCH ${address(collection, filter, false)}`, ask));
    assert.deepEqual(rehearsed, run);
    return run;
  };
  const all = async (collection: string): Promise<{ id: string; to?: string | null; revision: number }[]> => {
    const answer = await replica.call(`GET /v1/data/${collection}?limit=200`);
    assert.equal(answer.status, 200, answer.text);
    return answer.body.items as unknown as { id: string; to?: string | null; revision: number }[];
  };
  const codes = ({ refused }: Many): string[] => refused.map(({ id, problem }) => `${id} ${problem.code}`);

  it('where records go that others refer to', async () => {
    const top = await define();
    const kept = await define({ to: [top, 'restrict'] });
    const along = await define({ to: [top, 'cascade'] });
    const loose = await define({ to: [top, 'null'] });
    const ids: string[] = [];
    for (const n of [1, 2, 3, 4]) ids.push(await made(top, { n }));
    const [first = '', second = '', third = ''] = ids;
    await made(kept, { to: first });
    for (const to of [second, second, third]) await made(along, { to });
    const loosened = await made(loose, { to: second });
    const run = await remove(top, { n: { $lt: 4 } });
    assert.deepEqual([run.matched, run.deleted, codes(run)], [3, 2, [`${first} still-referenced`]]);
    assert.deepEqual((await all(top)).map(({ id }) => id).sort(), [first, ids[3]].sort());
    assert.deepEqual(await all(along), []);
    const [one] = await all(loose);
    assert.deepEqual([one?.id, one?.to, one?.revision], [loosened, null, 2]);
  });

  it('where only some may be deleted', async () => {
    const top = await define({}, newName(), { ...open, delete: [{ n: 1 }] });
    await define({ to: [top, 'null'] });
    const [, kept] = [await made(top, { n: 1 }), await made(top, { n: 2 })];
    const run = await remove(top, {});
    assert.deepEqual([run.matched, run.deleted, codes(run)], [2, 1, [`${kept} forbidden`]]);
  });

  it('where records that match refer to one another, each by what those before it have left', async () => {
    const name = newName();
    await define({}, name);
    await define({ to: [name, 'cascade'], from: [name, 'restrict'], other: [name, 'null'] }, name);
    const [a, b] = [await made(name, { n: 1 }), await made(name, { n: 1 })];
    const c = await made(name, { n: 1, to: a });
    await made(name, { n: 1, from: b });
    const e = await made(name, { n: 1, other: c });
    const g = await made(name, { n: 2, from: e });
    const run = await remove(name, { n: 1 });
    // With a goes c, of which e lets go; what refers to b keeps it until it goes itself, and g keeps e.
    const expected = [`${b} still-referenced`, `${e} still-referenced`];
    assert.deepEqual([run.matched, run.deleted, codes(run)], [4, 2, expected]);
    assert.deepEqual((await all(name)).map(({ id }) => id).sort(), [b, e, g].sort());
    assert.equal((await remove(name, { n: 1, id: { $ne: e } })).deleted, 1);
  });

  it('where a record that would match no more is one that an earlier delete has changed', async () => {
    const name = newName();
    await define({}, name);
    await define({ to: [name, 'null'] }, name);
    const target = await made(name, { n: 1 });
    const referring = await made(name, { to: target });
    const run = await remove(name, { $or: [{ n: 1 }, { to: target }] });
    assert.deepEqual([run.matched, run.deleted], [1, 1]);
    assert.deepEqual(
      (await all(name)).map(({ id }) => id),
      [referring],
    );
  });

  it('where they name others', async () => {
    const top = await define();
    const name = await define({ to: [top, 'restrict'] });
    const target = await made(top);
    for (let n = 0; n < 12; n += 1) await made(name, { n, ...(n < 4 ? { to: target } : {}) });
    const missing = await patch(name, {}, { to: 'rec_00000000000000000000000000' });
    assert.deepEqual([missing.matched, missing.changed], [12, 0]);
    assert.deepEqual([...new Set(missing.refused.map(({ problem }) => problem.code))], ['reference-not-found']);
    const run = await patch(name, { n: { $gte: 2 } }, { to: target });
    assert.deepEqual([run.matched, run.changed], [10, 8]);
    assert.equal((await all(name)).filter(({ to }) => to === target).length, 12);
    assert.deepEqual(codes(await remove(top, {})), [`${target} still-referenced`]);
  });
});
