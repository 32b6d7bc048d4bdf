import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';

import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { openTestAuth, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { markVerified } from '../testing/test-links.ts';
import { openTestSmtpServer } from '../testing/test-smtp-server.ts';
import type { TestSmtpServer } from '../testing/test-smtp-server.ts';

describe('a mail', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let published: PublishedEvents;
  let smtp: TestSmtpServer;
  let ada: Person;

  /** Has a refresh token come back long after it was exchanged: its owner is told by mail. */
  const reuse = async ({ refreshToken }: Person): Promise<void> => {
    const refresh = () => auth.call('POST /v1/auth/refresh', { body: { refreshToken } });
    assert.equal((await refresh()).status, 200);
    world.clock.aheadMs = 60_000;
    assert.equal((await refresh()).body.code, 'refresh-reused');
    world.clock.aheadMs = 0;
  };
  // A new address is written to first, which is none of what is looked at here.
  const template = 'refresh-reused';
  const received = ({ email }: Person) =>
    smtp.received.filter(({ to, source }) => to === email && /^Subject: You were signed out/m.test(source));
  const mailOf = ({ id }: Person) => world.db.collection('mails').findOne({ accountId: id, template });
  const isQueuedFor = ({ type, data }: EventEnvelope, { id }: Person, what: string): boolean => {
    const told = data as { accountId?: string; template?: string };
    return type === 'auth.mail.queued' && told.accountId === id && told.template === what;
  };
  /** All that is told of the mail about a token that came back, once it has come to an end. */
  const history = async (person: Person, end: string): Promise<EventEnvelope[]> => {
    const isQueued = (event: EventEnvelope) => isQueuedFor(event, person, template);
    const [queued] = await published.waitFor(isQueued);
    await published.waitFor(({ type, subject }) => subject === queued?.subject && type === `auth.mail.${end}`);
    return published.all.filter(({ subject }) => subject === queued?.subject);
  };
  const short = (events: readonly EventEnvelope[]) =>
    events.map(({ type, data }) => {
      const { attempt, reason } = data as { attempt?: number; reason?: string };
      return [
        type.slice('auth.mail.'.length),
        ...(attempt === undefined ? [] : [attempt]),
        ...(reason === undefined ? [] : [reason]),
      ];
    });

  before(async () => {
    world = await openTestAuth();
    smtp = await openTestSmtpServer();
    const mailServer = {
      SMTP_URL: `smtp://127.0.0.1:${smtp.port}`,
      MAIL_FROM: 'Causeway <no-reply@example.com>',
      MAILBOX: '',
    };
    auth = await world.replica(mailServer);
    published = await world.published();
  });
  after(async () => {
    await world.stop();
    await smtp.close();
  });
  beforeEach(async () => {
    ada = await signUp(auth);
    const [queued] = await published.waitFor((event) => isQueuedFor(event, ada, 'verify-email'));
    await published.waitFor(({ type, subject }) => subject === queued?.subject && type === 'auth.mail.sent');
    await markVerified(world, ada);
  });
  afterEach(() => {
    smtp.answers.length = 0;
    smtp.onMail = () => Promise.resolve();
    world.mailDelaysMs.splice(0, Infinity, 200, 400, 800);
  });

  it('follows from an event, and is told of from its queueing to its end', async () => {
    await reuse(ada);
    const events = await history(ada, 'sent');
    assert.deepEqual(short(events), [['queued'], ['sent', 1]]);
    const [queued, sent] = events;
    assert.deepEqual(
      [queued?.data, sent?.data].map((data) => (data as { template: string }).template),
      ['refresh-reused', 'refresh-reused'],
    );
    const [ended] = await published.waitFor(({ id }) => id === queued?.causationid);
    assert.deepEqual([ended?.type, sent?.causationid], ['auth.session.ended', queued?.id]);
    const [mail, ...others] = received(ada);
    assert.deepEqual(others, []);
    assert.ok(mail !== undefined);
    assert.equal(mail.from, 'no-reply@example.com');
    assert.match(mail.source, /^From: Causeway <no-reply@example\.com>$/m);
    assert.match(mail.source, /^Auto-Submitted: auto-generated$/im);
    assert.match(mail.source, /^Subject: You were signed out of 127\.0\.0\.1:8080, to be safe$/m);
    assert.match(mail.source, /Content-Type: text\/plain[^]*Content-Type: text\/html/);
    const document = await mailOf(ada);
    assert.equal(mail.messageId, `${String(document?._id)}@example.com`);
    assert.deepEqual([document?.status, document?.attempts, document?.to], ['sent', 1, ada.email]);
  });

  it('is tried again, under the same id, where the server says later', async () => {
    smtp.answers.push('451 greylisted', `450 busy, <${ada.email}> has to wait`);
    await reuse(ada);
    const events = await history(ada, 'sent');
    assert.deepEqual(short(events), [
      ['queued'],
      ['deferred', 1, 'answer-451'],
      ['deferred', 2, 'answer-450'],
      ['sent', 3],
    ]);
    assert.equal(received(ada).length, 1);
    const scheduled = published.all.filter(({ type, data }) => {
      const { about } = data as { about?: string };
      return type === 'auth.timer.scheduled' && about === events[0]?.subject;
    });
    assert.equal(scheduled.length, 2);
  });

  it('fails at once where the server refuses it for good, and without a word of the server', async () => {
    smtp.answers.push(`550 there is no ${ada.email}`);
    await reuse(ada);
    const events = await history(ada, 'failed');
    assert.deepEqual(short(events), [['queued'], ['failed', 'answer-550']]);
    assert.equal((await mailOf(ada))?.status, 'failed');
    assert.deepEqual(received(ada), []);
  });

  it('is given up after the last attempt', async () => {
    smtp.answers.push(...Array.from({ length: 4 }, () => '451 not now'));
    await reuse(ada);
    const events = await history(ada, 'failed');
    assert.deepEqual(
      short(events).map(([what]) => what),
      ['queued', 'deferred', 'deferred', 'deferred', 'failed'],
    );
  });

  it('waits for a server that is away', async () => {
    world.mailDelaysMs.splice(0, Infinity, 500, 6_000);
    const { port } = smtp;
    await smtp.close();
    await reuse(ada);
    const subject = (await history(ada, 'queued'))[0]?.subject;
    await published.waitFor((event) => event.type === 'auth.mail.deferred' && event.subject === subject, 2);
    smtp = await openTestSmtpServer(port);
    assert.deepEqual(short(await history(ada, 'sent')), [
      ['queued'],
      ['deferred', 1, 'no-connection'],
      ['deferred', 2, 'no-connection'],
      ['sent', 3],
    ]);
  });

  it('goes with its person: nothing is kept of it, in the log neither', async () => {
    await reuse(ada);
    await history(ada, 'sent');
    const mailId = String((await mailOf(ada))?._id);
    await auth.stop();
    auth = await world.replica({
      ...{ SMTP_URL: `smtp://127.0.0.1:${smtp.port}`, MAIL_FROM: 'no-reply@example.com', MAILBOX: '' },
      ...{ ERASURE_SETTLE_TIME: '1s' },
    });
    const { id, email } = ada;
    const again = await auth.call('POST /v1/auth/sign-in', {
      body: { email, password: 'correct horse battery staple' },
    });
    const token = String(again.body.accessToken);
    const erased = await auth.call('DELETE /v1/auth/account', {
      body: { password: 'correct horse battery staple' },
      token,
    });
    assert.equal(erased.status, 202);
    await published.waitFor(({ type, subject }) => type === 'auth.removal.completed' && subject === `removal/${id}`);
    assert.equal(await mailOf(ada), null);
    const kept = await world.db
      .collection('events')
      .find({ 'event.subject': `mail/${mailId}` })
      .toArray();
    assert.ok(kept.length >= 3);
    assert.ok(!JSON.stringify(kept).includes(email));
  });
});
