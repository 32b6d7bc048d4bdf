import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import { BSON } from 'mongodb';

import type { CachedRecord } from './cached-record.ts';
import { cachedRecord, recordCodec } from './cached-record.ts';
import type { VisibleRecord } from './record.model.ts';

const count = 1_000;
const of = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));
let made = 0;
/** A name that no other record has. */
const unheardOf = (): string => `n${(made += 1)}-${Math.random()}`;

const shapes: Readonly<Record<string, () => Pick<VisibleRecord, 'fields' | 'sealed'>>> = {
  'a few fields': () => ({ fields: { title: 'a title', n: 1, status: 'draft' } }),
  'a long text that is not of ASCII': () => ({ fields: { body: 'ж'.repeat(2_000) } }),
  'empty objects': () => ({ fields: { list: of(100, () => ({})) } }),
  'arrays of one': () => ({ fields: { list: of(50, (n) => [n]) } }),
  'many fields of its own': () => ({ fields: Object.fromEntries(of(30, (n) => [unheardOf(), n])) }),
  'many fields that all have': () => ({ fields: Object.fromEntries(of(40, (n) => [`field${n}`, `${n}`])) }),
  'a list of objects of many fields': () => ({
    fields: { list: of(20, () => Object.fromEntries(of(20, (n) => [`field${n}`, n]))) },
  }),
  'a long value that is encrypted': () => ({
    fields: { n: 1 },
    sealed: { key: 1, values: [{ path: 'secret', text: 'x'.repeat(5_000) }] },
  }),
  'many values that are encrypted': () => ({
    fields: { n: 1 },
    sealed: { key: 1, values: of(20, (n) => ({ path: `secret${n}`, text: 'x'.repeat(44) })) },
  }),
};

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const heldNow = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

describe('a record in the cache', () => {
  const record = (shape: () => Pick<VisibleRecord, 'fields' | 'sealed'>): VisibleRecord => {
    const times = { createdAt: new Date(0), updatedAt: new Date(0) };
    return { _id: `rec_${unheardOf()}`, revision: 1, ...shape(), ...times, createdBy: 'usr_1', updatedBy: 'usr_2' };
  };
  for (const [what, shape] of Object.entries(shapes)) {
    it(`counts for about what it holds: ${what}`, () => {
      const stored = of(count, () => BSON.serialize(record(shape)));
      const read = (bytes: Uint8Array): CachedRecord =>
        cachedRecord(BSON.deserialize(bytes) as VisibleRecord, undefined);
      // By then all of this has been compiled.
      for (const bytes of stored) read(bytes);
      const before = heldNow();
      const kept = stored.map(read);
      const held = (heldNow() - before) / count;
      const counted = kept.reduce((sum, each) => sum + recordCodec.sizeBytesOf(each), 0) / count;
      assert.ok(counted > held / 2 && counted < 4 * held, `${counted} bytes are counted of ${held}`);
    });
  }

  it('is the same from Redis, what is encrypted with it', () => {
    const sealed = { key: 2, values: [{ path: 'secret', text: 'x' }] };
    const own = cachedRecord(
      record(() => ({ fields: { n: 1 }, sealed })),
      undefined,
    );
    assert.deepEqual(recordCodec.decode(recordCodec.encode(own)), own);
    assert.ok(!own.json.includes('secret'));
  });
});
