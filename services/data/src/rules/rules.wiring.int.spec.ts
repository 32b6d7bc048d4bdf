import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';

import { startTestService, testIdentity } from '@causeway/service/testing';
import type { TestService } from '@causeway/service/testing';
import { createLogger } from '@causeway/telemetry';
import { MongoClient } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import { definitionsCollection } from '../collections/collection.model.ts';
import { parseDefinition } from '../collections/parse-definition.ts';
import type { Ground } from '../feature.ts';
import { createRules } from './rules.wiring.ts';

describe('trials of rules that come at once', () => {
  let client: MongoClient;
  let service: TestService;
  let token: string;
  let database: string;
  /** How many trials look at records just now, none of which ends before they are released. */
  let [looking, most] = [0, 0];
  const gate = Promise.withResolvers<undefined>();

  before(async () => {
    client = await MongoClient.connect(process.env.MONGODB_URL ?? '');
    database = `trials-${randomUUID().slice(0, 8)}`;
    const db = client.db(database);
    const source = { schema: { properties: {} }, indexes: [], rules: { read: 'public' } } as const;
    async function* rows(): AsyncGenerator<never> {
      looking += 1;
      most = Math.max(most, looking);
      await gate.promise;
      looking -= 1;
      yield* [];
    }
    const held = { sort: () => held, limit: () => held, [Symbol.asyncIterator]: rows };
    const records = { native: { find: () => held } };
    const collection = { ...parseDefinition(source), ...{ id: 'col_1', name: 'notes', revision: 1, source, records } };
    const ground = {
      ...{ config: { queryTimeoutMs: 5_000 }, client, now: () => new Date() },
      findCurrent: () => Promise.resolve(collection),
      events: { db, log: { collection: db.collection('events') } },
    } as unknown as Ground;
    const definitions = { native: db.collection<DefinitionDocument>(definitionsCollection) };
    const { routes } = createRules(ground, { definitions } as Parameters<typeof createRules>[1]);
    const issuer = await testIdentity();
    service = await startTestService(routes, {
      logger: createLogger({ service: 'data', level: 'silent' }),
      internalKey: randomUUID(),
      identity: issuer.identity,
    });
    token = await issuer.token({ sub: 'usr_1', roles: ['admin'] });
  });
  after(async () => {
    gate.resolve(undefined);
    await service.stop();
    await client.db(database).dropDatabase();
    await client.close();
  });

  const attempt = async (): Promise<{ status: number; code: unknown; retryAfter: string | null }> => {
    const response = await service.fetch('/v1/rules/try', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ collection: 'notes', rules: { read: [] }, who: ['anonymous'], events: 0 }),
    });
    const { code } = (await response.json()) as { code?: unknown };
    return { status: response.status, code, retryAfter: response.headers.get('retry-after') };
  };

  it(
    'are made two at a time; ten wait for five seconds, and more are told to come again',
    { timeout: 60_000 },
    async (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      const busy = { status: 503, code: 'trial-busy', retryAfter: '15' };
      const settled: Awaited<ReturnType<typeof attempt>>[] = [];
      const answered = (): number => settled.length;
      const attempts = Array.from({ length: 13 }, async () => void settled.push(await attempt()));
      await Promise.race(attempts);
      // No time has passed: it is the one that came last.
      assert.deepEqual([settled, most], [[busy], 2]);
      t.mock.timers.tick(4_999);
      for (let turn = 0; turn < 20; turn += 1) await setImmediate();
      assert.equal(settled.length, 1);
      t.mock.timers.tick(1);
      while (answered() < 11) await setImmediate();
      assert.deepEqual(settled, Array.from({ length: 11 }).fill(busy));
      gate.resolve(undefined);
      await Promise.all(attempts);
      assert.deepEqual(
        settled.slice(11).map(({ status }) => status),
        [200, 200],
      );
      assert.deepEqual([(await attempt()).status, most], [200, 2], 'their places are given back');
    },
  );
});
