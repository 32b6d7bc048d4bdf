import type { EventEnvelope } from '@causeway/contracts';
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { PendingRows } from './pending-rows.ts';

const outbox = (...sequences: string[]) => sequences.map((sequence) => ({ sequence })) as unknown as EventEnvelope[];
const row = (id: string, ...sequences: string[]) => ({ collection: 'notes', id, outbox: outbox(...sequences) });

describe('pending rows', () => {
  it('keeps the order of arrival', () => {
    const pending = new PendingRows(1_000_000);
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
      const pending = new PendingRows(1_000_000);
      for (const bell of bells) pending.add(bell);
      assert.deepEqual(pending.take(1)[0]?.outbox, outbox('1', '2'));
    }
  });

  it('reads a row anew that another replica wrote, whatever this one knows', () => {
    for (const bells of [
      [row('a', '1'), { collection: 'notes', id: 'a' }],
      [{ collection: 'notes', id: 'a' }, row('a', '1')],
    ]) {
      const pending = new PendingRows(1_000_000);
      for (const bell of bells) pending.add(bell);
      assert.equal(pending.take(1)[0]?.outbox, undefined);
    }
  });

  it('reads no row again of which it has heard all that it is told', () => {
    const told = (sequence: string) => ({ collection: 'notes', id: 'a', sequence });
    const pending = new PendingRows(1_000_000);
    pending.add(row('a', '1', '2'));
    for (const sequence of ['1', '2']) pending.add(told(sequence));
    assert.deepEqual(pending.take(1)[0]?.outbox, outbox('1', '2'));
    pending.add(row('a', '1', '2'));
    pending.add(told('3'));
    assert.equal(pending.take(1)[0]?.outbox, undefined);
  });

  it('stays bounded, and says when it has room again', () => {
    const pending = new PendingRows(1_000_000);
    for (let index = 0; index < 10_500; index += 1) pending.add(row(String(index), '1'));
    assert.equal(pending.size, 10_000);
    assert.equal(pending.takeOverflow(), false);
    const taken = pending.take(6_000);
    assert.equal(taken.filter((each) => each.outbox !== undefined).length, 1_000);
    assert.equal(pending.takeOverflow(), true);
    assert.equal(pending.takeOverflow(), false);
  });

  describe('whose outboxes are large', () => {
    const size = 10_000;
    const large = (id: string, ...sequences: string[]) => ({
      ...{ collection: 'notes', id },
      outbox: sequences.map((sequence) => ({ sequence, data: 'x'.repeat(size) })) as unknown as EventEnvelope[],
    });
    const kept = (rows: readonly { readonly outbox?: unknown }[]) => rows.map(({ outbox }) => outbox !== undefined);

    it('are kept by name beyond so many bytes, each in its place', () => {
      const pending = new PendingRows(3.5 * size);
      for (const id of ['a', 'b', 'c', 'd', 'e']) pending.add(large(id, '1'));
      pending.add(row('f', '1'));
      assert.ok(pending.bytes > 3 * size && pending.bytes <= 3.5 * size);
      const [taken, ...others] = [pending.take(1), pending.take(9)];
      assert.deepEqual(kept(taken), [true]);
      assert.deepEqual(kept(others.flat()), [true, true, false, false, true]);
      assert.equal(pending.bytes, 0);
      pending.add(large('g', '1'));
      assert.deepEqual(kept(pending.take(1)), [true]);
    });

    it('are kept where there is nothing else, however large they are', () => {
      const pending = new PendingRows(size / 2);
      for (const id of ['a', 'b']) pending.add(large(id, '1'));
      assert.deepEqual(kept(pending.take(2)), [true, false]);
    });

    it('are read where they have grown out of the room', () => {
      const pending = new PendingRows(1.5 * size);
      pending.add(large('a', '1'));
      pending.add(row('b', '1'));
      pending.add(large('b', '1', '2'));
      assert.deepEqual(kept(pending.take(2)), [true, false]);
    });

    it('come first again where they are put back, by name, and once where they have been rung meanwhile', () => {
      const pending = new PendingRows(9 * size);
      for (const id of ['a', 'b', 'c']) pending.add(large(id, '1'));
      const taken = pending.take(3);
      for (const id of ['d', 'b']) pending.add(large(id, '2'));
      pending.putBack(taken.slice(1));
      const again = pending.take(9);
      assert.deepEqual(
        again.map(({ id, outbox }) => [id, outbox === undefined]),
        [
          ['b', true],
          ['c', true],
          ['d', false],
        ],
      );
      assert.equal(pending.bytes, 0);
    });
  });
});
