import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { type BenchPlatform, makeCollection } from '../bench-platform.ts';
import type { DriverOrder } from '../driver-limit.ts';
import { inTurns, type Speed } from '../in-turns.ts';
import { load, type LoadResult, runProgram } from '../load-order.ts';
import { milliseconds, perSecond, ratio, type Row } from '../report.ts';
import type { Span } from './count-while.ts';
import { measureEnumeration } from './measure-enumeration.ts';
import { measureRevocation } from './measure-revocation.ts';
import type { Credentials, PeopleOrder } from './people-load.ts';
import type { TokenChecks } from './token-checks.ts';

/** How signing in is measured. */
export interface AuthBenchOptions {
  readonly bench: BenchPlatform;
  readonly span: Span;
  readonly turns: number;
  readonly connections: number;
  readonly short: boolean;
}

/** As many hashes as auth lets run at once. */
const hashesAtOnce = Math.min(3, availableParallelism());

const patienceMs = ({ warmUpMs, measureMs }: Span): number => warmUpMs + measureMs + 120_000;

async function signUpMany(bench: BenchPlatform, count: number): Promise<Credentials[]> {
  const people: Credentials[] = [];
  for (let index = 0; index < count; index += 1) {
    const person = { email: `bench-${randomUUID()}@example.com`, password: `password-${randomUUID()}` };
    await bench.call('POST', '/v1/auth/sign-up', { body: JSON.stringify(person) });
    people.push(person);
  }
  return people;
}

/** Node compiles what runs often: the figures are those of a service that has signed people in for a while. */
async function warmUp({ bench, short }: AuthBenchOptions, people: readonly Credentials[]): Promise<void> {
  const span = { warmUpMs: 0, measureMs: short ? 1000 : 10_000 };
  for (const what of ['sign-in', 'refresh'] as const) {
    const order: PeopleOrder = { origin: bench.gateway, what, people, ...span };
    await runProgram<Speed>('auth/people-load.ts', order, patienceMs(span));
  }
}

async function measureSignIns(options: AuthBenchOptions, people: readonly Credentials[]): Promise<Row> {
  const { bench, span, turns } = options;
  const order: PeopleOrder = { origin: bench.gateway, what: 'sign-in', people, ...span };
  const [bare, ours] = await inTurns(
    turns,
    () => runProgram<Speed>('auth/argon2-limit.ts', { concurrency: hashesAtOnce, ...span }, patienceMs(span)),
    () => runProgram<Speed>('auth/people-load.ts', order, patienceMs(span)),
  );
  return {
    what: 'sign-in',
    measured: perSecond(ours),
    beside: `bare argon2id, ${hashesAtOnce} at once ${perSecond(bare)}`,
    ratio: ratio(ours, bare),
    aim: '≥ 0.9',
  };
}

async function measureRefreshes(options: AuthBenchOptions, people: readonly Credentials[]): Promise<Row> {
  const { bench, span, turns } = options;
  const order: PeopleOrder = { origin: bench.gateway, what: 'refresh', people, ...span };
  const { mongodb: url = '' } = bench.platform.urls;
  const limit: DriverOrder = { url, what: 'compareAndSet', concurrency: people.length, ...span };
  const [bare, ours] = await inTurns(
    turns,
    () => runProgram<Speed>('driver-limit.ts', limit, patienceMs(span)),
    () => runProgram<Speed>('auth/people-load.ts', order, patienceMs(span)),
  );
  return {
    what: 'refresh of tokens, with its event',
    measured: perSecond(ours),
    beside: `driver's compare-and-set, majority ${perSecond(bare)}`,
    ratio: ratio(ours, bare),
    aim: '≥ 0.5',
  };
}

async function measureTokenChecks({ span }: AuthBenchOptions): Promise<Row> {
  const { first, again, bare } = await runProgram<TokenChecks>('auth/token-checks.ts', span, 300_000);
  return {
    what: 'token checks, first and again, in process',
    measured: `${perSecond(first)} and ${perSecond(again)}`,
    beside: `bare Ed25519 ${perSecond(bare)}`,
    ratio: `${ratio(first, bare)} and ${ratio(again, bare)}`,
  };
}

/** What everybody else notices of many who sign in at once. */
async function measureFlood(options: AuthBenchOptions, people: readonly Credentials[]): Promise<Row> {
  const { bench, span, turns } = options;
  const { path: collection, ids } = await makeCollection(bench, 100);
  const headers = await bench.havingSeen(await bench.signedIn());
  const paths = ids.map((id) => `${collection}/${id}`);
  const read = (): Promise<LoadResult> =>
    load({ origin: bench.gateway, method: 'GET', paths, headers, connections: 4, ...span });
  let [alone, flooded] = [0, 0];
  for (let turn = 0; turn < turns; turn += 1) {
    alone += (await read()).p99Ms / turns;
    const stop = new AbortController();
    const flood: PeopleOrder = { origin: bench.gateway, what: 'sign-in', people, warmUpMs: 0, measureMs: 120_000 };
    const flooding = runProgram('auth/people-load.ts', flood, 150_000, stop.signal).catch(() => undefined);
    flooded += (await read().finally(() => stop.abort())).p99Ms / turns;
    await flooding;
  }
  return {
    what: `p99 of cached reads, 4 connections, while ${people.length} sign in all the time`,
    measured: milliseconds(flooded),
    beside: `without them ${milliseconds(alone)}`,
    ratio: ratio(flooded, alone),
    aim: '≤ 2',
  };
}

/** What signing in and staying signed in cost. @returns the rows of the report */
export async function measureAuth(options: AuthBenchOptions): Promise<Row[]> {
  const people = await signUpMany(options.bench, options.connections);
  await warmUp(options, people);
  return [
    await measureSignIns(options, people),
    await measureRefreshes(options, people),
    await measureTokenChecks(options),
    await measureRevocation(options.bench, options.short ? 20 : 200),
    await measureFlood(options, people),
    ...(await measureEnumeration(options.bench, await signUpMany(options.bench, options.short ? 40 : 260))),
  ];
}
