import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { decide, tellingsOf } from './guard-decisions.ts';
import type { GuardDocument } from './guard.model.ts';
import type { GuessNote } from './guess-journal.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const emailKey = 'ada@example.com';
const failed = (second: number, path: 'password' | 'totp', ip?: string): GuessNote => ({
  ...{ at: at(second), emailKey, what: 'failed', path },
  ...(ip === undefined ? {} : { ip }),
});
const guard = (state: Partial<Pick<GuardDocument, 'failures' | 'lockedAt'>>) =>
  ({ _id: 'usr_1', failures: 0, ...state }) as unknown as GuardDocument;

describe('what is told of guesses', () => {
  it('is one event for wrong ones that follow on one another, with ten addresses at most', () => {
    const flood = Array.from({ length: 12 }, (_each, index) => failed(index, 'totp', `192.0.2.${index}`));
    const notes: GuessNote[] = [
      failed(1, 'password', '192.0.2.1'),
      failed(2, 'totp', '192.0.2.1'),
      failed(3, 'password'),
      { at: at(4), emailKey, what: 'cleared', by: 'sign-in' },
      ...flood,
      { at: at(30), emailKey, what: 'locked' },
    ];
    const [one, cleared, other, locked, ...rest] = tellingsOf(notes);
    assert.deepEqual(one, {
      ...{ what: 'failed', count: 3, paths: ['password', 'totp'], addresses: ['192.0.2.1'] },
      ...{ emails: 1, from: at(1), to: at(3) },
    });
    assert.deepEqual([cleared?.what, locked?.what, rest.length], ['cleared', 'locked', 0]);
    assert.ok(other?.what === 'failed');
    assert.deepEqual([other.count, other.addresses.length], [12, 10]);
    assert.deepEqual(tellingsOf([]), []);
  });

  it('counts up, locks once, and begins anew', () => {
    const [telling] = tellingsOf([failed(1, 'password'), failed(2, 'password')]);
    assert.ok(telling);
    const first = decide('usr_1', undefined, telling);
    assert.deepEqual([first?.state.failures, first?.event.contract.type], [2, 'auth.guard.failed']);
    const lock = { what: 'locked', at: at(3) } as const;
    const locked = decide('usr_1', guard({ failures: 2 }), lock);
    assert.deepEqual(locked?.state, { failures: 2, lockedAt: at(3) });
    assert.equal(decide('usr_1', guard({ failures: 2, lockedAt: at(2) }), lock), undefined);
    const cleared = decide('usr_1', guard({ failures: 9, lockedAt: at(2) }), { what: 'cleared', by: 'mailed-link' });
    assert.deepEqual(cleared?.state, { failures: 0 });
    assert.deepEqual(cleared.event.data, { accountId: 'usr_1', by: 'mailed-link' });
  });

  it('tells of a lock once more when the link that was mailed is over', () => {
    const lock = { what: 'locked', at: new Date(at(0).getTime() + 24 * 3_600_000) } as const;
    assert.equal(decide('usr_1', guard({ lockedAt: at(1) }), lock), undefined);
    assert.deepEqual(decide('usr_1', guard({ lockedAt: at(0) }), lock)?.state.lockedAt, lock.at);
  });

  it('is nothing where there was nothing to forgive, and names nobody where nobody has the address', () => {
    const clear = { what: 'cleared', by: 'sign-in' } as const;
    assert.equal(decide('usr_1', undefined, clear), undefined);
    assert.equal(decide('usr_1', guard({}), clear), undefined);
    assert.equal(decide(undefined, guard({ failures: 1 }), clear), undefined);
    assert.equal(decide(undefined, undefined, { what: 'locked', at: at(0) }), undefined);
    const others = { ...failed(2, 'password', '192.0.2.1'), emailKey: 'eve@example.com' };
    const [telling] = tellingsOf([failed(1, 'password', '192.0.2.1'), others, others]);
    assert.ok(telling);
    const known = decide('usr_1', undefined, telling);
    assert.equal('emails' in (known?.event.data as object), false);
    const unknown = decide(undefined, undefined, telling);
    assert.ok(unknown);
    const { accountId, emails } = unknown.event.data as { accountId?: string; emails?: number };
    assert.deepEqual([accountId, emails], [undefined, 2]);
    assert.doesNotMatch(JSON.stringify(unknown), /example/);
  });
});
