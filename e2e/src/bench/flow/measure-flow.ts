import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { milliseconds, perSecond, ratio, type Row } from '../report.ts';
import { startCalled, type CalledProcess } from './calls.ts';
import type { EventTimes, FlowWorld } from './flow-contracts.ts';
import type { BareApi } from './flow-bare.ts';
import type { ReaderApi } from './flow-reader.ts';
import type { WriterApi } from './flow-writer.ts';

/** Where it runs, and how much of it. */
export interface FlowOptions {
  readonly mongodb: string;
  readonly kafka: string;
  readonly short: boolean;
}

/** Writes in a second: so few that nothing ever waits for another. */
const idleRate = 20;

interface Latencies {
  readonly published: readonly number[];
  readonly effect: readonly number[];
  /** So many had no effect in time. */
  readonly missing: number;
}

const openWorld = ({ mongodb, kafka }: FlowOptions): FlowWorld => {
  const name = randomBytes(4).toString('hex');
  return { mongodb, kafka, writer: `w${name}`, reader: `r${name}` };
};

const percentile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

const shown = (values: readonly number[]): string =>
  `p50 ${milliseconds(percentile(values, 0.5))}, p99 ${milliseconds(percentile(values, 0.99))}`;

const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;

/** A writer by itself, which is gone afterwards. */
async function withWriter<T>(options: FlowOptions, work: (writer: CalledProcess<WriterApi>) => Promise<T>): Promise<T> {
  const writer = startCalled<WriterApi>('flow-writer.ts');
  try {
    await writer.call.open(openWorld(options));
    const result = await work(writer);
    await writer.call.end(undefined);
    return result;
  } finally {
    await writer.stop();
  }
}

/** One relay, that finds so many events waiting; beside Kafka's bare producer, in turns. */
async function measureRelay(options: FlowOptions): Promise<Row[]> {
  const count = options.short ? 2_000 : 20_000;
  const ours: number[] = [];
  const bare: number[] = [];
  for (let turn = 0; turn < (options.short ? 1 : 3); turn += 1) {
    await withWriter(options, async ({ call }) => {
      await call.fill(count);
      await call.start(undefined);
      ours.push(await call.drained(count));
      bare.push(await call.bareProduce(count));
    });
  }
  const [own, limit] = [mean(ours), mean(bare)];
  const beside = `driver's producer, 500 at a time ${perSecond(limit)}`;
  return [
    {
      what: 'one relay: outbox to log to Kafka',
      measured: `${perSecond(own)} events`,
      beside,
      ratio: ratio(own, limit),
    },
  ];
}

async function measureWrites(options: FlowOptions): Promise<Row[]> {
  const loop = { forMs: options.short ? 1_000 : 4_000, concurrency: 32 };
  const ours: number[] = [];
  const bare: number[] = [];
  await withWriter(options, async ({ call }) => {
    await call.start(undefined);
    await call.write({ ...loop, forMs: loop.forMs / 2 });
    for (let turn = 0; turn < (options.short ? 1 : 3); turn += 1) {
      bare.push(await call.bareInserts(loop));
      ours.push(await call.write(loop));
    }
  });
  const [own, limit] = [mean(ours), mean(bare)];
  return [
    {
      what: 'create with its event, relay running, in process',
      measured: perSecond(own),
      beside: `driver's insertOne, majority ${perSecond(limit)}`,
      ratio: ratio(own, limit),
      aim: '≥ 0.6',
    },
  ];
}

class Flow {
  readonly #writer = startCalled<WriterApi>('flow-writer.ts');
  readonly #reader = startCalled<ReaderApi>('flow-reader.ts');

  async open(world: FlowWorld): Promise<void> {
    await this.#writer.call.open(world);
    await this.#writer.call.start(undefined);
    await this.#reader.call.open(world);
  }

  async end(): Promise<void> {
    await this.#reader.call.end(undefined);
    await this.#writer.call.end(undefined);
    await this.stop();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#writer.stop(), this.#reader.stop()]);
  }

  /** Writes, waits until the effects are there (at most so long), and tells how long each took after its commit. */
  async measure(order: Parameters<WriterApi['write']>[0], patienceMs = 30_000): Promise<Latencies> {
    await this.#writer.call.write(order);
    const committed = new Map<string, number>();
    const published = new Map<string, number>();
    const handled = new Map<string, number>();
    const add = (to: Map<string, number>, times: EventTimes): void => {
      for (const [id, at] of times) to.set(id, at);
    };
    const deadline = performance.now() + patienceMs;
    for (;;) {
      const times = await this.#writer.call.times(undefined);
      add(committed, times.committed);
      add(published, times.published);
      add(handled, await this.#reader.call.times(undefined));
      const missing = [...committed.keys()].filter((id) => !handled.has(id)).length;
      if (missing > 0 && performance.now() < deadline) {
        await wait(100);
        continue;
      }
      const since = (of: Map<string, number>): number[] =>
        [...committed].flatMap(([id, at]) => (of.has(id) ? [(of.get(id) ?? 0) - at] : []));
      return { published: since(published), effect: since(handled), missing };
    }
  }

  /** The highest rate of a few at which effects keep up with writes, in events a second. */
  async sustained(short: boolean): Promise<number> {
    let rate = 1_600;
    for (; rate > 50; rate = Math.round(rate * 0.8)) {
      const forMs = short ? 1_000 : 4_000;
      const { effect } = await this.measure({ forMs, ratePerSecond: rate });
      // Whoever cannot keep up is behind by a good part of the time by its end.
      if (effect.length > 0 && percentile(effect.slice(-200), 0.5) < forMs / 20) return rate;
    }
    return rate;
  }
}

/** The same steps by bare drivers, one event after the other's step: what is left of an aim on this machine. */
async function measureBare(options: FlowOptions): Promise<{ readonly idle: readonly number[]; readonly rate: number }> {
  const bare = startCalled<BareApi>('flow-bare.ts');
  try {
    await bare.call.open(openWorld(options));
    const forMs = options.short ? 1_500 : 10_000;
    await bare.call.busy(forMs / 2);
    const idle = await bare.call.idle({ forMs, ratePerSecond: idleRate });
    const rate = await bare.call.busy(forMs);
    await bare.call.end(undefined);
    return { idle, rate };
  } finally {
    await bare.stop();
  }
}

/** Beside a subject that fails, and beside one that changes as often and does not, in turns: what passes by it does not wait for it. */
async function measureBesideParked(
  flow: Flow,
  { turns, ...load }: { readonly forMs: number; readonly ratePerSecond: number; readonly turns: number },
): Promise<Row> {
  const sound: number[] = [];
  const broken: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    sound.push(percentile((await flow.measure({ ...load, beside: 'a sound item' })).effect, 0.99));
    broken.push(percentile((await flow.measure({ ...load, beside: 'a broken item' })).effect, 0.99));
  }
  return {
    what: 'p99 to the effect of all others, while a subject that changes 10 times a second fails and is parked, at half load',
    measured: milliseconds(mean(broken)),
    beside: `one that changes as often, and does not fail ${milliseconds(mean(sound))}`,
    ratio: ratio(mean(broken), mean(sound)),
  };
}

async function measureLatencies(options: FlowOptions): Promise<Row[]> {
  const bare = await measureBare(options);
  const flow = new Flow();
  try {
    await flow.open(openWorld(options));
    const forMs = options.short ? 1_500 : 10_000;
    await flow.measure({ forMs: forMs / 2, concurrency: 8 }, 60_000);
    const idle = await flow.measure({ forMs, ratePerSecond: idleRate });
    const full = await flow.sustained(options.short);
    const half = await flow.measure({ forMs, ratePerSecond: full / 2 });
    const busy = await flow.measure({ forMs, ratePerSecond: full });
    const parking = await measureBesideParked(flow, { forMs, ratePerSecond: full / 2, turns: options.short ? 1 : 3 });
    await flow.end();
    const row = (how: string, { published, effect }: Latencies, beside: Partial<Row> = {}): Row[] => [
      { what: `commit to published, ${how}`, measured: shown(published) },
      { what: `commit to effect in another service, ${how}`, measured: shown(effect), ...beside },
    ];
    const besideIdle = {
      beside: `the same steps by bare drivers ${shown(bare.idle)}`,
      ratio: ratio(percentile(idle.effect, 0.5), percentile(bare.idle, 0.5)),
      aim: 'p50 ≤ 5 ms, p99 ≤ 25 ms',
    };
    return [
      ...row('idle', idle, besideIdle),
      ...row(`at half load, ${perSecond(full / 2)}`, half),
      ...row(`at full load, ${perSecond(full)}`, busy),
      {
        what: 'effects in another service, sustained, each an event of its own',
        measured: perSecond(full),
        beside: `the same steps by bare drivers, 16 side by side ${perSecond(bare.rate)}`,
        ratio: ratio(full, bare.rate),
      },
      parking,
    ];
  } finally {
    await flow.stop();
  }
}

/**
 * Measures what the events package does by itself: two services of nothing else, each a process of its own, on the platform's
 * servers.
 */
export async function measureFlow(options: FlowOptions): Promise<Row[]> {
  return [...(await measureWrites(options)), ...(await measureRelay(options)), ...(await measureLatencies(options))];
}
