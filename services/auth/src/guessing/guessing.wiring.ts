import type { Feature, Ground } from '../feature.ts';
import { createGuessGuard } from './guess-guard.ts';
import { guessRules } from './guess-rules.ts';
import { createLocalCounters } from './local-counters.ts';
import { createRedisCounters } from './redis-counters.ts';

/** Guards what can be guessed. */
export function createGuessing({
  config,
  logger,
  masterKey,
  redis,
  redisPrefix: prefix,
}: Pick<Ground, 'config' | 'logger' | 'masterKey' | 'redis' | 'redisPrefix'>) {
  const rules = guessRules({ perBlock: config.guessesPerBlock, overall: config.guessesOverall });
  const counters = createRedisCounters({ redis, prefix, rules, local: createLocalCounters({ rules }), logger });
  return { guard: createGuessGuard({ counters, secret: masterKey.derive('guesses') }) } satisfies Feature;
}

/** What {@link createGuessing} gives. */
export type Guessing = ReturnType<typeof createGuessing>;
