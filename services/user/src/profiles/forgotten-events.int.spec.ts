import { topicOf } from '@causeway/contracts';
import { forgetEvents } from '@causeway/events/testing';
import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';

import { openTestUser, type BeforeStart, type TestUser } from '../testing/test-user.ts';

const count = 20;

describe('accounts whose events Kafka no longer holds', () => {
  let world: TestUser;
  const ids: string[] = [];

  const outlastKafka = async ({ createAccount, prefix }: BeforeStart): Promise<void> => {
    for (let index = 0; index < count; index += 1) ids.push((await createAccount()).id);
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    const [topic, groupId] = [prefix + topicOf('auth'), `${prefix}causeway-user`];
    await forgetEvents({ brokers, topic, groupId, count });
  };

  before(async () => {
    world = await openTestUser(outlastKafka);
  });
  after(() => world.stop());

  it('have profiles all the same, read from the log of auth', async () => {
    const created = await world.published.waitFor((event) => event.type === 'user.profile.created', count);
    assert.deepEqual(created.map(({ subject }) => subject).sort(), ids.map((id) => `profile/${id}`).sort());
    // And it goes on from there.
    const { id } = await world.createAccount();
    await world.published.waitFor((event) => event.subject === `profile/${id}`, 1);
  });
});

describe('accounts that were there before this database', () => {
  let world: TestUser;
  const ids: string[] = [];

  const loseDatabase = async ({ createAccount, prefix }: BeforeStart): Promise<void> => {
    for (let index = 0; index < count; index += 1) ids.push((await createAccount()).id);
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    const [topic, groupId] = [prefix + topicOf('auth'), `${prefix}causeway-user`];
    // Kafka remembers of the service that was here before that it had handled all of them.
    await forgetEvents({ brokers, topic, groupId, groupAt: 'end', count });
  };

  before(async () => {
    world = await openTestUser(loseDatabase);
  });
  after(() => world.stop());

  it('have profiles, wherever the group stands', async () => {
    const created = await world.published.waitFor((event) => event.type === 'user.profile.created', count);
    assert.deepEqual(created.map(({ subject }) => subject).sort(), ids.map((id) => `profile/${id}`).sort());
    const { id } = await world.createAccount();
    await world.published.waitFor((event) => event.subject === `profile/${id}`, 1);
  });
});
