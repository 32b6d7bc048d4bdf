// Started by preload.int.spec.ts with --import of the preload: one call of each instrumented library inside a span, and one of
// each that fails with a message that quotes what was written.
import assert from 'node:assert/strict';
import process from 'node:process';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';

import { runningTelemetry } from '../start-telemetry.ts';
import { withSpan } from '../messaging-span.ts';

const mongo = await MongoClient.connect(process.env.MONGODB_URL ?? '');
const redis = new Redis(process.env.REDIS_URL ?? '');
const people = mongo.db('telemetry_spec').collection('people');
await people.createIndex({ email: 1 }, { unique: true }, undefined);
await people.updateOne({ email: 'secret@example.com' }, { $set: { known: true } }, { upsert: true });
await withSpan('child', {}, async () => {
  await people.findOne({ email: 'secret@example.com' });
  await redis.get('telemetry-spec:secret-key');
});
await withSpan('failing', {}, async () => {
  const taken = people.findOneAndUpdate(
    { email: 'other' },
    { $set: { email: 'secret@example.com' } },
    { upsert: true },
  );
  await assert.rejects(taken, /E11000.*secret@example\.com/);
  await assert.rejects(redis.eval('return redis.error_reply("ERR secret")', 0), /secret/);
});
await mongo.close();
redis.disconnect();
await runningTelemetry()?.shutdown(5_000);
