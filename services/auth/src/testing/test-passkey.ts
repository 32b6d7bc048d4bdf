import assert from 'node:assert/strict';

import { SoftAuthenticator } from './soft-authenticator.ts';
import type { Answered, Person, TestReplica } from './test-auth.ts';

/** What passkeys belong to where `PUBLIC_URL` is as it is by default. */
const site = { origin: 'http://localhost:8080', rpId: 'localhost' };

interface Asked {
  readonly ticket: string;
  readonly options: { readonly challenge: string; readonly user?: { readonly id: string } };
}

/** Somebody's passkey. */
export interface TestPasskey {
  readonly id: string;
  /** What registering it has answered. */
  readonly registered: Answered;
  /** Signs in by it alone. @param deviceToken - of an earlier sign-in */
  signIn(deviceToken?: string): Promise<Answered>;
  /** @param counter - how often it says that it was used */
  signInAs(counter: number): Promise<Answered>;
}

/**
 * Registers a passkey of somebody, who has proved lately who they are.
 *
 * @param where - whose it is, where `PUBLIC_URL` is another
 */
export async function addPasskey(
  auth: TestReplica,
  { accessToken: token }: Pick<Person, 'accessToken'>,
  where = site,
): Promise<TestPasskey> {
  const ask = async (path: string, by: object = {}): Promise<Asked> => {
    const answer = await auth.call(`POST ${path}`, by);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as unknown as Asked;
  };
  const key = new SoftAuthenticator(where);
  const { ticket, options } = await ask('/v1/auth/factors/passkeys/options', { token });
  const body = { ticket, response: key.register(options) };
  const registered = await auth.call('POST /v1/auth/factors/passkeys', { token, body });
  assert.equal(registered.status, 201, JSON.stringify(registered.body));
  const enter = async (instead: { readonly counter?: number }, sent: object = {}): Promise<Answered> => {
    const asked = await ask('/v1/auth/sign-in/passkey/options');
    const answered = { ticket: asked.ticket, response: key.use(asked.options, instead) };
    return auth.call('POST /v1/auth/sign-in/passkey', { body: { ...answered, ...sent } });
  };
  return {
    id: (registered.body as unknown as { id: string }).id,
    registered,
    signIn: (deviceToken) => enter({}, deviceToken === undefined ? {} : { deviceToken }),
    signInAs: (counter) => enter({ counter }),
  };
}
