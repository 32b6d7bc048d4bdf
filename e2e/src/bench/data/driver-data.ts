// What MongoDB's driver itself reaches from one process at what the data service does, majority both ways: lists of 20 by an index,
// compare-and-sets, transactions of 100 documents, unordered inserts of 500, and reading through a collection. Told by its input.
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { json } from 'node:stream/consumers';
import { MongoClient } from 'mongodb';

/** What is to be measured. */
export interface DriverDataOrder {
  readonly url: string;
  /** Counted in calls; `insertMany` and `scan` in documents. */
  readonly what: 'list' | 'transaction' | 'insertMany' | 'scan';
  readonly concurrency: number;
  /** Documents that are there. */
  readonly documents: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const order = (await json(process.stdin)) as DriverDataOrder;
const client = new MongoClient(order.url, {
  maxPoolSize: order.concurrency,
  writeConcern: { w: 'majority' },
  readConcern: { level: 'majority' },
});
const db = client.db('bench-driver-data');
const records = db.collection<{ _id: string; fields: object }>(`records-${randomUUID().slice(0, 8)}`);
const document = () => ({
  _id: randomUUID(),
  revision: 1,
  createdAt: new Date(),
  updatedAt: new Date(),
  fields: { title: `Record ${randomUUID()}`, status: 'published', score: 7, tags: ['a', 'b'] },
});
const many = (count: number) => Array.from({ length: count }, document);
await records.createIndexes([{ key: { 'fields.status': 1, 'fields.score': -1, _id: -1 } }], {});
for (let made = 0; made < order.documents; made += 5_000) {
  await records.insertMany(many(Math.min(5_000, order.documents - made)));
}

let count = 0;
let asked = 0;
let isOver = false;
const operations: Readonly<Record<DriverDataOrder['what'], () => Promise<unknown>>> = {
  list: async () => {
    const sort = { 'fields.score': -1, _id: -1 } as const;
    asked += 1;
    const filter = { 'fields.status': 'published', 'fields.score': { $lt: 1_000 + (asked % 512) } };
    await records.find(filter).sort(sort).limit(20).toArray();
    count += 1;
  },
  transaction: async () => {
    await client.withSession((session) =>
      session.withTransaction(() => records.insertMany(many(100), { session, ordered: true })),
    );
    count += 1;
  },
  insertMany: async () => {
    await records.insertMany(many(500), { ordered: false });
    count += 500;
  },
  scan: async () => {
    for await (const found of records.find().sort({ _id: 1 })) {
      JSON.stringify(found);
      count += 1;
      if (isOver) break;
    }
  },
};
const worker = async (): Promise<void> => {
  while (!isOver) await operations[order.what]();
};
let from = performance.now();
setTimeout(() => {
  count = 0;
  from = performance.now();
}, order.warmUpMs);
setTimeout(() => (isOver = true), order.warmUpMs + order.measureMs);
await Promise.all(Array.from({ length: order.concurrency }, worker));
const seconds = (performance.now() - from) / 1000;
await client.close();
console.log(JSON.stringify({ perSecond: count / seconds }));
