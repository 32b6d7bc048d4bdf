// A service of your own that follows everything that happens: one JSON line an event, each event once, each subject in order.
// node subscriber.ts [topic…]; KAFKA_BROKERS and GROUP_ID are read from the environment.
import process from 'node:process';
import kafkajs, { type EachMessagePayload } from 'kafkajs';

const topics = process.argv.length > 2 ? process.argv.slice(2) : ['causeway.auth', 'causeway.user', 'causeway.data'];
const brokers = (process.env.KAFKA_BROKERS ?? '127.0.0.1:9192').split(',');
const kafka = new kafkajs.Kafka({ clientId: 'example-subscriber', brokers, logLevel: kafkajs.logLevel.NOTHING });
// A broker that is away is waited for, however long that takes; back again, it waits a session for who was there before.
const lasting = { retry: { restartOnFailure: () => Promise.resolve(true) }, sessionTimeout: 10_000 };
const consumer = kafka.consumer({ groupId: process.env.GROUP_ID ?? 'example-subscriber', ...lasting });

// Yours are rows in your database, written in one transaction with what you make of the event.
const seen = new Set<string>();
const sequences = new Map<string, number>();

// Causeway publishes at least once: after a crash an event may come again, and what it skips is never missing.
function handle({ topic, message }: EachMessagePayload): void {
  const ce = (attribute: string): string => message.headers?.[`ce_${attribute}`]?.toString() ?? '';
  const event = { type: ce('type'), subject: ce('subject'), sequence: ce('sequence'), id: ce('id') };
  if (seen.has(event.id)) return;
  seen.add(event.id);
  const [of, sequence] = [`${topic} ${event.subject}`, Number(event.sequence)];
  const before = sequences.get(of);
  if (before !== undefined && sequence !== before + 1) {
    console.error(`${event.subject}: ${event.type} has sequence ${sequence} after ${before}`);
    process.exit(1);
  }
  sequences.set(of, sequence);
  console.log(JSON.stringify(event));
}

await consumer.connect();
await consumer.subscribe({ topics, fromBeginning: true });
await consumer.run({ eachMessage: (payload) => Promise.resolve(payload).then(handle) });
// Leaving the group tells the broker at once that nobody is left to wait for.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void consumer.disconnect());
