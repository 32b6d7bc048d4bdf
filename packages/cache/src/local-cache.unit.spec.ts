import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createLocalCache } from './local-cache.ts';

const make = (maxBytes = 1_000_000) => createLocalCache<string>({ maxBytes, sizeOf: (value) => value.length });
const at = (revision: number, value = `r${revision}`) => ({ revision, value });

/** A load that ends when the test says so. */
const held = <T>() => {
  let end: (value: T) => void = () => undefined;
  const result = new Promise<T>((resolve) => {
    end = resolve;
  });
  return { load: () => result, end: (value: T) => end(value) };
};

describe('values in the process', () => {
  it('loads once for all who ask meanwhile', async () => {
    const cache = make();
    const read = held<{ revision: number; value: string }>();
    let loads = 0;
    const load = () => {
      loads += 1;
      return read.load();
    };
    const all = Promise.all(Array.from({ length: 100 }, () => cache.load('a', load)));
    read.end(at(1));
    assert.deepEqual(new Set((await all).map((each) => each?.value)), new Set(['r1']));
    assert.equal(loads, 1);
    assert.deepEqual(cache.get('a'), at(1));
  });

  it('does not keep what a change has overtaken, and loads anew for whoever asks later', async () => {
    const cache = make();
    const slow = held<{ revision: number; value: string }>();
    const early = cache.load('a', slow.load);
    cache.invalidate('a', 6);
    const late = cache.load('a', () => Promise.resolve(at(6)));
    assert.deepEqual(await late, at(6));
    slow.end(at(5));
    assert.deepEqual(await early, at(5));
    assert.deepEqual(cache.get('a'), at(6));
  });

  it('never takes back an older revision, even from a load that began after the change', async () => {
    const cache = make();
    cache.invalidate('a', 6);
    await cache.load('a', () => Promise.resolve(at(5)));
    assert.equal(cache.get('a'), undefined);
    assert.equal(cache.admits('a', 5), false);
    assert.equal(cache.admits('a', 6), true);
  });

  it('forgets everything, loads on their way included', async () => {
    const cache = make();
    const slow = held<{ revision: number; value: string }>();
    const early = cache.load('a', slow.load);
    cache.clear();
    slow.end(at(1));
    await early;
    assert.equal(cache.get('a'), undefined);
  });

  it('stays within its bytes', async () => {
    const cache = make(10_000);
    for (let index = 0; index < 100; index += 1) {
      await cache.load(String(index), () => Promise.resolve(at(1, 'x'.repeat(1_000))));
    }
    assert.ok(cache.size < 10);
    assert.ok(cache.size > 5);
  });

  it('lets a failed load be tried again', async () => {
    const cache = make();
    await assert.rejects(
      cache.load('a', () => Promise.reject(new Error('away'))),
      /away/,
    );
    assert.deepEqual(await cache.load('a', () => Promise.resolve(at(1))), at(1));
  });
});
