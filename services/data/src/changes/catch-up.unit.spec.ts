import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { recordCreated } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import { HistoryLost } from '@causeway/events';
import type { Change } from '@causeway/events';
import { Timestamp } from 'mongodb';

import { createCatchUp } from './catch-up.ts';
import type { RecordChange } from './record-change.ts';

const at = (t: number): Timestamp => new Timestamp({ t, i: 1 });

/** A commit stream with one change of a collection each second, up to now. */
function streamOf(changes: number, oldest = 0) {
  const opened: number[] = [];
  return {
    opened,
    async *readFrom(from: Timestamp, _signal: AbortSignal, until?: Timestamp): AsyncGenerator<Change> {
      opened.push(from.t);
      if (from.t < oldest) throw new HistoryLost('the oplog no longer reaches back so far');
      for (let t = from.t; t <= changes && (until === undefined || t <= until.t); t += 1) {
        const event = { id: `e${t}`, type: recordCreated.type, time: '2026-01-01T00:00:00.000Z', data: { fields: {} } };
        yield {
          collection: t % 2 === 0 ? 'records_col_even' : 'records_col_odd',
          id: `rec_${t}`,
          revision: 1,
          event: event as unknown as EventEnvelope,
          document: undefined,
          deleted: false,
          clusterTime: at(t),
          transaction: undefined,
        };
      }
    },
  };
}

describe('catching up', () => {
  const { signal } = new AbortController();
  const follow = async (catchUp: ReturnType<typeof createCatchUp>, from: number, collectionId = 'col_even') => {
    const told: string[] = [];
    const place = { position: at(from), eventId: undefined };
    const tell = (changes: readonly RecordChange[]): void => void told.push(...changes.map(({ eventId }) => eventId));
    const end = await catchUp.read(place, [collectionId], tell, signal);
    return { told, end: end.position.t };
  };

  it('tells what lies after a place, of one collection, up to now', async () => {
    const catchUp = createCatchUp(streamOf(20), () => at(9));
    assert.deepEqual(await follow(catchUp, 3), { told: ['e4', 'e6', 'e8'], end: 9 });
    assert.deepEqual(await follow(catchUp, 4, 'col_odd'), { told: ['e5', 'e7', 'e9'], end: 9 });
  });

  it('waits for all who are told a change at once, not for one after the other', async () => {
    const catchUp = createCatchUp(streamOf(2), () => at(2));
    const told = Promise.withResolvers<undefined>();
    let waiting = 0;
    const tell = (): Promise<undefined> => {
      waiting += 1;
      if (waiting === 3) told.resolve(undefined);
      return told.promise;
    };
    const place = { position: at(1), eventId: undefined };
    await Promise.all(Array.from({ length: 3 }, () => catchUp.read(place, ['col_even'], tell, signal)));
    assert.equal(waiting, 3);
  });

  it('tells the changes of a transaction together, and only those after a place within it', async () => {
    const change = (t: number, id: string, collection: string, transaction?: string): Change => ({
      collection: `records_col_${collection}`,
      id,
      revision: 1,
      event: {
        id,
        type: recordCreated.type,
        time: '2026-01-01T00:00:00.000Z',
        data: { fields: {} },
      } as unknown as EventEnvelope,
      document: undefined,
      deleted: false,
      clusterTime: at(t),
      transaction,
    });
    const stream = {
      async *readFrom(): AsyncGenerator<Change> {
        yield change(2, 'a', 'even', 'x');
        yield change(2, 'b', 'odd', 'x');
        yield change(2, 'c', 'even', 'x');
        yield change(2, 'd', 'even', 'x');
        yield change(3, 'e', 'even');
        yield change(4, 'f', 'even');
      },
    };
    const catchUp = createCatchUp(stream, () => at(9));
    const read = async (t: number, eventId?: string): Promise<string[][]> => {
      const told: string[][] = [];
      const tell = (changes: readonly RecordChange[]) => void told.push(changes.map(({ id }) => id));
      await catchUp.read({ position: at(t), eventId }, ['col_even'], tell, signal);
      return told;
    };
    assert.deepEqual(await read(1), [['a', 'c', 'd'], ['e'], ['f']]);
    // Of whichever collection the change is that was told last.
    assert.deepEqual(await read(2, 'b'), [['c', 'd'], ['e'], ['f']]);
    assert.deepEqual(await read(2, 'c'), [['d'], ['e'], ['f']]);
    assert.deepEqual(await read(2), [['e'], ['f']]);
  });

  it('opens one stream for a thousand who come at once', async () => {
    const stream = streamOf(20);
    const catchUp = createCatchUp(stream, () => at(20));
    const all = await Promise.all(Array.from({ length: 1_000 }, (_, index) => follow(catchUp, index % 20)));
    assert.deepEqual(stream.opened, [0]);
    for (const [index, { told }] of all.entries()) {
      const expected = Array.from({ length: 20 }, (_each, t) => t + 1).filter((t) => t > index % 20 && t % 2 === 0);
      assert.deepEqual(
        told,
        expected.map((t) => `e${t}`),
      );
    }
  });

  it('tells only those whose place is too old that it is lost', async () => {
    const catchUp = createCatchUp(streamOf(10, 5), () => at(10));
    const [lost, found] = await Promise.allSettled([follow(catchUp, 2), follow(catchUp, 6)]);
    assert.ok(lost.status === 'rejected' && lost.reason instanceof HistoryLost);
    assert.ok(found.status === 'fulfilled');
    assert.deepEqual(found.value.told, ['e8', 'e10']);
  });

  it('lets nobody wait for ever where reading fails', async () => {
    const failing = {
      readFrom(): AsyncIterable<Change> {
        throw new Error('no connection');
      },
    };
    await assert.rejects(
      follow(
        createCatchUp(failing, () => at(1)),
        0,
      ),
      /no connection/,
    );
    await assert.rejects(
      follow(
        createCatchUp(streamOf(1), () => undefined),
        0,
      ),
      /not known/,
    );
  });
});
