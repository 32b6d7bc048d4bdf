import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';

import { newEventId } from '@causeway/contracts';
import type { EventEnvelope } from '@causeway/contracts';
import type { PublishedEvents } from '@causeway/events/testing';

import { runAuthCli } from '../cli/run-auth-cli.ts';
import { openTestAuth, password, signIn, signUp } from '../testing/test-auth.ts';
import type { Person, TestAuth, TestReplica } from '../testing/test-auth.ts';
import { createAppendAudit } from './append-audit.ts';
import { auditCollections } from './audit.model.ts';
import type { AuditCollections } from './audit.model.ts';
import { auditedByType } from './audited-events.ts';
import { verifyAudit } from './verify-audit.ts';
import type { VerifiedChain } from './verify-chain.ts';

const slots = 12;

const eventually = async <T>(what: string, look: () => Promise<T | undefined>): Promise<T> => {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(performance.now() < deadline, `waited 60 s in vain for ${what}`);
    await delay(10);
  }
};

describe('the audit', () => {
  let world: TestAuth;
  let replicas: TestReplica[];
  let published: PublishedEvents;
  let audit: AuditCollections;
  const environment = {
    ...{ ERASURE_SETTLE_TIME: '1s', ERASURE_ANSWER_TIME: '60s', AUDIT_SEAL_INTERVAL: '1s' },
  };

  before(async () => {
    world = await openTestAuth();
    world.environment.KAFKA_PARTITIONS = String(slots);
    const first = await world.replica(environment);
    replicas = [first, await world.replica(environment)];
    published = await world.published();
    audit = auditCollections(world.db);
  });
  after(() => world.stop());

  const audited = () => published.all.filter(({ type }) => auditedByType.has(type));
  const entryOf = (what: string, filter: object) =>
    eventually(what, async () => (await audit.entries.findOne(filter)) ?? undefined);
  const verified = async (): Promise<VerifiedChain[]> => {
    const chains: VerifiedChain[] = [];
    for await (const chain of verifyAudit({ db: world.db })) chains.push(chain);
    return chains;
  };
  const brokenIn = (chains: readonly VerifiedChain[]) => chains.flatMap(({ broken }) => broken ?? []);
  const sum = (chains: readonly VerifiedChain[], what: 'entries' | 'forgotten') =>
    chains.reduce((total, each) => total + each[what], 0);
  const cli = (...args: string[]) =>
    runAuthCli(['audit', 'verify', ...args], {
      ...{ MONGODB_URL: world.environment.MONGODB_URL, AUTH_DATABASE: world.db.databaseName },
    });
  /** Until all that happened is in it; else what is not, and what has become of it. */
  const caughtUp = async (): Promise<string[]> => {
    const deadline = performance.now() + 60_000;
    for (;;) {
      const ids = audited().map(({ id }) => id);
      const there = new Set(await audit.entries.distinct('eventId', { eventId: { $in: ids } }));
      if (there.size === ids.length) return ids;
      if (performance.now() > deadline) {
        const missing = audited().filter(({ id }) => !there.has(id));
        const handled = await world.db
          .collection<{ _id: { handler: string; event: string } }>('handled')
          .find({ '_id.event': { $in: missing.map(({ id }) => id) } })
          .toArray();
        assert.fail(JSON.stringify({ missing: missing.map(({ type, subject }) => `${type} of ${subject}`), handled }));
      }
      await delay(10);
    }
  };
  const append = (events: readonly EventEnvelope[], erased: readonly string[] = []) => {
    const persons = { enterAll: () => Promise.resolve(new Set(erased)) };
    const appendAudit = createAppendAudit({ collections: audit, persons, slots });
    return world.db.client.withSession((session) =>
      session.withTransaction(() => appendAudit(events, session), { readConcern: { level: 'snapshot' } }),
    );
  };

  it('has each act once, in chains without a hole, of two replicas that work at once', async () => {
    const people = await Promise.all(
      Array.from({ length: 24 }, async (_, index): Promise<Person> => {
        const replica = replicas[index % 2]!;
        const person = await signUp(replica);
        const other = await signIn(replica, person.email);
        const { status } = await replica.call('POST /v1/auth/sign-out', { token: other.accessToken });
        assert.equal(status, 204);
        return person;
      }),
    );
    for (const { id } of people) {
      const isOf = ({ data }: EventEnvelope) => (data as { accountId?: string }).accountId === id;
      await published.waitFor((each) => isOf(each) && auditedByType.has(each.type), 5);
    }
    const ids = await caughtUp();
    const chains = await verified();
    assert.deepEqual(brokenIn(chains), []);
    assert.equal(sum(chains, 'entries'), await audit.entries.countDocuments());
    assert.ok(sum(chains, 'entries') >= ids.length);
    assert.ok(chains.length > slots / 2, 'they are spread over the chains');
    const { id, sessionId } = people[0]!;
    const types = await audit.entries.find({ accountId: id }).sort({ at: 1, _id: 1 }).toArray();
    assert.deepEqual(types.map(({ type }) => type).sort(), [
      ...['auth.account.created', 'auth.proof.requested', 'auth.session.ended'],
      ...['auth.session.started', 'auth.session.started'],
    ]);
    const begun = types.find(({ facts }) => facts.sessionId === sessionId);
    assert.deepEqual([begun?.actorType, begun?.actorId, begun?.outcome], ['app_user', id, 'done']);
    assert.match(JSON.stringify(begun?.personal), /127\.0\.0\.1/);
  });

  it('takes an event that comes again for what it is', async () => {
    const events = audited().slice(0, 8);
    const before = await audit.entries.countDocuments();
    await append(events);
    await Promise.all([append(events), append(events.toReversed())]);
    assert.equal(await audit.entries.countDocuments(), before);
    assert.deepEqual(brokenIn(await verified()), []);
  });

  it('is appended to by many at once without a hole', async () => {
    const [model] = audited();
    const many = Array.from({ length: 10 }, () => [1, 2].map(() => ({ ...model!, id: newEventId() })));
    await Promise.all(many.map((events) => append(events)));
    const ids = many.flat().map(({ id }) => id);
    assert.equal(await audit.entries.countDocuments({ eventId: { $in: ids } }), 20);
    assert.deepEqual(brokenIn(await verified()), []);
  });

  it('forgets who is erased, keeps what was done, and verifies', async () => {
    const person = await signUp(replicas[0]!);
    await entryOf('the sign-up', { accountId: person.id, type: 'auth.session.started' });
    await entryOf('the account', { accountId: person.id, type: 'auth.account.created' });
    await entryOf('the proof', { accountId: person.id, type: 'auth.proof.requested' });
    const answer = await replicas[1]!.call('DELETE /v1/auth/account', {
      token: person.accessToken,
      body: { password },
    });
    assert.equal(answer.status, 202);
    for (const service of ['user', 'data'] as const) await world.answerAs(service, person.id);
    await entryOf('the certificate', { accountId: person.id, type: 'auth.erasure.completed' });
    const entries = await eventually('all that was done', async () => {
      const found = await audit.entries.find({ accountId: person.id }).toArray();
      return found.length < 7 ? undefined : found;
    });
    assert.equal(entries.length, 7);
    assert.equal(JSON.stringify(entries).includes(person.email), false);
    assert.deepEqual(
      entries.filter(({ personal, salt }) => personal !== undefined || salt !== undefined),
      [],
    );
    const chains = await verified();
    assert.deepEqual(brokenIn(chains), []);
    assert.equal(sum(chains, 'forgotten'), 2);
    const [late] = published.all.filter(({ subject }) => subject === `session/${person.sessionId}`);
    await append([{ ...late!, id: 'late' }], [person.id]);
    const row = await audit.entries.findOne({ eventId: 'late' });
    assert.deepEqual([row?.accountId, row?.personal, row?.commitment], [person.id, undefined, undefined]);
  });

  it('tells where its chains stand, so that one that is cut off with its head is noticed', async () => {
    await caughtUp();
    const heads = await audit.heads.find().toArray();
    const sealed =
      (chain: number, seq: number) =>
      ({ type, data }: EventEnvelope) =>
        type === 'auth.audit.sealed' &&
        (data as { chain: number }).chain === chain &&
        (data as { seq: number }).seq >= seq;
    for (const { _id, seq } of heads) await published.waitFor(sealed(_id, seq));
    const told = published.all.filter(({ type }) => type === 'auth.audit.sealed');
    for (const { data, subject } of told) {
      const { chain, seq, hash } = data as { chain: number; seq: number; hash: string };
      assert.equal((await audit.entries.findOne({ _id: { chain, seq } }))?.hash, hash);
      assert.equal(subject, `audit/${chain}`);
    }
    const places = told.map(({ data }) => data as { chain: number; seq: number });
    assert.equal(
      new Set(places.map(({ chain, seq }) => `${chain}:${seq}`)).size,
      told.length,
      'of one that has not moved once',
    );

    const sound = await cli();
    assert.equal(sound.status, 0, sound.text);
    assert.match(sound.text, /chain \d+: \d+ entr(y|ies) sound/);
    const { _id: chain, seq, hash } = heads.find((each) => each.seq > 2)!;
    const last = (await audit.entries.findOneAndDelete({ _id: { chain, seq } }))!;
    await audit.heads.updateOne({ _id: chain }, { $set: { seq: seq - 1, hash: last.prev } });
    const cut = await cli();
    assert.equal(cut.status, 1);
    assert.match(cut.text, new RegExp(`BROKEN at ${chain}:${seq}, which is not there`));
    assert.equal((await cli('--from', `${chain}:2`)).status, 1);
    await audit.entries.insertOne(last);
    assert.match((await cli()).text, /stands behind the end/);
    await audit.heads.updateOne({ _id: chain }, { $set: { seq, hash } });
    assert.equal((await cli('--from', `${chain}:2`)).status, 0);

    await audit.entries.updateOne({ _id: { chain, seq: 2 } }, { $set: { 'facts.accountId': 'usr_EVE' } });
    const changed = await cli();
    assert.equal(changed.status, 1);
    assert.match(
      changed.text,
      new RegExp(`chain ${chain}: 1 entry sound; BROKEN at ${chain}:2, which is not what it was`),
    );
    assert.equal((await cli('--from', `${chain}:3`)).status, 0, 'what is before is believed');
  });

  it('is verified by a command that says what it does not understand', async () => {
    for (const args of [['--from', '3'], ['--from', 'x:1'], ['--from', '1:0'], ['--what'], ['more']]) {
      const { status, text } = await cli(...args);
      assert.deepEqual([status, text.includes('usage: ')], [2, true], args.join(' '));
    }
    const { status, text } = await runAuthCli(['audit', 'verify'], {});
    assert.equal(status, 1);
    assert.match(text, /MONGODB_URL is not set/);
    assert.equal((await runAuthCli(['audit'], {})).status, 2);
    assert.equal((await runAuthCli([], {})).status, 2);
    assert.equal((await cli('--seals', '/nowhere')).status, 1);
  });
});
