import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';

import { createCsrfTokens } from './csrf-token.ts';

const secret = randomBytes(32);
const hourMs = 3_600_000;

describe('the token of a form', () => {
  const clock = { ms: 1_800_000_000_000 };
  const tokens = createCsrfTokens({ secret, now: () => clock.ms });
  const token = tokens.issue('visitor-1');

  it('is taken from its visitor, as often as it comes, by every replica', () => {
    assert.ok(tokens.check(token, 'visitor-1'));
    assert.ok(tokens.check(token, 'visitor-1'));
    assert.ok(createCsrfTokens({ secret, now: () => clock.ms }).check(token, 'visitor-1'));
  });

  it('is not taken from another visitor, or from nobody', () => {
    for (const visitor of ['visitor-2', 'visitor-', 'visitor-11', '', undefined])
      assert.ok(!tokens.check(token, visitor));
    assert.ok(!tokens.check(tokens.issue(''), ''));
  });

  it('is not taken after an hour, nor with a later time written into it', () => {
    const [until = '', mac = ''] = token.split('.');
    const later = (Number.parseInt(until, 36) + 3_600).toString(36);
    assert.ok(!tokens.check(`${later}.${mac}`, 'visitor-1'));
    const late = createCsrfTokens({ secret, now: () => clock.ms + hourMs });
    assert.ok(!late.check(token, 'visitor-1'));
    const barely = createCsrfTokens({ secret, now: () => clock.ms + hourMs - 1 });
    assert.ok(barely.check(token, 'visitor-1'));
  });

  it('is not taken under another secret', () => {
    assert.ok(!createCsrfTokens({ secret: randomBytes(32), now: () => clock.ms }).check(token, 'visitor-1'));
  });

  for (const rubbish of [undefined, 7, ['a'], {}, '', '.', 'a.b', `${token}x`, ` ${token}`, token.replace('.', '..')]) {
    it(`is not ${JSON.stringify(rubbish ?? null).slice(0, 40)}`, () => assert.ok(!tokens.check(rubbish, 'visitor-1')));
  }
});
