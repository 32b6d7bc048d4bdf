import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { EndedTokens } from './ended-tokens.ts';
import { everyVersion } from './ending.ts';

const setUp = (limit?: number) => {
  const clock = { now: 1_000 };
  const tokens = new EndedTokens({ now: () => clock.now, ...(limit !== undefined && { limit }) });
  return { clock, tokens };
};

const of = (sid: string, sub = 'usr_1', accountVersion = 1) => ({ sid, sub, accountVersion });

describe('ended tokens', () => {
  it('are those of a session that is over, until they would have expired', () => {
    const { clock, tokens } = setUp();
    assert.equal(tokens.add({ sid: 'ses_1', untilMs: 2_000 }), true);
    assert.deepEqual([tokens.has(of('ses_1')), tokens.has(of('ses_2'))], [true, false]);
    clock.now = 2_000;
    assert.equal(tokens.has(of('ses_1')), false);
  });

  it('are those of an account from before a version, and no later ones', () => {
    const { tokens } = setUp();
    tokens.add({ sub: 'usr_1', below: 3, untilMs: 2_000 });
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((version) => tokens.has(of('ses_1', 'usr_1', version))),
      [true, true, true, false, false],
    );
    assert.equal(tokens.has({ sid: 'ses_1', sub: 'usr_1' }), true, 'a token that names no version is of before');
    assert.equal(tokens.has(of('ses_1', 'usr_2', 1)), false);
  });

  it('are all of an account that is gone', () => {
    const { tokens } = setUp();
    tokens.add({ sub: 'usr_1', below: everyVersion, untilMs: 2_000 });
    assert.equal(tokens.has(of('ses_1', 'usr_1', 1_000_000)), true);
  });

  it('stay so, whatever is told late, twice or in another order', () => {
    const { clock, tokens } = setUp();
    tokens.add({ sid: 'ses_1', untilMs: 3_000 });
    assert.equal(tokens.add({ sid: 'ses_1', untilMs: 2_000 }), false);
    tokens.add({ sub: 'usr_1', below: 5, untilMs: 3_000 });
    assert.equal(tokens.add({ sub: 'usr_1', below: 2, untilMs: 2_500 }), false);
    assert.equal(tokens.add({ sub: 'usr_1', below: 2, untilMs: 4_000 }), true);
    assert.equal(tokens.add({ sid: 'ses_old', untilMs: 1_000 }), false, 'over before it was told');
    clock.now = 2_999;
    assert.equal(tokens.has(of('ses_1', 'usr_2')), true);
    clock.now = 3_999;
    assert.equal(tokens.has(of('ses_2', 'usr_1', 4)), true);
  });

  it('are told of whole, and forgotten when they no longer matter', () => {
    const { clock, tokens } = setUp();
    const endings = [
      { sid: 'ses_1', untilMs: 2_000 },
      { sub: 'usr_1', below: 2, untilMs: 3_000 },
    ];
    for (const each of endings) tokens.add(each);
    assert.deepEqual(tokens.entries(), endings);
    clock.now = 2_500;
    tokens.sweep();
    assert.deepEqual(tokens.entries(), endings.slice(1));
    clock.now = 3_000;
    tokens.sweep();
    assert.deepEqual(tokens.entries(), []);
    assert.equal(tokens.isIncomplete, false);
  });

  it('are kept in a bounded number, and what had to be forgotten is not passed over', () => {
    const { clock, tokens } = setUp(10);
    for (let index = 0; index < 11; index += 1)
      tokens.add(
        index % 2 === 0
          ? { sid: `ses_${index}`, untilMs: 2_000 + index }
          : { sub: `usr_${index}`, below: 9, untilMs: 2_000 + index },
      );
    assert.equal(tokens.entries().length, 9);
    assert.equal(tokens.has(of('ses_10')), true, 'those that matter longest are kept');
    assert.equal(tokens.has(of('ses_0')), false);
    assert.deepEqual([tokens.isIncomplete, tokens.forgottenUntilMs], [true, 2_001]);
    clock.now = 2_001;
    assert.equal(tokens.isIncomplete, false, 'the last that was forgotten has expired');
    tokens.forget(5_000);
    tokens.forget(3_000);
    assert.equal(tokens.forgottenUntilMs, 5_000);
  });
});
