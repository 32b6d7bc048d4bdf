import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { Change } from '@causeway/events';
import { Timestamp } from 'mongodb';

import { createCollectionVersions } from './collection-versions.ts';

const at = (t: number): Timestamp => new Timestamp({ t, i: 1 });

/** A commit stream that a test moves. */
const createStream = () => {
  let hear: (change: Change) => void = () => undefined;
  let miss: () => void = () => undefined;
  const stream = {
    position: undefined as Timestamp | undefined,
    subscribe(listener: (change: Change) => void, onGap: () => void = () => undefined) {
      [hear, miss] = [listener, onGap];
      return () => undefined;
    },
  };
  return {
    stream,
    beacon: (t: number): void => void (stream.position = at(t)),
    change(t: number, collection: string): void {
      stream.position = at(t);
      hear({ collection, clusterTime: at(t) } as Change);
    },
    gap: (): void => miss(),
  };
};

describe('the version of a collection', () => {
  it('is unknown until the stream has said where it stands', () => {
    const { stream, beacon } = createStream();
    const versions = createCollectionVersions(stream);
    assert.equal(versions.of('col_1'), undefined);
    beacon(5);
    assert.deepEqual(versions.of('col_1'), at(5));
  });

  it('stays where others change, and rises with its own changes', () => {
    const { stream, beacon, change } = createStream();
    const versions = createCollectionVersions(stream);
    beacon(5);
    assert.deepEqual(versions.of('col_1'), at(5));
    change(6, 'records_col_2');
    change(7, 'definitions');
    beacon(8);
    assert.deepEqual(versions.of('col_1'), at(5));
    change(9, 'records_col_1');
    beacon(10);
    assert.deepEqual(versions.of('col_1'), at(9));
  });

  it('is unknown after changes may have been missed, until a position follows that lies behind them', () => {
    const { stream, beacon, change, gap } = createStream();
    const versions = createCollectionVersions(stream);
    change(6, 'records_col_1');
    assert.deepEqual(versions.of('col_1'), at(6));
    gap();
    // It stands where it stood when it broke: what was missed came after that.
    assert.equal(versions.of('col_1'), undefined);
    beacon(9);
    assert.deepEqual(versions.of('col_1'), at(9));
    change(10, 'records_col_1');
    assert.deepEqual(versions.of('col_1'), at(10));
  });

  it('takes changes in that come before anybody asks', () => {
    const { stream, beacon, change, gap } = createStream();
    const versions = createCollectionVersions(stream);
    beacon(5);
    gap();
    change(7, 'records_col_1');
    assert.deepEqual(versions.of('col_1'), at(7));
    assert.deepEqual(versions.of('col_2'), at(7));
  });
});
