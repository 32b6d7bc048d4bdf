import { randomUUID } from 'node:crypto';
import { type Answer, call, type CallOptions } from './client.ts';
import { eventually } from './eventually.ts';
import { expectStatus } from './expectations.ts';
import { platform } from './platform.ts';

/** Somebody who is signed in. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** The events that signing up recorded. */
  readonly events: readonly string[];
}

/** What sign-up, sign-in and refresh answer. */
export interface SignedIn {
  readonly status: 'signed-in';
  readonly account: {
    readonly id: string;
    readonly email: string;
    readonly emailVerified: boolean;
    readonly roles: readonly string[];
  };
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly tokenType: 'Bearer';
  readonly expiresIn: number;
}

/** @returns an address that nobody has */
export const newEmail = (): string => `e2e-${randomUUID()}@example.com`;

/** Signs up somebody new. */
export async function signUp(body: Readonly<Record<string, unknown>> = {}, options: CallOptions = {}): Promise<Person> {
  const email = newEmail();
  const password = `password-${randomUUID()}`;
  const json = { email, password, name: 'Ada Lovelace', ...body };
  const answer = expectStatus(await call('POST', '/v1/auth/sign-up', { json, ...options }), 201);
  const { account, accessToken, refreshToken } = answer.json<SignedIn>();
  return { id: account.id, email, password, accessToken, refreshToken, events: answer.events };
}

/**
 * Waits for somebody's profile: it comes by Kafka after a sign-up, and is answered with 503 where it takes longer than 2 s.
 *
 * @returns the answer with it
 */
export function profileOf({ accessToken: token }: Pick<Person, 'accessToken'>): Promise<Answer> {
  const read = async (): Promise<Answer> => expectStatus(await call('GET', '/v1/users/me', { token }), 200);
  return eventually(read, { withinMs: 60_000, everyMs: 100 });
}

/** Signs somebody in once more: a further session. */
export async function signIn(email: string, password: string): Promise<SignedIn> {
  const answer = await call('POST', '/v1/auth/sign-in', { json: { email, password } });
  return expectStatus(answer, 200).json<SignedIn>();
}

/** @returns an access token of the first administrator, in a session of its own */
export async function admin(): Promise<string> {
  return (await signIn(platform.adminEmail, platform.adminPassword)).accessToken;
}
