import assert from 'node:assert/strict';
import process from 'node:process';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { TestReplicas } from '@causeway/stack/testing';
import { foldedProperties } from '../../../services/data/src/testing/fold-writer.ts';
import { createRecord, defineCollection, exportRecords } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { lastingAdmin, lastingToken } from '../harness/lasting-token.ts';
import { signIn, signUp } from '../harness/people.ts';
import { startReplicas } from '../harness/replicas.ts';
import { readHistory, timeNow } from './collection-history.ts';
import { startFoldWriters } from './fold-writers.ts';
import { joinGroupsOf } from './group-stranger.ts';
import { createKiller, type Victim } from './killer.ts';
import { loose, type ReadRules, readRulesOverTime, tight } from './rights-over-time.ts';
import { type RightsSubscriber, type RightsSubscription, startRightsSubscriber } from './rights-subscriber.ts';
import { seed, seededRandom, shuffled } from './seeded-random.ts';
import { sureCall } from './sure-call.ts';
import { recoveryMs } from './survives.ts';

const rounds = process.env.CAUSEWAY_TEST_LONG === undefined ? 1 : 8;
/** What is promised is a second. */
const closedWithinMs = 4_000;
const markerMs = 5_000;
const mergePatch = 'application/merge-patch+json';

const victims: readonly Victim[] = ['data', 'gateway', 'auth', 'mongodb', 'redis', 'data-2', 'gateway-2'];

describe(`the view of a feed while rights change under kill -9 (CAUSEWAY_TEST_SEED=${seed})`, () => {
  let replicas: TestReplicas;
  before(async () => {
    replicas = await startReplicas();
  });
  after(() => replicas.stop());

  const follow = async (round: number, context: TestContext): Promise<void> => {
    const since = await timeNow();
    const gateways = [undefined, replicas.gateway.url];
    const [token, ada, bob, carol, eve] = await Promise.all([
      lastingAdmin(context),
      ...([signUp(), signUp(), signUp(), signUp()] as const),
    ]);

    const projects = await defineCollection(token(), {
      properties: { members: { type: 'array', items: { type: 'string' } } },
      ...{ required: [], indexes: [{ keys: { members: 1 } }] },
    });
    const project = async (...members: { readonly id: string }[]): Promise<string> =>
      (await createRecord(projects, token(), { members: members.map(({ id }) => id) })).id;
    const [shared, adas, doomed, everybodys] = [
      await project(bob, carol, eve),
      await project(ada),
      await project(bob, ada),
      await project(ada, bob, carol, eve),
    ];
    const named = [shared, adas, doomed];

    const definitionBy = ({ read, secret }: ReadRules) => ({
      properties: { ...foldedProperties, secret: { type: 'string' }, project: { type: ['string', 'null'] } },
      required: [],
      fields: {
        secret: { read: secret },
        project: { reference: { collection: projects, onDelete: 'null' } },
      },
      rules: { read, create: 'signed-in', update: 'signed-in', delete: 'signed-in' } as const,
    });
    const tasks = await defineCollection(token(), definitionBy(loose));

    const define = async (rules: ReadRules): Promise<void> => {
      const { properties, fields, ...rest } = definitionBy(rules);
      const json = { schema: { type: 'object', required: [], properties }, indexes: [], fields, rules: rest.rules };
      await sureCall(gateways, 'PUT', `/v1/collections/${tasks}`, { token: token(), json }, 200);
    };
    const members = async (of: string, ...who: { readonly id: string }[]): Promise<void> => {
      const json = { members: who.map(({ id }) => id) };
      await sureCall(gateways, 'PATCH', `/v1/data/${projects}/${of}`, { token: token(), json, type: mergePatch }, 200);
    };
    const give = async (...roles: string[]): Promise<void> => {
      await sureCall(gateways, 'PUT', `/v1/auth/accounts/${carol.id}/roles`, { token: token(), json: { roles } }, 200);
    };
    const signInAnew = async ({ email, password }: { email: string; password: string }): Promise<string> =>
      (await eventually(() => signIn(email, password), { withinMs: recoveryMs, everyMs: 200 })).accessToken;

    const writers = startFoldWriters(
      tasks,
      {
        ...{ token, authors: [ada.id, bob.id], seed: seed + 100 * round, gateways },
        more: (random) => ({ secret: `s${random.below(1e6)}`, project: random.chance(60) ? random.pick(named) : null }),
      },
      context,
    );
    await writers.progress(20);

    // Carol and Eve sign in anew as it goes on.
    const [adasToken, bobsToken] = await Promise.all([lastingToken(ada, context), lastingToken(bob, context)]);
    const tokens = new Map<string, string | null>([carol, eve].map(({ id, accessToken }) => [id, accessToken]));
    const by = ({ id }: { readonly id: string }) => ({ id, token: () => tokens.get(id) ?? null });
    const subscriptions: RightsSubscription[] = [
      { name: 'ada', id: ada.id, token: adasToken, snapshot: true },
      { name: 'bob', id: bob.id, token: bobsToken, snapshot: true, over: 'socket' },
      { name: 'bob, of some, without snapshots', id: bob.id, token: bobsToken, atLeast: 40, snapshot: false },
      { name: 'carol', ...by(carol), snapshot: true },
      {
        name: 'carol, of some, over a socket without snapshots',
        ...by(carol),
        atLeast: 40,
        snapshot: false,
        over: 'socket',
      },
      { name: 'eve', ...by(eve), snapshot: true },
      { name: 'eve, over a socket', ...by(eve), snapshot: true, over: 'socket' },
    ];
    const subscribers = await Promise.all(
      subscriptions.map((each, index) => {
        // Each begins at one of the gateways, and goes on at the other.
        let turn = index;
        return startRightsSubscriber(tasks, each, () => gateways[turn++ % 2]);
      }),
    );
    for (const { feed } of subscribers) context.after(() => feed.stop());
    const of = ({ id }: { readonly id: string }): RightsSubscriber[] =>
      subscribers.filter(({ subscription }) => subscription.id === id);
    const here = (): RightsSubscriber[] => subscribers.filter(({ subscription }) => subscription.token() !== null);

    /** Has nothing written, and everybody told everything: then each holds what their own query finds. */
    const settled = async (): Promise<string> => {
      const goOn = await writers.pause();
      const marker = { status: 'draft', author: 'nobody', n: 99, project: everybodys, secret: 'x' };
      // Who was told of a gap just then, and is sent no result, is told of the next.
      const last = await eventually(
        async () => {
          const answer = await sureCall(gateways, 'POST', `/v1/data/${tasks}`, { token: token(), json: marker }, 201);
          const { id } = answer.json<{ id: string }>();
          for (const { name, hasHeardOf } of here()) {
            await eventually(() => assert.ok(hasHeardOf(id), `${name} has not been told`), { withinMs: markerMs });
          }
          return id;
        },
        { withinMs: recoveryMs },
      );
      for (const { name, held, subscription } of here().filter(({ subscription: { snapshot } }) => snapshot)) {
        const query = () => exportRecords(tasks, subscription.token() ?? undefined);
        const found = await eventually(query, { withinMs: recoveryMs, everyMs: 200 });
        const revisions = found.map(({ id, revision }) => [id, revision] as const);
        assert.deepEqual([...held()].toSorted(), revisions.toSorted(), `what ${name} holds`);
      }
      goOn();
      return last;
    };
    /** Their tokens have ended: so have their feeds. */
    const closes = async (who: { readonly id: string }): Promise<void> => {
      const closing = of(who).map(({ name, feed }) => {
        const isClosed = (): void => assert.ok(!feed.isOpen(), `${name} is still told`);
        return eventually(isClosed, { withinMs: closedWithinMs, everyMs: 20 });
      });
      await Promise.all(closing);
    };

    const killer = createKiller(replicas);
    const order = shuffled(victims, seededRandom(seed + round));
    const killNext = async (): Promise<void> => {
      await writers.progress(8);
      const victim = order.pop();
      if (victim !== undefined) await killer.kill(victim);
    };

    // Eve is away while the rule is a tighter one, and while she is no member.
    await killer.kill('user');
    tokens.set(eve.id, null);
    await sureCall(gateways, 'POST', '/v1/auth/sign-out', { token: eve.accessToken }, 204);
    await closes(eve);
    await killNext();
    await define(tight);
    const stranger = await joinGroupsOf(['data', 'user']);
    context.after(() => stranger.leave());
    await killNext();
    await members(adas, ada, bob);
    await killNext();
    await give('admin', 'member');
    tokens.set(carol.id, await signInAnew(carol));
    for (const { feed, subscription } of of(carol)) {
      const comesAnew = (): void => {
        const isNew = feed.heard().at(-1)?.token === subscription.token();
        if (!isNew) feed.reconnect();
        assert.ok(isNew, 'it has not been let in anew');
      };
      await eventually(comesAnew, { withinMs: recoveryMs });
    }
    await settled();
    await killNext();
    await members(shared, carol);
    await stranger.leave();
    await killNext();
    await define(loose);
    await killNext();
    await members(shared, carol, eve);
    named.splice(named.indexOf(doomed), 1);
    await killNext();
    // Nothing that is on its way names it.
    (await writers.pause())();
    await sureCall(gateways, 'DELETE', `/v1/data/${projects}/${doomed}`, { token: token() }, 204);

    await killer.allBack();
    await killer.kill('kafka');
    tokens.set(carol.id, null);
    await give('member');
    await closes(carol);
    tokens.set(carol.id, await signInAnew(carol));
    tokens.set(eve.id, await signInAnew(eve));
    await killer.allBack();
    await writers.progress(20);
    await writers.stop();
    const last = await settled();
    for (const { feed } of subscribers) feed.stop();

    const lastProject = (await createRecord(projects, token(), { members: [] })).id;
    // Once nothing more is written, for the history ends with the marker.
    const history = {
      records: await readHistory(tasks, since, last),
      projects: await readHistory(projects, since, lastProject),
      rules: await readRulesOverTime(tasks, since),
    };
    const counts = subscribers.map(({ name, feed, assertViews }) => {
      const { views, gaps } = assertViews(history);
      assert.ok(views > 10, `${name} was told ${views} places`);
      assert.ok(gaps > 0, `${name} was told of ${gaps} changes of their rights`);
      return `${views}/${gaps}/${feed.connections()}`;
    });
    context.diagnostic(
      `${history.records.length} changes; places, changes of rights and connections of each subscriber: ${counts.join(', ')}; ${stranger.taken()} partitions were somebody else's for a while`,
    );
  };

  for (let round = 1; round <= rounds; round += 1) {
    it(`is what the query finds at every cursor, and never more than the rights of then show (${round})`, (context) =>
      follow(round, context));
  }
});
