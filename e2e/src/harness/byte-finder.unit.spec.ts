import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { ByteFinder } from './byte-finder.ts';

const texts = Array.from({ length: 2_000 }, (_, index) => `${index}-${randomBytes(6 + (index % 60)).toString('hex')}`);
const finder = new ByteFinder(texts.map((text) => ({ text, what: text })));

describe('many texts among bytes', () => {
  it('are all found, wherever they stand', () => {
    const hay = Buffer.concat(texts.flatMap((text) => [randomBytes(37), Buffer.from(text)]));
    const found = finder.find(hay);
    assert.equal(found.length, texts.length);
    assert.deepEqual(new Set(found), new Set(texts));
  });

  it('are found from the first byte to the last, each as often as it is there', () => {
    const [one = ''] = texts;
    assert.deepEqual(finder.find(Buffer.from(one)), [one]);
    assert.deepEqual(finder.find(Buffer.from(`${one}${one}`)), [one, one]);
  });

  it('are not found where a byte is missing, or another', () => {
    for (const text of texts) {
      assert.deepEqual(finder.find(Buffer.from(text.slice(1))), []);
      assert.deepEqual(finder.find(Buffer.from(text.slice(0, -1))), []);
      assert.deepEqual(finder.find(Buffer.from(text.replace('-', '_'))), []);
    }
    assert.deepEqual(finder.find(randomBytes(2 ** 20)), []);
  });

  it('of the same end are told apart, and one within another is found too', () => {
    const pair = new ByteFinder(['the first of them', 'not the first of them'].map((text) => ({ text, what: text })));
    assert.deepEqual(pair.find(Buffer.from('it is the first of them')), ['the first of them']);
    assert.equal(pair.find(Buffer.from('it is not the first of them')).length, 2);
  });

  it('are no needles where they are too short', () => {
    assert.throws(() => new ByteFinder([{ text: 'short', what: 'a code' }]), /a code is too short/);
  });
});
