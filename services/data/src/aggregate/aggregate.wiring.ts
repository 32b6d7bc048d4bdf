import type { Feature, Ground } from '../feature.ts';
import type { AdmitWhole } from '../queries/plan/admit-query.ts';
import { aggregateRoute } from './aggregate.route.ts';
import { createAnswerAggregate } from './answer-aggregate.ts';

/** What records come to, together. */
export function createAggregate(
  { config: { queryTimeoutMs, queryCostLimit }, registry, findCurrent, client, events: { db }, now }: Ground,
  { admit }: { readonly admit: AdmitWhole },
) {
  const parts = { db, registry, findCurrent, client, admit, queryTimeoutMs, queryCostLimit, now };
  return { routes: [aggregateRoute({ answerAggregate: createAnswerAggregate(parts) })] } satisfies Feature;
}
