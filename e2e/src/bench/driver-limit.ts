// What MongoDB's driver itself reaches from one process: `findOne` by id, `insertOne`, or a compare-and-set of a document of each
// worker's own, both acknowledged by the majority.
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { json } from 'node:stream/consumers';
import { MongoClient } from 'mongodb';
import type { LoadResult } from './load-order.ts';

/** What is to be measured. */
export interface DriverOrder {
  readonly url: string;
  readonly what: 'findOne' | 'insertOne' | 'compareAndSet';
  readonly concurrency: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const order = (await json(process.stdin)) as DriverOrder;
const client = new MongoClient(order.url, {
  maxPoolSize: order.concurrency,
  writeConcern: { w: 'majority' },
  readConcern: { level: 'majority' },
});
const records = client.db('bench-driver').collection<{ _id: string; revision: number; fields: object }>('records');
const document = (id: string) => ({
  _id: id,
  revision: 1,
  createdAt: new Date(),
  updatedAt: new Date(),
  fields: { title: `Record ${id}`, status: 'published', score: 7, tags: ['a', 'b'] },
});
const ids = Array.from({ length: 1000 }, () => randomUUID());
if (order.what !== 'insertOne') await records.insertMany(ids.map(document));

let count = 0;
let isOver = false;
const operations: Readonly<Record<DriverOrder['what'], (worker: number, turn: number) => Promise<unknown>>> = {
  findOne: () => records.findOne({ _id: ids[count % ids.length] ?? '' }),
  insertOne: () => records.insertOne(document(randomUUID())),
  compareAndSet: async (worker, turn) => {
    const set = { $set: { revision: turn + 1, updatedAt: new Date() } };
    const { modifiedCount } = await records.updateOne({ _id: ids[worker] ?? '', revision: turn }, set);
    if (modifiedCount !== 1) throw new Error('somebody else has changed the document');
  },
};
const worker = async (index: number): Promise<void> => {
  for (let turn = 1; !isOver; turn += 1) {
    await operations[order.what](index, turn);
    count += 1;
  }
};
let from = performance.now();
setTimeout(() => {
  count = 0;
  from = performance.now();
}, order.warmUpMs);
setTimeout(() => (isOver = true), order.warmUpMs + order.measureMs);
await Promise.all(Array.from({ length: order.concurrency }, (_, index) => worker(index)));
const seconds = (performance.now() - from) / 1000;
await client.close();
console.log(JSON.stringify({ perSecond: count / seconds } satisfies Pick<LoadResult, 'perSecond'>));
