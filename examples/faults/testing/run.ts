// The shop under faults: node --conditions=development testing/run.ts [--seed <n>] [--fault <name>]… MONGODB_URL and KAFKA_BROKERS name
// servers for this run alone; `npm start -- --servers` in the checkout starts some. Faults of servers are passed over here: see servers below.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { allFaults, failureOf, runFaults, tableOf, type Workload } from '@causeway/events/faults';
import type { Order, Stock } from './shop.ts';

const { values } = parseArgs({ options: { seed: { type: 'string' }, fault: { type: 'string', multiple: true } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
if (!Number.isInteger(seed)) throw new Error('--seed takes a whole number');
const faults = allFaults.filter(({ name }) => values.fault?.includes(name) ?? true);
if (values.fault !== undefined && faults.length < new Set(values.fault).size)
  throw new Error(`--fault takes one of ${allFaults.map(({ name }) => name).join(', ')}`);

const { MONGODB_URL, KAFKA_BROKERS = '127.0.0.1:9192' } = process.env;
if (MONGODB_URL === undefined)
  throw new Error('set MONGODB_URL, such as mongodb://127.0.0.1:27117/?replicaSet=causeway&directConnection=true');

const articles = ['apples', 'pears', 'plums', 'quinces'];
let orders = 0;

const workload: Workload = {
  next(random) {
    // Things have to change again and again: where each has one event only, nothing can come in a wrong order.
    if (orders > 0 && random.chance(70)) {
      const args = { _id: `ord_${1 + random.below(Math.min(orders, 20))}`, more: 1 + random.below(5) };
      return { service: 'shop', name: 'extend', args };
    }
    orders += 1;
    const args = { _id: `ord_${orders}`, article: random.pick(articles), count: 1 + random.below(5) };
    return { service: 'shop', name: 'order', args };
  },
  // What must be true whatever happened: the stock has lost what was ordered, and nothing else.
  async verify(db) {
    const wrong: string[] = [];
    for (const article of articles) {
      const placed = await db('shop').collection<Order>('orders').find({ article }).toArray();
      const ordered = placed.reduce((sum, { count }) => sum + count, 0);
      const taken = (await db('shop').collection<Stock>('stock').findOne({ _id: article }))?.taken ?? 0;
      if (ordered !== taken) wrong.push(`${ordered} ${article} were ordered, and ${taken} taken`);
    }
    return wrong;
  },
};

const report = await runFaults({
  seed,
  driver: 'platformatic',
  services: [{ name: 'shop', replica: new URL('./shop.replica.ts', import.meta.url), replicas: 2 }],
  // Say here how yours are killed and started (`mongodb.kill`, `kafka.stop`, …), and the faults that need it are run too.
  servers: { mongodb: { url: MONGODB_URL }, kafka: { broker: KAFKA_BROKERS } },
  workload,
  faults,
  short: true,
  onProgress: console.log,
});
console.log(`seed ${seed}\n${tableOf(report.rounds)}`);
for (const round of report.rounds.filter(({ verdict }) => verdict === 'failed')) console.log(failureOf(round));
process.exitCode = report.ok ? 0 : 1;
