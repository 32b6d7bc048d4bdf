import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { openTestAuth, password, randomEmail, signUp } from '../../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../../testing/test-auth.ts';
import { changeAddress, refusedAsLink, verifyAddress } from '../../testing/test-links.ts';
import { openTestMailbox } from '../../testing/test-mailbox.ts';
import type { TestMailbox } from '../../testing/test-mailbox.ts';

describe('the address that an account had before', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let mailbox: TestMailbox;
  let ada: Person;

  const undo = (token: unknown) => auth.call('POST /v1/auth/email/undo', { body: { token } });
  const change = (person: Person, email: string): Promise<Person> => changeAddress(auth, mailbox, person, email);
  const signUpWith = (email: string) => auth.call('POST /v1/auth/sign-up', { body: { email, password } });
  const keysOf = async ({ id }: Person): Promise<string[] | undefined> =>
    (await world.db.collection<{ _id: string; emailKeys: string[] }>('accounts').findOne({ _id: id }))?.emailKeys;

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica({ EMAIL_UNDO_TIME: '20s' });
    mailbox = await openTestMailbox(world);
  });
  after(() => world.stop());
  beforeEach(async () => {
    world.clock.aheadMs = 0;
    ada = await signUp(auth);
    await verifyAddress(auth, mailbox, ada);
  });

  it('keeps the address of before from everybody else for as long as it can be undone, and no longer', async () => {
    await change(ada, randomEmail());
    const token = await mailbox.tokenTo(ada.email, 'undo');
    const taken = await signUpWith(ada.email);
    assert.deepEqual([taken.status, taken.body.code], [409, 'email-taken']);
    const deadline = performance.now() + 90_000;
    while ((await keysOf(ada))?.includes(ada.email) === true) {
      assert.ok(performance.now() < deadline, 'it is kept still');
      await delay(100);
    }
    refusedAsLink(await undo(token));
    assert.equal((await signUpWith(ada.email)).status, 201);
  });
});
