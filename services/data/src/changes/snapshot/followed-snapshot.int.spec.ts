import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';

import { parseAfter } from '@causeway/events';
import { Timestamp } from 'mongodb';

import { parseFilter } from '../../queries/asked-query.ts';
import { inParameters } from '../../queries/query-parameters.ts';
import { mergePatchType } from '../../records/merge-patch.ts';
import type { SnapshotGround } from '../../testing/snapshot-ground.ts';
import { createNotingWriter, openSnapshotGround } from '../../testing/snapshot-ground.ts';
import { Feed } from '../feed.ts';
import { createSharedSights } from '../shared-sights.ts';
import type { RecordChange } from '../record-change.ts';

const nothing = (): Promise<void> => Promise.resolve();

describe('a snapshot by a rule that follows references, at a process that learns late of their changes', () => {
  let ground: SnapshotGround;

  before(async () => {
    ground = await openSnapshotGround();
  });
  after(() => ground.stop());

  /** A feed of ada's, on the one task of a project that has had these members, one after the other, and what those changes were. */
  const open = async (drained: (changes: readonly RecordChange[], feed: Feed) => Promise<void>, ...had: string[][]) => {
    const [project, tasks] = [`p${randomUUID().slice(0, 8)}`, `t${randomUUID().slice(0, 8)}`];
    await ground.write(`PUT /v1/collections/${project}`, {
      schema: { properties: { members: { type: 'array', items: { type: 'string' } } } },
    });
    await ground.write(`PUT /v1/collections/${tasks}`, {
      schema: { properties: { project: { type: 'string' } } },
      fields: { project: { reference: { collection: project } } },
      rules: { read: [{ project: { $follow: { members: { $auth: 'sub' } } } }] },
    });
    const made = await ground.write(`POST /v1/data/${project}`, {});
    const id = String(made.body.id);
    await ground.write(`POST /v1/data/${tasks}`, { project: id });
    const [target, collection] = [await ground.find(project), await ground.find(tasks)];
    const changes: RecordChange[] = [];
    const changed = (members: readonly string[], position: Timestamp): RecordChange => {
      const [revision, time] = [changes.length + 2, new Date()];
      const record = { _id: id, revision, fields: { members }, createdAt: time, updatedAt: time };
      const about = { collectionId: target.id, id, revision, eventId: `e${revision}`, time, inTransaction: false };
      return { ...about, position, before: undefined, after: record };
    };
    for (const members of had) {
      const answer = await ground.write(`PATCH /v1/data/${project}/${id}`, { members }, mergePatchType);
      const position = parseAfter(answer.headers.get('causeway-position') ?? undefined);
      changes.push(changed(members, position ?? assert.fail('it has no position')));
    }
    const writer = createNotingWriter(() => drained(changes, feed));
    const feed: Feed = new Feed({
      ...{ collection, token: undefined, filter: parseFilter(undefined, inParameters), writer, snapshots: true },
      caller: { signedIn: true, administrator: false, auth: { sub: 'usr_ada' } },
      beginCursors: () => 'cursor',
      shared: createSharedSights(),
    });
    const send = () =>
      ground.sender({ take: () => assert.fail() })(feed, {
        notBefore: changes.at(-1)?.position,
        place: () => undefined,
      });
    return { feed, changes, send, told: writer.told };
  };

  for (const { what, had, told } of [
    { what: 'a right that is lost since', had: [['usr_ada'], ['usr_eve']], told: ['ready'] },
    { what: 'a right that was lost, and is there again', had: [[], ['usr_ada']], told: ['current', 'ready'] },
  ]) {
    it(`is sent by the rights of its time, where it hears meanwhile of ${what}`, async () => {
      const { feed, changes, send, told: is } = await open(nothing, ...had);
      const sent = send();
      // It has begun to look, and has found nothing yet.
      for (const change of changes.slice(0, 1)) feed.hear([change]);
      const place = await sent;
      assert.deepEqual(is, told);
      for (const change of changes) feed.hear([change]);
      assert.deepEqual([place === undefined, feed.isOutdated], [false, false]);
    });
  }

  it('is sent whole, where it hears while the rows go out of what was committed before', async () => {
    const hear = ([first]: readonly RecordChange[], feed: Feed): Promise<void> => {
      feed.hear([first ?? assert.fail()]);
      return nothing();
    };
    const { send, told } = await open(hear, [], ['usr_ada']);
    await send();
    assert.deepEqual(told, ['current', 'ready']);
  });

  it('is not sent further, where a right is lost after its time', async () => {
    const lose = ([first = assert.fail()]: readonly RecordChange[], feed: Feed): Promise<void> => {
      const position = new Timestamp({ t: first.position.t + 3_600, i: 1 });
      feed.hear([{ ...first, position, after: undefined }]);
      return nothing();
    };
    const { send, told } = await open(lose, ['usr_ada']);
    await send();
    assert.deepEqual(told, ['gap {"reason":"rights"}']);
  });
});
