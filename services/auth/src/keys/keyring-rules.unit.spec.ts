import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { afterStep, keyFor, nextStep } from './keyring-rules.ts';
import type { KeyringTimes } from './keyring-rules.ts';
import type { SigningKey } from './keyring.model.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const start = Date.UTC(2026, 0, 1);

const publicJwk = { kty: 'OKP', crv: 'Ed25519', x: '' };
const firstKey: SigningKey = {
  ...{ kid: 'key-1', state: 'active', publicJwk, sealed: 'sealed' },
  ...{ publishedAt: new Date(start), activatedAt: new Date(start) },
};

/** Of a service: how old the keys may be that it goes by, 300 s in a cache and 600 s in itself, and a replica of auth that is a minute late. */
const oldestMinutes = 16;
/** A token lives five minutes, and clocks differ. */
const tokenMinutes = 6;

interface Year {
  /** Tokens that some service would have refused, as it did not know their key. */
  readonly refused: number;
  /** Keys that have signed. */
  readonly used: ReadonlySet<string>;
  readonly mostKeys: number;
  /** The longest that a key which signs no more could be opened, in minutes. */
  readonly longestOpen: number;
}

/**
 * Minute by minute. Each minute a token is signed by who has read just now and by who has read a minute ago; every service must know the key
 * of it, whenever it has fetched, as long as it lives.
 *
 * @param isAway - minutes in which no replica runs: nobody takes steps, signs, or is told of keys
 */
const simulate = (minutes: number, times: KeyringTimes, isAway: (minute: number) => boolean = () => false): Year => {
  let keys: readonly SigningKey[] = [firstKey];
  let made = 1;
  let served = new Map<string, number>();
  let [mostKeys, longestOpen] = [0, 0];
  /** Of minutes in which there was somebody to tell it: what services keep is no newer while nobody is there. */
  const told: {
    readonly minute: number;
    readonly keys: readonly SigningKey[];
    readonly signedWith: readonly string[];
  }[] = [];
  for (let minute = 0; minute < minutes; minute += 1) {
    const at = new Date(start + minute * minuteMs);
    if (isAway(minute)) {
      served = new Map();
      continue;
    }
    const before = keys;
    const servedMs = (kid: string): number => (minute - (served.get(kid) ?? minute)) * minuteMs;
    for (let step = nextStep({ keys, at }, times, servedMs); step !== undefined;) {
      if (step.change === 'published') {
        made += 1;
        const state = 'published' as const;
        keys = [...keys, { kid: `key-${made}`, state, publicJwk, sealed: 'sealed', publishedAt: at }];
      } else keys = afterStep({ keys, at }, step);
      step = nextStep({ keys, at }, times, servedMs);
    }
    for (const { kid } of keys) served.set(kid, served.get(kid) ?? minute);
    for (const { sealed, supersededAt } of keys) {
      if (sealed !== undefined && supersededAt !== undefined && !isAway(minute - 10))
        longestOpen = Math.max(longestOpen, (at.getTime() - supersededAt.getTime()) / minuteMs);
    }
    mostKeys = Math.max(mostKeys, keys.length);
    told.push({ minute, keys, signedWith: [keyFor(keys, at)!.kid, keyFor(before, at)!.kid] });
  }
  let refused = 0;
  for (const [index, { minute, signedWith }] of told.entries()) {
    const knownBy = told
      .slice(Math.max(0, index - oldestMinutes), index + tokenMinutes)
      .filter((each) => each.minute < minute + tokenMinutes);
    const all = new Set(knownBy.map(({ keys: known }) => known));
    const knows = (kid: string): boolean => [...all].every((known) => known.some((each) => each.kid === kid));
    refused += signedWith.filter((kid) => !knows(kid)).length;
  }
  return { refused, used: new Set(told.flatMap(({ signedWith }) => signedWith)), mostKeys, longestOpen };
};

describe('the life of signing keys', () => {
  const times = { rotationMs: dayMs, stageMs: 20 * minuteMs };
  const year = 365 * 24 * 60;

  it('is one after the other over a year, and no service refuses a token', () => {
    const { refused, used, mostKeys, longestOpen } = simulate(year, times);
    assert.equal(refused, 0);
    assert.equal(used.size, 365);
    assert.ok(mostKeys <= 2);
    assert.ok(longestOpen <= 2, `${longestOpen} minutes`);
  });

  it('would have services refuse tokens, were keys published for less than services keep theirs', () => {
    assert.ok(simulate(7 * 24 * 60, { ...times, stageMs: 5 * minuteMs }).refused > 0);
  });

  it('waits for services to hear of a key where nobody was there to tell them', () => {
    // A week somewhen; most of the hour about midnight, when one key follows another; and an hour in which they come and go.
    const isAway = (minute: number): boolean => {
      const ofDay = minute % (24 * 60);
      const isWeek = minute > 50_000 && minute < 60_000;
      return isWeek || ofDay < 35 || (ofDay > 24 * 60 - 15 && minute % 3 !== 1);
    };
    const { refused, used } = simulate(100 * 24 * 60, times, isAway);
    assert.equal(refused, 0);
    assert.ok(used.size > 80, `${used.size} keys`);
  });

  it('does not begin to sign early, whatever a process believes of its own clock', () => {
    const at = new Date(start + dayMs + 19 * minuteMs);
    const next: SigningKey = { ...firstKey, kid: 'key-2', state: 'published', publishedAt: new Date(start + dayMs) };
    const reading = { keys: [firstKey, next], at };
    assert.equal(
      nextStep(reading, times, () => Infinity),
      undefined,
    );
    const later = { ...reading, at: new Date(start + dayMs + 20 * minuteMs) };
    assert.deepEqual(
      nextStep(later, times, () => 20 * minuteMs),
      { change: 'activated', kid: 'key-2' },
    );
    assert.equal(
      nextStep(later, times, () => 19 * minuteMs),
      undefined,
    );
  });

  it('signs what was issued before with the key of then, while it is there', () => {
    const at = new Date(start + dayMs);
    const next: SigningKey = { ...firstKey, kid: 'key-2', publishedAt: at, activatedAt: at };
    const keys = [{ ...firstKey, state: 'retiring', supersededAt: at } as const, next];
    assert.equal(keyFor(keys, new Date(at.getTime() - 1))?.kid, 'key-1');
    assert.equal(keyFor(keys, at)?.kid, 'key-2');
    assert.equal(keyFor([next], new Date(at.getTime() - 1))?.kid, 'key-2');
    assert.equal(keyFor([next], new Date(start - 1))?.kid, 'key-2');
  });

  it('never signs with a key that is published only', () => {
    const published: SigningKey = { kid: 'key-2', state: 'published', publicJwk, sealed: '', publishedAt: new Date(0) };
    assert.equal(keyFor([firstKey, published], new Date(start + dayMs))?.kid, 'key-1');
  });
});
