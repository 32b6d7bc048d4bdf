import { call } from './client.ts';
import { expectStatus } from './expectations.ts';
import { mailTo } from './mailbox.ts';
import type { Person } from './people.ts';

/**
 * Verifies somebody's address by the link that came with their account.
 *
 * @returns the token that makes this device one that the account knows
 */
export async function verifyAddress({ email, accessToken: token }: Person): Promise<string> {
  const { links } = await mailTo(email, /Is this your address/);
  const link = links.find((each) => each.includes('/account/verify/')) ?? '';
  const json = { token: link.slice(link.lastIndexOf('/') + 1) };
  const answer = await call('POST', '/v1/auth/email/verify', { json, token });
  return expectStatus(answer, 200).json<{ deviceToken: string }>().deviceToken;
}
