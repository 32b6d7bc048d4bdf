import type { Handler, RemovalStep } from '@causeway/events';
import { bySystem } from '@causeway/service';

import type { Feature, Ground } from '../feature.ts';
import type { Proofs } from '../proofs/proofs.wiring.ts';
import type { RequestProof } from '../proofs/request-proof.ts';
import { createDeviceCookie } from './device-cookie.ts';
import type { Devices } from './devices.wiring.ts';
import { forgetGuards } from './forget-guards.ts';
import { createGuessGuard } from './guess-guard.ts';
import { createGuessJournal, guessNotes } from './guess-journal.ts';
import { guessRules } from './guess-rules.ts';
import { createLocalCounters } from './local-counters.ts';
import { watchLocked } from './locked-gauge.ts';
import { createRedisCounters } from './redis-counters.ts';
import { createTellGuesses } from './tell-guesses.ts';
import { createUnlock } from './unlock.ts';
import { unlockByMail } from './unlock-by-mail.handler.ts';
import { unlockRoute } from './unlock.route.ts';

const tellEveryMs = 2_000;
const countEveryMs = 10_000;

/** Guards what can be guessed. */
export function createGuessing(
  {
    accounts,
    config,
    events,
    guards,
    guardQueries,
    logger,
    masterKey,
    now,
    redis,
    redisPrefix: prefix,
  }: Pick<
    Ground,
    | 'accounts'
    | 'config'
    | 'events'
    | 'guardQueries'
    | 'guards'
    | 'logger'
    | 'masterKey'
    | 'now'
    | 'redis'
    | 'redisPrefix'
  >,
  {
    proofs: { useProof },
    devices: { knownDevices },
  }: {
    readonly proofs: Pick<Proofs, 'useProof'>;
    readonly devices: Pick<Devices, 'knownDevices'>;
  },
) {
  const rules = guessRules({ perBlock: config.guessesPerBlock, overall: config.guessesOverall });
  const counters = createRedisCounters({ redis, prefix, rules, local: createLocalCounters({ rules }), logger });
  const { persons, transaction } = events;
  const notes = guessNotes(events.db);
  const journal = createGuessJournal({ notes, now });
  const guard = createGuessGuard({ counters, secret: masterKey.derive('guesses'), journal });
  const tellGuesses = createTellGuesses({ notes, accounts, guards, persons, transaction });
  const unlock = createUnlock({ accounts, guard, useProof, transaction });
  return {
    ...{ guard, unlock, knownDevices },
    routes: [unlockRoute({ unlock, knownDevices, deviceCookie: createDeviceCookie(config.publicUrl) })],
    ensureIndexes: () => guardQueries.ensureIndexes(),
    jobs: [
      { name: 'tell-guesses', everyMs: tellEveryMs, run: (signal) => tellGuesses(bySystem(), signal) },
      { name: 'count-locked', everyMs: countEveryMs, run: watchLocked(guardQueries, now) },
    ],
  } satisfies Feature;
}

/** What {@link createGuessing} gives. */
export type Guessing = ReturnType<typeof createGuessing>;

/** What is done about accounts that are locked. */
export const guessingHandlers = (
  late: () => {
    readonly ground: Pick<Ground, 'accounts'>;
    readonly proofs: { readonly requestProof: RequestProof };
  },
): Handler[] => [unlockByMail(() => ({ accounts: late().ground.accounts, requestProof: late().proofs.requestProof }))];

/** What is done about what was guessed at the account of somebody who is erased. */
export const guessingRemovalSteps = (
  late: () => { readonly ground: Pick<Ground, 'events' | 'guards'> },
): RemovalStep[] => [
  forgetGuards({ guards: () => late().ground.guards, redaction: () => late().ground.events.redaction }),
];
