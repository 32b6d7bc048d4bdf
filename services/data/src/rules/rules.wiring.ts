import { createPlaces } from '../pacing/places.ts';
import type { createCollections } from '../collections/collections.wiring.ts';
import type { Feature, Ground } from '../feature.ts';
import { createExplainRules } from './explain/explain-rules.ts';
import { explainRulesRoute } from './explain/explain-rules.route.ts';
import { createTryRules } from './try/try-rules.ts';
import { tryRulesRoute } from './try/try-rules.route.ts';
import { trialBusy } from './try/try.errors.ts';

/** Trials that run at once in a process; each looks at much. */
const mostTrials = 2;
const mostWaiting = 10;

/** What tells administrators of rules. */
export function createRules(
  { config: { queryTimeoutMs }, registry, findCurrent, client, events, now }: Ground,
  { definitions }: Pick<ReturnType<typeof createCollections>, 'definitions'>,
) {
  const { db } = events;
  const explainRules = createExplainRules({ registry, findCurrent, client, db, queryTimeoutMs, now });
  const busy = (): Error => trialBusy({ retryAfterS: 15, message: 'all places for trials of rules are taken' });
  const places = createPlaces({ limit: mostTrials, mostWaiting, busy });
  const tryRules = createTryRules({ events, definitions, findCurrent, client, places, now });
  return { routes: [explainRulesRoute({ explainRules }), tryRulesRoute({ tryRules })] } satisfies Feature;
}
