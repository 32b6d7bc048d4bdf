// Started by preload.int.spec.ts with --import of the preload: one call of each instrumented library inside a span.
import process from 'node:process';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';

import { runningTelemetry } from '../start-telemetry.ts';
import { withSpan } from '../messaging-span.ts';

const mongo = await MongoClient.connect(process.env.MONGODB_URL ?? '');
const redis = new Redis(process.env.REDIS_URL ?? '');
await withSpan('child', {}, async () => {
  await mongo.db('telemetry_spec').collection('people').findOne({ email: 'secret@example.com' });
  await redis.get('telemetry-spec:secret-key');
});
await mongo.close();
redis.disconnect();
await runningTelemetry()?.shutdown(5_000);
