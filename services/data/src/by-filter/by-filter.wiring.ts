import type { Feature, Ground } from '../feature.ts';
import type { AdmitQuery } from '../queries/plan/admit-query.ts';
import { deleteMatchingRoute, patchMatchingRoute } from './by-filter.route.ts';
import { createChangeMatching } from './change-matching.ts';
import { createDeleteMatching } from './delete-matching.ts';
import { createRunByFilter } from './run-by-filter.ts';

/** Changing and deleting all records that match a filter. */
export function createByFilter(
  { config, client, events, registry, findCurrent, cursors, now }: Ground,
  { admit }: { readonly admit: AdmitQuery },
) {
  const { publicUrl, queryTimeoutMs } = config;
  const runByFilter = createRunByFilter({ events, client, findCurrent, cursors, admit, queryTimeoutMs, now });
  const writing = { events, registry, now };
  return {
    routes: [
      patchMatchingRoute({ runByFilter, changeMatching: createChangeMatching(writing), publicUrl }),
      deleteMatchingRoute({ runByFilter, deleteMatching: createDeleteMatching(writing), publicUrl }),
    ],
  } satisfies Feature;
}
