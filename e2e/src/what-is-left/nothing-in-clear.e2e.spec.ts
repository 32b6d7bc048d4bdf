// Runs after all others, since spec files run one after the other, by name: what they have used is looked for in what is left.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { request } from 'undici';
import { ByteFinder } from '../harness/byte-finder.ts';
import { call } from '../harness/client.ts';
import { createRecord, defineCollection } from '../harness/collections.ts';
import { eventually } from '../harness/eventually.ts';
import { expectStatus } from '../harness/expectations.ts';
import { addressOf, platform } from '../harness/platform.ts';
import { secretsUsed } from '../harness/secrets-used.ts';
import { writtenOtherwise } from '../harness/written-otherwise.ts';
import { admin, profileOf, signUp } from '../harness/people.ts';
import { inFiles } from './in-files.ts';
import { inKafka } from './in-kafka.ts';
import { inMongodb } from './in-mongodb.ts';
import { inRedis } from './in-redis.ts';
import type { Piece } from './piece.ts';

async function* inTraces(): AsyncGenerator<Piece> {
  const response = await request(new URL('/spans', addressOf('traces')));
  yield { where: 'a span', bytes: new Uint8Array(await response.body.arrayBuffer()) };
}

/** A platform that runs already, and is only handed over. */
const unknown = platform.secrets === undefined && 'nobody has kept what secrets this platform was told';

describe('what is left of passwords, tokens and codes', { skip: unknown }, () => {
  let finder: ByteFinder;
  before(async () => {
    const person = await signUp();
    const json = { email: person.email, password: `not ${person.password}` };
    const { headers } = expectStatus(await call('POST', '/v1/auth/sign-in', { json }), 401);
    // Kept as it is told: a member of this name is looked for in all that is left.
    const secret = `encrypted ${randomUUID()} by the data service`;
    const properties = { title: { type: 'string' }, secret: { type: 'string' } };
    const token = await admin();
    const name = await defineCollection(token, { properties, fields: { secret: { encrypted: true } } });
    const { id } = await createRecord(name, token, { title: person.id, secret: `${secret}, first` });
    const path = `/v1/data/${name}/${id}`;
    expectStatus(await call('PATCH', path, { token, json: { secret }, type: 'application/merge-patch+json' }), 200);
    assert.equal(expectStatus(await call('GET', path, { token }), 200).json<{ secret: string }>().secret, secret);
    // Its effect in another service is there: so is its event in Kafka.
    await profileOf(person);
    const secrets = secretsUsed(platform.secrets ?? '');
    assert.ok(
      secrets.some(({ text }) => text === person.password) && secrets.some(({ text }) => text === secret),
      'what is used is noted',
    );
    const ofAdmin = { text: platform.adminPassword, what: 'the password of the first administrator' };
    finder = new ByteFinder([
      ...[...secrets, ofAdmin].flatMap(writtenOtherwise),
      // What is known to be there: a look that finds neither has seen nothing.
      ...[person.id, headers['x-request-id'] ?? ''].map((text) => ({ text, what: 'known' })),
    ]);
  });

  const places: Readonly<Record<string, { from: () => AsyncIterable<Piece>; names: boolean }>> = {
    'the logs': { from: () => inFiles(platform.home, finder.longest), names: true },
    'MongoDB, its oplog included': { from: () => inMongodb(addressOf('mongodb')), names: true },
    Kafka: { from: () => inKafka(addressOf('kafka')), names: true },
    Redis: { from: () => inRedis(addressOf('redis')), names: false },
    traces: { from: inTraces, names: false },
  };
  /** What is found in a place, once it holds what is known to come there: logs and spans are written after their requests. */
  const look = async (from: () => AsyncIterable<Piece>, names: boolean) => {
    const found = new Set<string>();
    let bytes = 0;
    for await (const piece of from()) {
      bytes += piece.bytes.length;
      for (const what of finder.find(piece.bytes)) found.add(what === 'known' ? what : `${what}: ${piece.where}`);
    }
    const isKnown = found.delete('known');
    assert.ok(bytes > 0 && (isKnown || !names), 'nothing was looked at');
    return { found, bytes };
  };

  for (const [place, { from, names }] of Object.entries(places)) {
    it(`is nothing in ${place}`, async (t) => {
      const { found, bytes } = await eventually(() => look(from, names), { withinMs: 60_000, everyMs: 250 });
      t.diagnostic(`${place}: ${(bytes / 2 ** 20).toFixed(1)} MiB looked through`);
      assert.deepEqual([...found].slice(0, 20), []);
    });
  }
});
