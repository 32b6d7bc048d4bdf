import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';

import { Fault } from '@causeway/contracts';

import { createAwaitProfile } from './await-profile.ts';
import type { Profile } from './profile.model.ts';

const profile: Profile = {
  _id: 'usr_1',
  name: 'Ada',
  email: 'ada@example.com',
  preferences: {},
  revision: 1,
  createdAt: new Date(0),
  updatedAt: new Date(0),
};

const setUp = (options: { waitersLimit?: number; patienceMs?: number } = {}) => {
  const stored = new Map<string, Profile>();
  const state = { reads: 0, onRead: (): void => undefined };
  let listener = (_id: string): void => undefined;
  const awaitProfile = createAwaitProfile({
    profiles: {
      byId: async (id) => {
        const found = stored.get(id);
        state.reads += 1;
        state.onRead();
        return found;
      },
    },
    isErased: async (id) => id === 'usr_erased',
    onChange: (given) => {
      listener = given;
    },
    waitersLimit: 10,
    ...options,
  });
  const commit = (): void => {
    stored.set('usr_1', profile);
    listener('usr_1');
  };
  return { awaitProfile, commit, stored, state };
};

const open = new AbortController().signal;
const isUnavailable = (error: unknown) => error instanceof Fault && error.status === 503 && error.retryAfterS === 1;

describe('waiting for a profile', () => {
  it('is over at once where it is there, with one read', async () => {
    const { awaitProfile, commit, state } = setUp();
    commit();
    assert.equal(await awaitProfile('usr_1', open), profile);
    assert.equal(state.reads, 1);
  });

  it('is over when it comes', async () => {
    const { awaitProfile, commit } = setUp();
    const read = awaitProfile('usr_1', open);
    await setImmediate();
    commit();
    assert.equal(await read, profile);
  });

  it('misses none that comes between the read and the listening', async () => {
    const { awaitProfile, state, stored } = setUp();
    state.onRead = () => stored.set('usr_1', profile);
    assert.equal(await awaitProfile('usr_1', open), profile);
  });

  it('is given up in time', async () => {
    const { awaitProfile } = setUp({ patienceMs: 5 });
    await assert.rejects(awaitProfile('usr_1', open), isUnavailable);
  });

  it('is given up when the client goes', async () => {
    const { awaitProfile } = setUp();
    const client = new AbortController();
    const read = awaitProfile('usr_1', client.signal);
    await setImmediate();
    client.abort();
    await assert.rejects(read, isUnavailable);
  });

  it('has room for so many, and again when they have gone', async () => {
    const { awaitProfile, commit } = setUp({ waitersLimit: 2 });
    const reads = [awaitProfile('usr_1', open), awaitProfile('usr_1', open)];
    await setImmediate();
    await assert.rejects(awaitProfile('usr_1', open), isUnavailable);
    commit();
    assert.deepEqual(await Promise.all(reads), [profile, profile]);
    assert.equal(await awaitProfile('usr_1', open), profile);
  });

  it('does not wait for the profile of somebody who has been erased', async () => {
    const { awaitProfile } = setUp();
    const refused = awaitProfile('usr_erased', new AbortController().signal);
    await assert.rejects(refused, (error) => error instanceof Fault && error.code === 'unauthenticated');
  });
});
