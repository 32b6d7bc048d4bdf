import type { Handler } from '@causeway/events';

import type { Feature, Ground } from '../../feature.ts';
import type { Guessing } from '../../guessing/guessing.wiring.ts';
import type { QueueMail } from '../../mail/queue-mail.ts';
import { createTellEnding } from '../../revocations/tell-ending.ts';
import type { Revocations } from '../../revocations/revocations.wiring.ts';
import type { Sessions } from '../../sessions/sessions.wiring.ts';
import { stepUpRules } from '../../sessions/step-up-rules.ts';
import type { Ticketing } from '../../tickets/tickets.wiring.ts';
import { createDemandAnotherAdministrator } from '../administrators.ts';
import { createAccountCursors } from './account-cursors.ts';
import { createAdministerAccount } from './administer-account.ts';
import { administeredAccounts } from './administered-accounts.ts';
import { disableAccountRoute, enableAccountRoute, putRolesRoute } from './change-account.routes.ts';
import { removeFactorsOfRoute } from './factors-of-account.route.ts';
import { mailOfDisabling } from './mail-of-disabling.handler.ts';
import { mailOfRemovedFactors } from './mail-of-removed-factors.handler.ts';
import { listAccountsRoute, readAdministeredRoute } from './read-accounts.routes.ts';
import { createRemoveFactors } from './remove-factors.ts';
import { endSessionOfRoute, endSessionsOfRoute, listSessionsOfRoute } from './sessions-of-account.routes.ts';

interface Others {
  readonly revocations: Pick<Revocations, 'teller'>;
  readonly sessions: Pick<Sessions, 'endSession'>;
  readonly ticketing: Pick<Ticketing, 'tickets'>;
  readonly guessing: Pick<Guessing, 'knownDevices'>;
}

/** What administrators do about accounts and sessions of others. */
export function createAdministration(
  ground: Pick<
    Ground,
    'config' | 'events' | 'accounts' | 'factors' | 'sessionQueries' | 'database' | 'masterKey' | 'now'
  >,
  { revocations: { teller }, sessions: { endSession }, ticketing: { tickets }, guessing: { knownDevices } }: Others,
) {
  const { config, events, sessionQueries, now } = ground;
  const { recent } = stepUpRules(config);
  const accounts = administeredAccounts({ client: ground.database.getClient(), accounts: ground.accounts });
  const cursors = createAccountCursors(ground.masterKey.vault('accounts-cursor'));
  const administer = createAdministerAccount({
    ...{ events, accounts: ground.accounts, teller, now },
    demandAnotherAdministrator: createDemandAnotherAdministrator({ events, accounts: ground.accounts }),
  });
  const removeFactors = createRemoveFactors({
    ...{ ...ground, tickets, knownDevices, transaction: events.transaction },
    tellEnding: createTellEnding({ teller, now }),
  });
  return {
    routes: [
      listAccountsRoute({ accounts, cursors }),
      readAdministeredRoute({ accounts }),
      disableAccountRoute({ administer, recent }),
      enableAccountRoute({ administer, recent }),
      putRolesRoute({ administer, recent }),
      listSessionsOfRoute({ accounts, sessionQueries, now }),
      endSessionsOfRoute({ administer, recent }),
      endSessionOfRoute({ endSession, recent }),
      removeFactorsOfRoute({ removeFactors, recent }),
    ],
  } satisfies Feature;
}

/** What is done about accounts that administrators have changed. */
export const administrationHandlers = (
  late: () => {
    readonly ground: Pick<Ground, 'accounts' | 'config'>;
    readonly mail: { readonly queueMail: QueueMail };
  },
): Handler[] => {
  const common = () => ({ accounts: late().ground.accounts, queueMail: late().mail.queueMail });
  return [
    mailOfDisabling(common),
    mailOfRemovedFactors(() => ({ ...common(), publicUrl: late().ground.config.publicUrl })),
  ];
};
