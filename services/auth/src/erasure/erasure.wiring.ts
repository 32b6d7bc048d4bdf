import type { Handler, RemovalStep } from '@causeway/events';
import type { Logger } from '@causeway/telemetry';

import { createDemandAnotherAdministrator } from '../accounts/administrators.ts';
import type { Config } from '../config.ts';
import type { Feature, Ground } from '../feature.ts';
import type { Guessing } from '../guessing/guessing.wiring.ts';
import type { Passwords } from '../passwords/passwords.wiring.ts';
import { createDemandRecent } from '../sessions/demand-recent.ts';
import type { Sessions } from '../sessions/sessions.wiring.ts';
import { stepUpRules } from '../sessions/step-up-rules.ts';
import { createEraseAccount } from './erase-account.ts';
import { eraseAccountRoute } from './erase-account.route.ts';
import { erasePerson } from './erase-person.saga.ts';
import { warnOfStalled } from './warn-of-stalled.ts';

/** Erasing oneself. */
export function createErasure(
  { config, events, accounts, accountQueries, erasureNotes, proofs, sessions, now }: Ground,
  {
    passwords: { passwords },
    sessions: { revoke },
    guessing: { guard },
  }: {
    readonly passwords: Passwords;
    readonly sessions: Pick<Sessions, 'revoke'>;
    readonly guessing: Pick<Guessing, 'guard'>;
  },
) {
  const eraseAccount = createEraseAccount({
    ...{ events, accounts, accountQueries, erasureNotes, proofs, sessions, passwords, guard, revoke, now },
    demandAnotherAdministrator: createDemandAnotherAdministrator({ events, accounts }),
  });
  const demandRecent = createDemandRecent({ accountQueries, rule: stepUpRules(config).recent });
  return { routes: [eraseAccountRoute({ eraseAccount, demandRecent })] } satisfies Feature;
}

/** What becomes of an erasure that has begun, in all services. */
export const erasureHandlers = (
  { erasureSettleMs: settleMs, erasureAnswerMs: answerMs }: Pick<Config, 'erasureSettleMs' | 'erasureAnswerMs'>,
  logger: Pick<Logger, 'warn'>,
): Handler[] => [erasePerson({ settleMs, answerMs }), warnOfStalled(logger)];

/** The last of an erasure: nothing has to be found by the addresses of the person any more. */
export const erasureRemovalSteps = (late: () => { readonly ground: Pick<Ground, 'erasureNotes'> }): RemovalStep[] => [
  {
    name: 'forget-addresses',
    pass: 'last',
    run: async ({ personId }) => ({ counts: { addressNotes: await late().ground.erasureNotes.forget(personId) } }),
  },
];
