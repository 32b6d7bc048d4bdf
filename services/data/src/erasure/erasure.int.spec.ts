import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { isRedacted } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';

import { openTestData } from '../testing/test-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../testing/test-data.ts';
import { openFeed } from '../testing/test-feed.ts';

type Counts = Readonly<Record<string, number>>;

describe('somebody who is erased', () => {
  let data: TestData;
  let replica: TestReplica;
  let admin: Person;
  let bob: Person;

  before(async () => {
    data = await openTestData();
    replica = await data.replica();
    admin = await data.person({ roles: ['admin'] });
    bob = await data.person();
  });
  after(() => data.stop());

  const definition = {
    schema: { type: 'object', properties: { text: { type: 'string' } } },
    rules: { read: 'signed-in', create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
  };
  const define = async (onErase: 'keep' | 'delete'): Promise<{ name: string; id: string }> => {
    const name = `c${randomUUID().slice(0, 8)}`;
    const made = await replica.call(`PUT /v1/collections/${name}`, {
      body: { ...definition, onErase },
      token: admin.token,
    });
    assert.equal(made.status, 201, made.text);
    return { name, id: String(made.body.id) };
  };
  const create = async (name: string, { token }: Person, text: string): Promise<string> => {
    const made = await replica.call(`POST /v1/data/${name}`, { body: { text }, token });
    assert.equal(made.status, 201, made.text);
    return String(made.body.id);
  };
  const change = async (name: string, id: string, { token }: Person, text: string): Promise<void> => {
    const answer = await replica.call(`PUT /v1/data/${name}/${id}`, { body: { text }, token });
    assert.equal(answer.status, 200, answer.text);
  };
  const read = (name: string, id: string, headers: Record<string, string> = {}): Promise<Answered> =>
    replica.call(`GET /v1/data/${name}/${id}`, { token: admin.token, headers });
  /** As the marker says; for as long as many records take on a busy machine. */
  const told = async (status: 'prepared' | 'completed', { id }: Person): Promise<Counts> => {
    const markers = data.db.collection<{ _id: string; status: string; counts: Counts }>('removals');
    const deadline = performance.now() + 60_000;
    for (;;) {
      const marker = await markers.findOne({ _id: id, status });
      if (marker !== null) return marker.counts;
      assert.ok(performance.now() < deadline, `it is never ${status}`);
      await delay(10);
    }
  };
  const removed = async (person: Person, step: 'requested' | 'settled' = 'requested'): Promise<Counts> => {
    await data.erase(person.id, step);
    return told(step === 'requested' ? 'prepared' : 'completed', person);
  };
  const importMany = async (name: string, { token }: Person, count: number): Promise<void> => {
    const body = Array.from({ length: count }, (_, index) => JSON.stringify({ text: `line ${index}` })).join('\n');
    const answer = await replica.call(`POST /v1/data/${name}`, { body, token, type: 'application/x-ndjson' });
    assert.equal((answer.body as { created?: number }).created, count, answer.text);
  };
  const namedIn = ({ id }: { id: string }, person: Person): Promise<number> =>
    data.db.collection(`records_${id}`).countDocuments({ $or: [{ createdBy: person.id }, { updatedBy: person.id }] });

  it('leaves records without their name, or none, as each collection says', async () => {
    const ada = await data.person();
    const [kept, going] = [await define('keep'), await define('delete')];
    const mine = await create(kept.name, ada, 'kept');
    const changed = await create(kept.name, bob, 'of bob');
    await change(kept.name, changed, ada, 'changed by ada');
    const theirs = await create(kept.name, ada, 'first ada, then bob');
    await change(kept.name, theirs, bob, 'last bob');
    const gone = await create(going.name, ada, 'secret');
    const bobs = await create(going.name, bob, 'of bob, changed by ada');
    await change(going.name, bobs, ada, 'changed');
    // It is in the caches from here on.
    const position = (await read(kept.name, mine)).headers.get('causeway-position') ?? '';
    assert.equal((await read(kept.name, mine, { 'causeway-after': position })).body.createdBy, ada.id);
    const feed = await openFeed(replica, going.name, { token: bob.token });
    const other = await openFeed(replica, kept.name, { token: bob.token });

    const counts = await removed(ada);
    assert.deepEqual(counts, { recordsDeleted: 1, recordsKept: 4 });
    const { createdBy, updatedBy, text, revision } = (await read(kept.name, mine)).body as Record<string, unknown>;
    assert.deepEqual(
      { createdBy, updatedBy, text, revision },
      { createdBy: undefined, updatedBy: undefined, text: 'kept', revision: 2 },
    );
    const after = (await read(kept.name, changed)).body as Record<string, unknown>;
    assert.deepEqual([after.createdBy, after.updatedBy, after.text], [bob.id, undefined, 'changed by ada']);
    const last = (await read(kept.name, theirs)).body as Record<string, unknown>;
    assert.deepEqual([last.createdBy, last.updatedBy, last.text], [undefined, bob.id, 'last bob']);
    assert.equal((await read(going.name, gone)).status, 404);
    assert.equal((await read(going.name, bobs)).body.createdBy, bob.id);
    assert.equal((await read(going.name, bobs)).body.updatedBy, undefined);
    const now = (await read(kept.name, mine)).headers.get('causeway-position') ?? '';
    assert.equal((await read(kept.name, mine, { 'causeway-after': now })).body.createdBy, undefined, 'no cache has it');

    const changes = await feed.count(2);
    assert.deepEqual(
      new Set(changes.map(({ event, recordId }) => `${event} ${recordId}`)),
      new Set([`deleted ${gone}`, `updated ${bobs}`]),
    );
    for (const { record } of await other.count(3)) assert.notEqual(record?.createdBy, ada.id);
    feed.close();
    other.close();
  });

  it('is in no collection of the database once it is settled, but for the id of the marker', async () => {
    const ada = await data.person();
    const [kept, going] = [await define('keep'), await define('delete')];
    const mine = await create(kept.name, ada, 'kept');
    await change(kept.name, mine, bob, 'bob was here');
    await change(kept.name, mine, ada, 'and ada');
    const secret = `secret ${randomUUID()}`;
    await create(going.name, ada, secret);
    const before = await create(going.name, ada, `${secret} deleted before`);
    await replica.call(`DELETE /v1/data/${going.name}/${before}`, { token: ada.token });
    const changedByBob = await create(going.name, ada, secret);
    await change(going.name, changedByBob, bob, `${secret} too`);
    await removed(ada);
    // A call that was in flight.
    await create(kept.name, ada, 'late');
    await create(going.name, ada, `${secret} late`);
    const counts = await removed(ada, 'settled');
    assert.deepEqual([counts.recordsDeleted, counts.recordsKept], [3, 2]);

    const texts: string[] = [];
    for (const { name } of await data.db.listCollections().toArray()) {
      for await (const row of data.db.collection(name).find()) texts.push(`${name} ${JSON.stringify(row)}`);
    }
    const left = texts.filter((each) => each.includes(secret));
    assert.deepEqual(left, [], 'what was to be deleted is nowhere');
    const named = texts.filter((each) => each.includes(ada.id) && !/^(?:persons|removals) /.test(each));
    // Events about the removal itself, whose subject is the id.
    const others = named.filter((each) => !each.includes(`"subject":"removal/${ada.id}"`));
    assert.deepEqual(others, []);
    const log = data.db.collection<{ _id: string; event: EventEnvelope }>('events');
    const about = (id: string) =>
      log
        .find({ 'event.subject': `record/${id}` })
        .sort({ pos: 1 })
        .toArray();
    const keptEvents = await about(mine);
    assert.ok(keptEvents.length >= 4 && keptEvents.every(({ event }) => !isRedacted(event)), 'what stays is told on');
    const goneEvents = [...(await about(changedByBob)), ...(await about(before))];
    assert.ok(goneEvents.length >= 5 && goneEvents.every(({ event }) => isRedacted(event)));
    const bobs = await log.countDocuments({ 'event.authid': bob.id });
    assert.ok(bobs > 0, 'others are named as before');
  });

  it('goes on at another replica where the first one is gone', async () => {
    const ada = await data.person();
    const [kept, going] = [await define('keep'), await define('delete')];
    await importMany(kept.name, ada, 600);
    await importMany(going.name, ada, 100);
    const second = await data.replica();
    await data.erase(ada.id, 'requested');
    const begun = performance.now();
    while ((await namedIn(kept, ada)) === 600) {
      assert.ok(performance.now() - begun < 60_000, 'it begins');
      await delay(2);
    }
    await replica.stop();
    replica = second;
    await told('prepared', ada);
    assert.deepEqual([await namedIn(kept, ada), await namedIn(going, ada)], [0, 0]);
    assert.equal(await data.db.collection(`records_${kept.id}`).countDocuments(), 600);
    assert.equal(await data.db.collection(`records_${going.id}`).countDocuments(), 0);
    const revisions = await data.db.collection(`records_${kept.id}`).distinct('revision');
    assert.deepEqual(revisions, [2], 'each was written once');
  });

  it('is removed while definitions change', async () => {
    const ada = await data.person();
    const [kept, going] = [await define('keep'), await define('delete')];
    await importMany(kept.name, ada, 300);
    await importMany(going.name, ada, 100);
    let isOver = false;
    const changing = async (): Promise<void> => {
      for (let round = 0; !isOver; round += 1) {
        for (const { name, onErase } of [
          { ...kept, onErase: 'keep' },
          { ...going, onErase: 'delete' },
        ]) {
          const schema = { ...definition.schema, description: `round ${round}` };
          const answer = await replica.call(`PUT /v1/collections/${name}`, {
            body: { ...definition, schema, onErase },
            token: admin.token,
          });
          assert.equal(answer.status, 200, answer.text);
          await delay(100);
        }
      }
    };
    const changes = changing();
    const counts = await removed(ada).finally(() => (isOver = true));
    await changes;
    assert.deepEqual(counts, { recordsDeleted: 100, recordsKept: 300 });
    assert.deepEqual([await namedIn(kept, ada), await namedIn(going, ada)], [0, 0]);
  });
});
