import { setTimeout as wait } from 'node:timers/promises';
import { Client } from 'undici';
import type { BenchPlatform } from '../bench-platform.ts';
import { milliseconds, type Row } from '../report.ts';

/** Where a token is tried, and by which call. */
const places: readonly (readonly [service: string, path: string])[] = [
  ['gateway', '/v1/auth/account'],
  ['auth', '/v1/auth/account'],
  ['user', '/v1/users/me'],
  ['data', '/v1/data/none/changes'],
];
const everyMs = 2;
const patienceMs = 10_000;

/** Tries a token again and again, until it is refused. @returns when, by `performance.now()` */
const refusedAt = async (client: Client, path: string, token: string): Promise<number> => {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const answer = await client.request({ method: 'GET', path, headers: { authorization: `Bearer ${token}` } });
    const at = performance.now();
    await answer.body.dump();
    if (answer.statusCode === 401) return at;
    await wait(everyMs);
  }
  throw new Error(`a session has ended, and ${path} still takes its token after ${patienceMs} ms`);
};

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

/**
 * From sending the sign-out to the first refusal at each place; the token was good there just before, and remembered as such.
 *
 * @param rounds - sessions that are ended
 */
export async function measureRevocation(bench: BenchPlatform, rounds: number): Promise<Row> {
  const tried = places.map(([service, path]) => ({
    service,
    path,
    client: new Client(bench.platform.urls[service] ?? ''),
    tookMs: [] as number[],
  }));
  try {
    for (let round = 0; round < rounds; round += 1) {
      const { authorization = '' } = await bench.signedIn();
      const token = authorization.slice('Bearer '.length);
      for (const { client, path } of tried) {
        const answer = await client.request({ method: 'GET', path, headers: { authorization } });
        await answer.body.dump();
        if (answer.statusCode === 401) throw new Error(`${path} refuses a token that is good`);
      }
      const trying = tried.map(async ({ client, path, tookMs }) => {
        const at = await refusedAt(client, path, token);
        return { tookMs, at };
      });
      await wait(10);
      const sentAt = performance.now();
      await bench.call('POST', '/v1/auth/sign-out', { headers: { authorization } });
      for (const { tookMs, at } of await Promise.all(trying)) tookMs.push(at - sentAt);
    }
  } finally {
    await Promise.all(tried.map(({ client }) => client.destroy()));
  }
  const shown = tried.map(({ service, tookMs }) => {
    const sorted = tookMs.toSorted((a, b) => a - b);
    return `${service} ${milliseconds(percentile(sorted, 0.5))}, ${milliseconds(percentile(sorted, 0.99))}`;
  });
  return {
    what: 'sign-out to refusal, p50 and p99',
    measured: shown.join('; '),
    aim: 'p50 ≤ 50 ms, p99 ≤ 1 s',
  };
}
