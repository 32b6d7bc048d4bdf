import type { EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PendingRows } from './pending-rows.ts';

const outbox = (...sequences: string[]) => sequences.map((sequence) => ({ sequence })) as unknown as EventEnvelope[];
const row = (id: string, ...sequences: string[]) => ({ collection: 'notes', id, outbox: outbox(...sequences) });

describe('pending rows', () => {
  it('keeps the order of arrival', () => {
    const pending = new PendingRows();
    for (const id of ['b', 'a', 'c', 'a']) pending.add(row(id, '1'));
    assert.deepEqual(
      pending.take(2).map(({ id }) => id),
      ['b', 'a'],
    );
    assert.deepEqual(
      pending.take(9).map(({ id }) => id),
      ['c'],
    );
  });

  it('keeps the outbox that reaches furthest, in whichever order the bells ring', () => {
    for (const bells of [
      [row('a', '1'), row('a', '1', '2')],
      [row('a', '1', '2'), row('a', '1')],
    ]) {
      const pending = new PendingRows();
      for (const bell of bells) pending.add(bell);
      assert.deepEqual(pending.take(1)[0]?.outbox, outbox('1', '2'));
    }
  });

  it('reads a row anew that another replica wrote, whatever this one knows', () => {
    for (const bells of [
      [row('a', '1'), { collection: 'notes', id: 'a' }],
      [{ collection: 'notes', id: 'a' }, row('a', '1')],
    ]) {
      const pending = new PendingRows();
      for (const bell of bells) pending.add(bell);
      assert.equal(pending.take(1)[0]?.outbox, undefined);
    }
  });

  it('reads no row again of which it has heard all that it is told', () => {
    const told = (sequence: string) => ({ collection: 'notes', id: 'a', sequence });
    const pending = new PendingRows();
    pending.add(row('a', '1', '2'));
    for (const sequence of ['1', '2']) pending.add(told(sequence));
    assert.deepEqual(pending.take(1)[0]?.outbox, outbox('1', '2'));
    pending.add(row('a', '1', '2'));
    pending.add(told('3'));
    assert.equal(pending.take(1)[0]?.outbox, undefined);
  });

  it('stays bounded, and says when it has room again', () => {
    const pending = new PendingRows();
    for (let index = 0; index < 10_500; index += 1) pending.add(row(String(index), '1'));
    assert.equal(pending.size, 10_000);
    assert.equal(pending.takeOverflow(), false);
    const taken = pending.take(6_000);
    assert.equal(taken.filter((each) => each.outbox !== undefined).length, 1_000);
    assert.equal(pending.takeOverflow(), true);
    assert.equal(pending.takeOverflow(), false);
  });
});
