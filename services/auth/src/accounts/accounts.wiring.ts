import type { Feature, Ground } from '../feature.ts';
import { bySystem } from '../jobs.ts';
import type { Passwords } from '../passwords/passwords.wiring.ts';
import type { Sessions } from '../sessions/sessions.wiring.ts';
import type { TokenMakers } from '../tokens/tokens.wiring.ts';
import { ensureFirstAdministrator } from './first-administrator.ts';
import { readAccountRoute } from './read-account.route.ts';
import { createSignUp } from './sign-up.ts';
import { answerSignedUp, signUpRoute } from './sign-up.route.ts';

type AccountsGround = Pick<Ground, 'config' | 'logger' | 'events' | 'accounts' | 'accountQueries' | 'idempotency'>;

/** Signing up, and reading one's account; the first administrator. */
export function createAccounts(
  { config, logger, events, accounts, accountQueries, idempotency }: AccountsGround,
  {
    passwords: { passwords, judgePassword },
    sessions: { startSession, sessionTokens, cookies },
    tokens: { deviceTokens },
  }: {
    readonly passwords: Passwords;
    readonly sessions: Pick<Sessions, 'startSession' | 'sessionTokens' | 'cookies'>;
    readonly tokens: Pick<TokenMakers, 'deviceTokens'>;
  },
) {
  const { transaction } = events;
  const signUp = createSignUp({
    ...{ accounts, passwords, judgePassword, startSession, sessionTokens, idempotency, transaction },
    answer: (signedIn) => answerSignedUp(signedIn, deviceTokens),
  });
  return {
    signUp,
    ensureIndexes: () => accountQueries.ensureIndexes(),
    routes: [signUpRoute({ signUp, cookies }), readAccountRoute({ accounts: accountQueries })],
    async begin() {
      if (config.firstAdministrator === undefined) return;
      const given = { accounts, accountQueries, passwords };
      const outcome = await ensureFirstAdministrator(given, bySystem(), config.firstAdministrator);
      logger.info({ outcome }, 'the account of the first administrator is there');
    },
  } satisfies Feature;
}

/** What {@link createAccounts} gives. */
export type Accounts = ReturnType<typeof createAccounts>;
