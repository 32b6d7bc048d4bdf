import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import { type Person, signIn } from './people.ts';
import { platform } from './platform.ts';

/** For what part of its life a token is used; what is left is enough for whoever has just taken it. */
const usedPart = 2 / 3;

/**
 * Signs somebody in, and anew before their access token expires, whatever is killed meanwhile: for what takes longer than its five
 * minutes where a machine is slow. It ends with the test.
 *
 * @returns gives the token of now
 */
export async function lastingToken(
  { email, password }: Pick<Person, 'email' | 'password'>,
  context: TestContext,
): Promise<() => string> {
  let signedIn = await signIn(email, password);
  const over = new AbortController();
  context.after(() => over.abort());
  const renew = async (): Promise<never> => {
    for (;;) {
      await wait(usedPart * signedIn.expiresIn * 1_000, undefined, { signal: over.signal, ref: false });
      signedIn = await eventually(() => signIn(email, password), { withinMs: 60_000, everyMs: 200 });
    }
  };
  // Where nobody can be signed in, whoever uses the token finds out.
  renew().catch(() => undefined);
  return () => signedIn.accessToken;
}

/** @returns gives an access token of the first administrator that has not expired */
export const lastingAdmin = (context: TestContext): Promise<() => string> =>
  lastingToken({ email: platform.adminEmail, password: platform.adminPassword }, context);
