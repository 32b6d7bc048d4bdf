import type { Feature, Ground } from '../feature.ts';
import { createExplainRules } from './explain/explain-rules.ts';
import { explainRulesRoute } from './explain/explain-rules.route.ts';

/** What tells administrators of rules. */
export function createRules({
  config: { queryTimeoutMs },
  registry,
  findCurrent,
  client,
  events: { db },
  now,
}: Ground) {
  const explainRules = createExplainRules({ registry, findCurrent, client, db, queryTimeoutMs, now });
  return { routes: [explainRulesRoute({ explainRules })] } satisfies Feature;
}
