import { randomInt, randomUUID } from 'node:crypto';
import { Client } from 'undici';
import type { BenchPlatform } from '../bench-platform.ts';
import { milliseconds, type Row } from '../report.ts';
import type { Credentials } from './people-load.ts';

/** Of one way to ask after an address: what each answer took, in milliseconds. */
interface Samples {
  readonly known: number[];
  readonly unknown: number[];
}

/** How a call is made for an address, and how it is answered whoever has it. */
interface Asking {
  readonly what: string;
  readonly path: string;
  readonly body: (email: string) => object;
  readonly status: number;
}

const asked: readonly Asking[] = [
  {
    what: 'sign-in with a wrong password',
    path: '/v1/auth/sign-in',
    body: (email) => ({ email, password: `wrong-${randomUUID()}` }),
    status: 401,
  },
  { what: 'asking for a reset', path: '/v1/auth/password/reset', body: (email) => ({ email }), status: 202 },
];

/** Answers of before are compiled for, and connections opened. */
const warmUps = 20;

/**
 * How well the time of an answer tells whether an address has an account: the share of pairs, one of each, in which the known one took
 * longer (the area under the ROC curve; 0.5 tells nothing).
 * Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the other" (1947).
 */
export function shareOfLonger({ known, unknown }: Samples): number {
  let longer = 0;
  for (const one of known) for (const other of unknown) longer += one > other ? 1 : one === other ? 0.5 : 0;
  return longer / (known.length * unknown.length);
}

const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Asks after people's addresses and after nobody's, in an order that is drawn, one at a time. */
async function sample(
  client: Client,
  { path, body, status }: Asking,
  people: readonly Credentials[],
): Promise<Samples> {
  const samples: Samples = { known: [], unknown: [] };
  const waiting = people.flatMap(({ email }) => [
    { to: samples.known, email },
    { to: samples.unknown, email: `bench-${randomUUID()}@example.com` },
  ]);
  for (let left = waiting.length; left > 0; left -= 1) {
    const [next] = waiting.splice(randomInt(left), 1);
    if (next === undefined) break;
    const startedAt = performance.now();
    const answer = await client.request({
      ...{ method: 'POST', path, headers: { 'content-type': 'application/json' } },
      body: JSON.stringify(body(next.email)),
    });
    await answer.body.dump();
    if (answer.statusCode !== status) throw new Error(`POST ${path} → ${answer.statusCode}`);
    if (waiting.length < people.length * 2 - warmUps) next.to.push(performance.now() - startedAt);
  }
  return samples;
}

/** What a stranger can tell of an address by the time that an answer takes. */
export async function measureEnumeration(bench: BenchPlatform, people: readonly Credentials[]): Promise<Row[]> {
  const client = new Client(bench.gateway, { pipelining: 1 });
  const rows: Row[] = [];
  try {
    for (const each of asked) {
      const samples = await sample(client, each, people);
      const count = samples.known.length + samples.unknown.length;
      rows.push({
        what: `${each.what}, an address with an account, p50 of ${count} calls in all`,
        measured: milliseconds(median(samples.known)),
        beside: `one without ${milliseconds(median(samples.unknown))}`,
        ratio: `known took longer in ${(shareOfLonger(samples) * 100).toFixed(0)} % of pairs`,
        aim: '50 %',
      });
    }
  } finally {
    await client.close();
  }
  return rows;
}
