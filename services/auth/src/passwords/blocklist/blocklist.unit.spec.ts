import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';

import { blocklistOf, commonPasswords, falsePositives } from '../../../tools/blocklist-of.ts';
import { newPassword } from '../password.ts';
import { buildBloomFilter, readBloomFilter } from './bloom-filter.ts';
import { createCommonPasswords } from './common-password.ts';
import { blocklistFile, loadCommonPasswords } from './load-common-passwords.ts';

const file = await readFile(blocklistFile);
const filter = readBloomFilter(file);
const isCommon = await loadCommonPasswords();

void describe('the list of common passwords', () => {
  it('is the one that npm run auth:blocklist makes', () => {
    assert.ok(blocklistOf().bytes.equals(file), 'run npm run auth:blocklist, and commit what it makes');
  });

  it('has each of them', () => {
    const entries = commonPasswords();
    assert.equal(filter.entries, entries.size);
    assert.deepEqual(
      [...entries].filter((each) => !filter.has(each)),
      [],
    );
  });

  it('has hardly anything else: one in a million', () => {
    let found = 0;
    const tries = 500_000;
    for (let each = 0; each < tries; each += 1) {
      if (filter.has(createHmac('sha256', 'seed').update(String(each)).digest('base64url'))) found += 1;
    }
    // Of so many 0.5 are to be expected; as many as 8 come once in ten million.
    assert.ok(found < 8, `${found} of ${tries}, where ${falsePositives} are to be expected`);
  });

  it('is refused where it is not whole', () => {
    const made = buildBloomFilter(new Set(['a', 'b']), 0.01);
    assert.ok(readBloomFilter(made).has('a'));
    for (const wrong of [Buffer.alloc(0), Buffer.from('something else'), made.subarray(0, made.length - 1)]) {
      assert.throws(() => readBloomFilter(wrong), /filter/);
    }
  });
});

void describe('a password', () => {
  for (const password of [
    'password123',
    'Password123!',
    'PASSWORD!!!',
    'p@ssw0rd2024',
    'P4$$w0rd!!',
    '!!dragon1999',
    'w1nter2025!',
    'dragondragon',
    'dragondragondragon',
    'dragon1dragon1',
    '1234567890',
    '0987654321',
    '123456789012',
    'qwertyuiop',
    'QwertyUiop123',
    'asdfghjkl1234',
    'qwertzuiop',
    'abcdefghijkl',
    'aaaaaaaaaaaa',
    'aaaabbbbcccc',
    'ｐａｓｓｗｏｒｄ１２３',
    'unbelievable',
  ]) {
    it(`is common: ${password}`, () => assert.equal(isCommon(password, []), true));
  }

  for (const password of [
    'correct horse battery staple',
    'correct horse battery',
    'password-0b9c0a0e-3b0e-4b3e-8f0e-0c6c5a3b7d1f',
    'dragon-8471939481',
    'tie my blue shoe twice',
    'xK9$mQ2!vL',
    '东京的雨很冷今天不出门',
    'пароль которого нет нигде',
    '🦀🐙🦑🐚🐠🐡🦈🐬🐳🐋',
    'not the password',
  ]) {
    it(`is not: ${password}`, () => assert.equal(isCommon(password, ['ada@example.com', 'ada', 'Ada']), false));
  }

  it('is common where it is what everybody knows of its owner', () => {
    const own = ['jonathan.smith@example.com', 'jonathan.smith', 'Jonathan Smith', 'JonathanSmith'];
    for (const password of ['Jonathan.Smith', 'jonathan.smith1!', 'jonathansmith', 'j0n4th4n.sm1th', own[0] ?? '']) {
      assert.equal(isCommon(password, own), true, password);
      assert.equal(isCommon(password, ['somebody.else@example.com']), false, password);
    }
    assert.equal(isCommon('', ['']), false);
  });

  it('is judged in a moment, however it is made up', () => {
    const odd = ['1'.repeat(256), 'ab'.repeat(128), '!'.repeat(256), `${'a1'.repeat(127)}b`, '\u{1F980}'.repeat(256)];
    const from = performance.now();
    for (const password of odd) {
      assert.ok(newPassword.safeParse(password).success);
      isCommon(password, [password.slice(1)]);
    }
    assert.ok(performance.now() - from < 5_000, 'a pattern backtracks');
  });

  it('is found by the list that it is given', () => {
    const none = createCommonPasswords({ has: () => false });
    assert.equal(none('dragon1999', []), false);
    assert.equal(none('1234567890', []), true);
  });
});
