import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { RE2JS } from 're2js';
import type { Pattern } from './pattern.ts';
import { createBudget, TooCostly } from './evaluation-budget.ts';
import { compilePattern } from './pattern.ts';
import { generatePattern } from './testing/generate.ts';
import { seededRandom } from './testing/random.ts';

function accepted(source: string, options = ''): Pattern {
  const compiled = compilePattern(source, options, '/title/$regex');
  assert.ok(compiled.ok, `/${source}/${options} was refused`);
  return compiled.value;
}

function refusal(source: string, options = ''): string {
  const compiled = compilePattern(source, options, '/title/$regex');
  assert.ok(!compiled.ok, `/${source}/${options} was accepted`);
  assert.deepEqual(
    compiled.faults.map((fault) => fault.pointer),
    ['/title/$regex'],
  );
  return compiled.faults[0]!.code;
}

const free = (): void => undefined;

describe('a $regex', () => {
  it('keeps a literal prefix in a form from which MongoDB bounds an index', () => {
    assert.equal(accepted('^Über den').pcre, '^Über den');
  });

  it('is trimmed of what does not change whether it is found', () => {
    assert.equal(accepted('.*foo.*').pcre, 'foo');
    assert.equal(accepted('(?:ab)+c{2,5}').pcre, '(?:ab){1,1}c{2,2}');
    assert.equal(accepted('^a*b?$').pcre, '^a*+b{0,1}\\z');
  });

  it('matches as RE2 defines it where PCRE differs', () => {
    assert.equal(accepted('a$').test('a\n', free), false);
    assert.equal(accepted('\\s').test('\v', free), false);
    assert.equal(accepted('^$', 'm').test('a\n', free), true);
    assert.equal(accepted('a.b').test('a\nb', free), false);
    assert.equal(accepted('a.b', 's').test('a\nb', free), true);
  });

  it('takes the other cases of a letter, in literals, ranges and negated classes', () => {
    assert.equal(accepted('é', 'i').test('É', free), true);
    assert.equal(accepted('[a-c]+$', 'i').test('ABC', free), true);
    assert.equal(accepted('^[^a]$', 'i').test('A', free), false);
    assert.equal(accepted('x(?i)y').test('xY', free), true);
    assert.equal(accepted('x(?i)y').test('XY', free), false);
    assert.equal(accepted('(?i:a)b').test('AB', free), false);
  });

  for (const source of [
    '^[\\w.]+@[\\w.]+\\.[a-z]{2,}$',
    '^(?:\\d+,)*$',
    '(?:https?|ftp)://',
    'foo.*bar',
    '\\d+ items',
    'foo\\d*bar',
    '^foo.*bar',
    '\\bfoo\\b.*x',
    '.*foo.*',
    '(?:foo|bar)+qux',
    '^\\s*$',
    '[]a]',
    'x{',
    'a|',
    '',
  ]) {
    it(`accepts /${source}/`, () => {
      accepted(source);
    });
  }

  for (const [source, why] of [
    ['(a+)+$', 'repeats what repeats'],
    ['^(a|a)*$', 'has two ways for one character'],
    ['^(a|ab)*c', 'has two ways for a character'],
    ['^(?:ab|c)*a', 'repeats a group without telling when to stop'],
    ['^.*.*=', 'has several open ends'],
    ['^a?a?a?a?a?a?a?a?a?aaaaaaaaa', 'has 2^9 ways'],
    ['x(?:foo|bar)*qux|bar', 'scans on from everywhere'],
    ['a.*b[ac]*d', 'scans on from everywhere'],
    ['^.*\\d+x', 'scans on from everywhere after its open end'],
    ['^(a*)*$', 'repeats what may be empty'],
    ['(?:ab){300}', 'repeats a group more often than PCRE can'],
    ['\\p{L}', 'needs the tables of an engine'],
    ['[[:alpha:]]', 'names a class by POSIX'],
    ['[^\\x00-\\x{10FFFF}]', 'matches nothing'],
  ] as const) {
    it(`refuses /${source}/, which ${why}`, () => {
      assert.equal(refusal(source), 'unsupported-pattern');
    });
  }

  it('refuses what RE2 refuses', () => {
    for (const source of ['(?=a)', '(?<!a)b', '(a)\\1', 'a**', '(', '[b-a]', 'a{1001}']) {
      assert.equal(refusal(source), 'invalid-pattern', source);
    }
  });

  it('refuses other options, and one twice', () => {
    assert.equal(refusal('a', 'x'), 'invalid-options');
    assert.equal(refusal('a', 'ii'), 'invalid-options');
  });

  it('refuses more than 200 characters', () => {
    accepted('a'.repeat(200));
    assert.equal(refusal('a'.repeat(201)), 'pattern-too-long');
  });

  it('is stopped in memory where it would take long, soon and before it has told anything wrong', () => {
    const text = Array.from({ length: 500_000 }, (_, index) => ((index * 7919) % 13 < 6 ? 'a' : 'b')).join('');
    const random = seededRandom(7);
    const hard = Array.from({ length: 500_000 }, () => random.pick(['a', 'b'])).join('');
    for (const source of ['a[ab]{990}[cd]', 'a[ab]{100}[cd]', '\\B[a-z ]{200}[0-9]|a[ab]{300}[cd]']) {
      const { test } = accepted(source);
      const begun = performance.now();
      assert.throws(() => test(hard, createBudget(2_000_000)), TooCostly, source);
      const tookMs = performance.now() - begun;
      // About 20 ms; to the end it takes seconds.
      assert.ok(tookMs < 1_000, `/${source}/ took ${tookMs} ms`);
    }
    for (const source of ['foo', '^[\\w.]+@[\\w.]+\\.[a-z]{2,}$', 'foo.{0,20}bar', '\\bfoo\\b.*x', '[a-z]{50}[0-9]']) {
      assert.equal(accepted(source).test(text, createBudget(600_000)), false, source);
    }
  });

  it('means what RE2 reads in the pattern itself', (test) => {
    const seed = randomInt(2 ** 31);
    test.diagnostic(`seed ${seed}`);
    const random = seededRandom(seed);
    // Not "k" and "s": RE2 adds the Kelvin sign and the long s to their cases, which are no letter's one other case.
    const letters = ['a', 'A', 'b', 'é', 'É', '\n', '1', ' ', '\u{1F600}'];
    let compared = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const source = generatePattern(random);
      const options = random.pick(['', 'i', 'm', 's', 'ims']);
      const compiled = compilePattern(source, options, '');
      if (!compiled.ok) continue;
      compared += 1;
      const original = RE2JS.compile(options === '' ? source : `(?${options})${source}`);
      // Several, so that states that one has made serve the next.
      for (let texts = 0; texts < 4; texts += 1) {
        const text = random.list(6, () => random.pick(letters)).join('');
        const expected = original.test(text);
        assert.equal(compiled.value.test(text, free), expected, `/${source}/${options} on ${JSON.stringify(text)}`);
      }
    }
    assert.ok(compared > 500, `only ${compared} patterns were compared`);
  });
});
