import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { createHeldStream } from '../testing/held-stream.ts';
import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';

interface Item {
  readonly n: number;
}

/** So many ask at once that waiting together is worth it. */
const together = 100;
const path = (name: string): string => `GET /v1/data/${name}?sort=n`;
const numbersOf = ({ body }: Answered): number[] => (body.items as unknown as Item[]).map(({ n }) => n);

describe('pages for those who have not said what they have seen', () => {
  let data: TestData;
  let replica: TestReplica;
  /** Its commit stream can be held back. */
  let late: TestReplica;
  const held = createHeldStream();
  let admin: Person;

  before(async () => {
    data = await openTestData();
    [replica, late] = [await data.replica(), await data.replica({}, held)];
    admin = await data.person({ roles: ['admin'] });
  });
  after(() => data.stop());

  const define = async (name: string): Promise<string> => {
    const body = {
      schema: { properties: { n: { type: 'number' } } },
      indexes: [{ keys: { n: 1 } }],
      rules: { read: 'public' },
    };
    const defined = await replica.call(`PUT /v1/collections/${name}`, { body, token: admin.token });
    assert.equal(defined.status, 201, defined.text);
    return String(defined.body.id);
  };
  const create = async (name: string, n: number): Promise<string> => {
    const made = await replica.call(`POST /v1/data/${name}`, { body: { n }, token: admin.token });
    assert.equal(made.status, 201, made.text);
    return String(made.body.id);
  };
  const list = async (name: string, at = replica): Promise<number[]> => {
    const answered = await at.call(path(name));
    assert.equal(answered.status, 200, answered.text);
    return numbersOf(answered);
  };
  const listTogether = (name: string, at = replica): Promise<number[][]> =>
    Promise.all(Array.from({ length: together }, () => list(name, at)));
  /** Changes what is stored behind the service's back, where no commit stream tells of it. */
  const tamper = async (collectionId: string, n: number): Promise<void> => {
    const native = data.db.collection(`records_${collectionId}`);
    await native.updateMany({}, { $set: { 'fields.n': n } }, { bypassDocumentValidation: true });
  };
  /** Asks until the answer is one that was kept: MongoDB has another one since. */
  const untilKept = async (name: string, collectionId: string, at = replica): Promise<number> => {
    const deadline = performance.now() + 60_000;
    for (let n = 1_000; performance.now() < deadline; n += 1) {
      await tamper(collectionId, n);
      const answers = await listTogether(name, at);
      const kept = answers.flat().find((each) => each !== n);
      if (kept !== undefined) return kept;
    }
    return assert.fail('nothing was kept in 60 s');
  };

  it('are what is kept, where many ask at once, and MongoDB’s to who asks alone', async () => {
    const id = await define('kept');
    await create('kept', 1);
    const kept = await untilKept('kept', id);
    // A moment later, for who comes soon after many is answered as they are.
    const deadline = performance.now() + 60_000;
    while (((await list('kept'))[0] ?? 0) <= kept) {
      assert.ok(performance.now() < deadline, 'who asks alone is answered from what is kept');
    }
  });

  const write = async (name: string, id: string, n: number): Promise<void> => {
    const type = 'application/merge-patch+json';
    const written = await replica.call(`PATCH /v1/data/${name}/${id}`, { body: { n }, type, token: admin.token });
    assert.equal(written.status, 200, written.text);
  };

  it('show all that was acknowledged before they were asked for, also where the commit stream is late', async () => {
    const id = await define('written');
    const record = await create('written', 1);
    await untilKept('written', id, late);
    for (let n = 1; n <= 30; n += 1) {
      // Kept by those who ask for it again and again while nothing changes.
      for (let times = 0; times < 3; times += 1) await list('written', late);
      if (n % 2 === 0) held.hold();
      await write('written', record, n);
      const answers = listTogether('written', late);
      await delay(n % 40);
      held.release();
      for (const answer of await answers) assert.deepEqual(answer, [n], 'what was acknowledged before is not in it');
    }
  });

  it('are MongoDB’s where the commit stream does not come up', async () => {
    const id = await define('late');
    const record = await create('late', 1);
    await untilKept('late', id, late);
    held.hold();
    await write('late', record, 2);
    for (let times = 0; times < 3; times += 1) {
      for (const answer of await listTogether('late', late)) assert.deepEqual(answer, [2]);
    }
    held.release();
  });
});
