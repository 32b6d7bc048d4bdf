// Connections that each are somebody: they sign in again and again, or refresh their tokens, each time with the newest. Told by its
// input, tells by its last line.
import process from 'node:process';
import { json } from 'node:stream/consumers';
import { Client } from 'undici';
import { countWhile, type Span } from './count-while.ts';

/** What is to be done. */
export interface PeopleOrder extends Span {
  readonly origin: string;
  readonly what: 'sign-in' | 'refresh';
  /** One a connection. */
  readonly people: readonly Credentials[];
}

/** Of somebody who has an account. */
export interface Credentials {
  readonly email: string;
  readonly password: string;
}

const { origin, what, people, ...span } = (await json(process.stdin)) as PeopleOrder;
const clients = people.map(() => new Client(origin, { pipelining: 1 }));

const post = async (worker: number, path: string, body: unknown): Promise<{ readonly refreshToken: string }> => {
  const client = clients[worker];
  if (client === undefined) throw new Error('more workers than people');
  const headers = { 'content-type': 'application/json' };
  const answer = await client.request({ method: 'POST', path, headers, body: JSON.stringify(body) });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) throw new Error(`POST ${path} → ${answer.statusCode} ${text}`);
  return JSON.parse(text) as { readonly refreshToken: string };
};
const signIn = (worker: number) => post(worker, '/v1/auth/sign-in', people[worker]);

const tokens: string[] = [];
if (what === 'refresh') for (const worker of people.keys()) tokens[worker] = (await signIn(worker)).refreshToken;
const perSecond = await countWhile(span, people.length, async (worker) => {
  if (what === 'sign-in') await signIn(worker);
  else tokens[worker] = (await post(worker, '/v1/auth/refresh', { refreshToken: tokens[worker] })).refreshToken;
});
await Promise.all(clients.map((client) => client.close()));
console.log(JSON.stringify({ perSecond }));
