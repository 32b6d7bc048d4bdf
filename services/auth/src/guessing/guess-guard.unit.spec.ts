import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Fault, faults } from '@causeway/contracts';

import { invalidCredentials } from '../sessions/sessions.errors.ts';
import type { GuessCounters, Guesser, Place, Refusal } from './counters.ts';
import { createGuessGuard } from './guess-guard.ts';
import type { Guess } from './guess.ts';
import type { GuessJournal } from './guess-journal.ts';

const dev = { name: 'dev_1', budget: 'known' } as const;
const guess: Guess = { emailKey: 'ada@example.com', path: 'password', ip: '192.0.2.7' };

describe('the guard of what can be guessed', () => {
  const told: string[] = [];
  const asked: Guesser[] = [];
  let hadOthers = false;
  /** @param known - what devices that the account knows are refused by, where it is another than for all */
  const counters = (refusal?: Refusal, known = refusal): GuessCounters => ({
    take: (guesser) => {
      asked.push(guesser);
      const refused = guesser.budget === 'strangers' ? refusal : known;
      if (refused !== undefined) return Promise.resolve({ refusal: refused, waitMs: 1_001 });
      return Promise.resolve({ place: { guesser, number: 1, others: [], hadOthers, windows: {} } satisfies Place });
    },
    clear: () => Promise.resolve(void told.push('clear')),
    giveBack: () => Promise.resolve(void told.push('give back')),
    clearAccount: (account) => Promise.resolve(void told.push(account)),
  });
  const journal: GuessJournal = {
    failed: ({ emailKey, path, ip }) => Promise.resolve(void told.push(`failed ${emailKey} ${path} ${ip}`)),
    locked: (emailKey) => Promise.resolve(void told.push(`locked ${emailKey}`)),
    cleared: (emailKey, by) => Promise.resolve(void told.push(`cleared ${emailKey} ${by}`)),
  };
  const guard = (refusal?: Refusal, known?: Refusal) =>
    createGuessGuard({ counters: counters(refusal, known), secret: Buffer.alloc(32, 1), journal });
  const last = () => told.splice(0);

  it('forgives what was guessed before whoever gets in, and not before whoever gets half the way', async () => {
    const result = await guard().attempt(
      guess,
      () => Promise.resolve('in'),
      (given) => given === 'in',
    );
    assert.equal(result, 'in');
    assert.deepEqual(last(), ['clear']);
    await guard().attempt(
      guess,
      () => Promise.resolve('half'),
      (given) => given === 'in',
    );
    assert.deepEqual(last(), []);
  });

  it('gives the place back of who was in already, and forgives nothing', async () => {
    await guard().attempt(
      guess,
      () => Promise.resolve('again'),
      () => 'once-more',
    );
    assert.deepEqual(last(), ['give back']);
  });

  it('keeps the place of a wrong guess, and gives back that of one that nothing was looked at for', async () => {
    const fail = (error: Error) =>
      guard().attempt(
        guess,
        () => Promise.reject(error),
        () => true,
      );
    await assert.rejects(fail(invalidCredentials()), /wrong/);
    assert.deepEqual(last(), ['failed ada@example.com password 192.0.2.7']);
    await assert.rejects(fail(faults.unavailable()));
    assert.deepEqual(last(), ['give back']);
    await assert.rejects(fail(new Error('MongoDB is away')));
    assert.deepEqual(last(), ['give back']);
  });

  it('looks at nothing where there is no place, and says when there is', async () => {
    const refused = guard('delayed').attempt(
      guess,
      () => assert.fail('it was looked at'),
      () => true,
    );
    await assert.rejects(refused, (error) => {
      assert.ok(error instanceof Fault);
      assert.deepEqual([error.code, error.status, error.retryAfterS], ['too-many-attempts', 429, 2]);
      return true;
    });
    assert.deepEqual(last(), []);
  });

  it('counts all paths to an account, and all addresses of a block, under names that say nothing', async () => {
    asked.length = 0;
    for (const each of [
      guess,
      { ...guess, path: 'totp', ip: '192.0.2.8' },
      { ...guess, emailKey: 'bob@example.com', ip: '2001:db8::1' },
      { ...guess, devices: [dev], ip: '2001:db8::2' },
      { ...guess, devices: [{ ...dev, name: 'dev_2' }] },
    ] as const) {
      await guard().attempt(
        each,
        () => Promise.resolve('in'),
        () => true,
      );
    }
    last();
    const [one, other, bob, known, another] = asked;
    assert.equal(one?.account, other?.account);
    assert.notEqual(one?.block, other?.block);
    assert.notEqual(one?.account, bob?.account);
    assert.equal(bob?.block, known?.block);
    assert.deepEqual([one?.budget, one?.device, known?.budget], ['strangers', undefined, 'known']);
    assert.ok(known?.device !== undefined && another?.device !== undefined && known.device !== another.device);
    assert.equal(known.account, one?.account);
    const counted = JSON.stringify(asked);
    for (const said of ['ada', 'bob', 'example', '192.0.2', '2001', 'dev_1'])
      assert.equal(counted.includes(said), false, said);
    await guard().clear(guess.emailKey);
    assert.deepEqual(last(), ['cleared ada@example.com mailed-link', one?.account]);
  });

  it('notes that an account is locked, for devices that it knows too where those have no place left either', async () => {
    const never = () => assert.fail('it was looked at');
    for (const each of [guess, { ...guess, devices: [dev] }])
      await assert.rejects(guard('locked').attempt(each, never, () => true));
    assert.deepEqual(last(), ['locked ada@example.com', 'locked ada@example.com']);
  });

  it('counts whoever has no place left as what they are known next, and at last with strangers; and not who has to wait', async () => {
    const known = { ...guess, devices: [{ name: 'dev_2', budget: 'proven' }, dev] as const };
    hadOthers = true;
    asked.length = 0;
    const work = () => Promise.resolve('in');
    assert.equal(await guard(undefined, 'locked').attempt(known, work, () => true), 'in');
    hadOthers = false;
    assert.deepEqual(
      asked.map(({ budget }) => budget),
      ['proven', 'known', 'strangers'],
    );
    assert.deepEqual([asked[2]?.account, asked[2]?.device], [asked[0]?.account, undefined]);
    assert.deepEqual(last(), ['cleared ada@example.com sign-in', 'clear']);
    await assert.rejects(guard(undefined, 'delayed').attempt(known, work, () => true));
    assert.equal(asked.length, 4);
    assert.deepEqual(last(), []);
  });

  it('notes that what was guessed is forgiven, and by what, where there was something', async () => {
    hadOthers = true;
    for (const each of [guess, { ...guess, devices: [dev] }])
      await guard().attempt(
        each,
        () => Promise.resolve(),
        () => true,
      );
    hadOthers = false;
    // Noted first: whoever is interrupted has not been forgiven in silence.
    const noted = ['cleared ada@example.com sign-in', 'clear', 'cleared ada@example.com known-device', 'clear'];
    assert.deepEqual(last(), noted);
  });

  it('tells nobody that a guess was wrong before that is kept', async () => {
    const away = { ...journal, failed: () => Promise.reject(new Error('MongoDB is away')) };
    const guarded = createGuessGuard({ counters: counters(), secret: Buffer.alloc(32, 1), journal: away });
    const wrong = guarded.attempt(
      guess,
      () => Promise.reject(invalidCredentials()),
      () => true,
    );
    await assert.rejects(wrong, /MongoDB is away/);
    assert.deepEqual(last(), []);
  });
});
