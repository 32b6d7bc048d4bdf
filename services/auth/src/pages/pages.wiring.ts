import { faults } from '@causeway/contracts';
import { definePage } from '@causeway/service';

import type { Accounts } from '../accounts/accounts.wiring.ts';
import type { Feature, Ground } from '../feature.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import type { Sessions } from '../sessions/sessions.wiring.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { createWhoIsIt } from './known-visitor.ts';
import { layout, problemPage } from './layout.ts';
import { createMembers } from './members.ts';
import { secondFactorPages } from './second-factor.page.ts';
import { securityPages } from './security.page.ts';
import { signInPages } from './sign-in.page.ts';
import { signUpPages } from './sign-up.page.ts';
import { styleRoute } from './style.route.ts';
import { verifyPages } from './verify.page.ts';
import { createVisitors } from './visitors.ts';

/** Under a path that is no page of ours. */
const noSuchPage = definePage({
  method: 'get',
  path: '/account/{page}',
  operationId: 'noSuchPage',
  summary: 'Says that there is no such page',
  access: 'anonymous',
  layout,
  problemPage,
  handle: () => {
    throw faults.notFound();
  },
});

/** Pages for people, without scripts: each calls the use case that the interface has for programs. */
export function createPages(
  { config, masterKey, accountQueries: accounts, now }: Pick<Ground, 'config' | 'masterKey' | 'accountQueries' | 'now'>,
  {
    sessions: { signIn, secondFactor, refresh, peekSession, endSession, cookies },
    accounts: { signUp, verifyEmail },
    proofs: { requestProof, useProof },
    tokens: { identity, deviceTokens },
  }: {
    readonly sessions: Sessions;
    readonly accounts: Pick<Accounts, 'signUp' | 'verifyEmail'>;
    readonly proofs: Pick<Proofs, 'requestProof' | 'useProof'>;
    readonly tokens: Pick<TokenMakers, 'identity' | 'deviceTokens'>;
  },
) {
  const { publicUrl } = config;
  const visitors = createVisitors({ publicUrl, secret: Buffer.from(masterKey.derive('form-token')) });
  const whoIsIt = createWhoIsIt({ publicUrl, identity, refresh, peekSession, cookies });
  const members = createMembers({ publicUrl, visitors, whoIsIt, accounts, cookies, now });
  return {
    routes: [
      styleRoute,
      ...signInPages({ publicUrl, visitors, signIn, cookies, deviceTokens }),
      ...secondFactorPages({ publicUrl, visitors, secondFactor, cookies, deviceTokens }),
      ...signUpPages({ publicUrl, visitors, signUp, cookies }),
      ...verifyPages({ publicUrl, visitors, members, requestProof, useProof, verifyEmail }),
      ...securityPages({ members, endSession, cookies }),
      noSuchPage,
    ],
  } satisfies Feature;
}
