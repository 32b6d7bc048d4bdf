import assert from 'node:assert/strict';

import { personOf } from './test-auth.ts';
import type { Answered, Person, TestAuth, TestReplica } from './test-auth.ts';
import type { TestMailbox } from './test-mailbox.ts';

/** @returns tokens that are none, made from one that is */
export const forgedFrom = (token: string, others: string): string[] => [
  `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`,
  token.toLowerCase(),
  `${token}x`,
  ` ${token}`,
  token.slice(4),
  '',
  `${others.slice(0, 31)}${token.slice(31)}`,
  `${token.slice(0, 31)}${others.slice(31)}`,
  'cwp_06EXAMPLE4Y7S6W0ZQ3V5T1K2M_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
];

/** Unknown, malformed, expired, used: one answer, and nothing is recorded. */
export const refusedAsLink = (answer: Answered): void => {
  assert.deepEqual([answer.status, answer.body.code], [404, 'link-invalid'], JSON.stringify(answer.body));
  assert.equal(answer.headers.get('causeway-event'), null);
};

/** Verifies somebody's address by the link that came with their account. */
export async function verifyAddress(auth: TestReplica, mailbox: TestMailbox, person: Person): Promise<void> {
  const token = await mailbox.tokenTo(person.email, 'verify');
  const answer = await auth.call('POST /v1/auth/email/verify', { body: { token }, token: person.accessToken });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
}

/** Has it that somebody's address is verified, where what came before is of no matter. */
export async function markVerified({ db }: Pick<TestAuth, 'db'>, { id: _id }: Person): Promise<void> {
  await db.collection<{ _id: string }>('accounts').updateOne({ _id }, { $set: { emailVerified: true } });
}

/** Headers as they have to be for every address: all of their names, and the values of those that are no id, time or position. */
export const alike = (headers: Headers): string[] => {
  const own = new Set(['date', 'causeway-event', 'causeway-position', 'x-request-id']);
  return [...headers].map(([name, value]) => (own.has(name) ? name : `${name}: ${value}`)).sort();
};

/** Has a link mailed. */
export async function sendLink(auth: TestReplica, call: string, email: unknown): Promise<Answered> {
  const answer = await auth.call(`POST ${call}`, { body: { email } });
  assert.deepEqual([answer.status, answer.body], [202, { status: 'link-sent' }]);
  return answer;
}

/** Changes the address of somebody by a mailed link; gives whom they are then. */
export async function changeAddress(
  auth: TestReplica,
  mailbox: TestMailbox,
  person: Person,
  email: string,
): Promise<Person> {
  const by = { token: person.accessToken };
  const asked = await auth.call('POST /v1/auth/email', { body: { email }, ...by });
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const token = await mailbox.tokenTo(email, 'email');
  const answer = await auth.call('POST /v1/auth/email/confirm', { body: { token }, ...by });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return personOf(answer);
}
