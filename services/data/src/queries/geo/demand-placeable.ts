import { faults } from '@causeway/contracts';
import { MongoServerError } from 'mongodb';

import type { Collection } from '../../collections/collection-registry.ts';
import type { Condition, Value } from '../../conditions/condition.ts';
import type { Locate, RecordQuery } from '../asked-query.ts';
import { explainedFilter } from '../find-records.ts';

/** BadValue: https://www.mongodb.com/docs/manual/reference/error-codes/ */
const badValueCode = 2;

/**
 * Has MongoDB say whether it can lay out the geometries of a filter: whether rings cross it has a way of its own to tell, and an export
 * would have begun its answer by then. Nothing is looked for.
 *
 * @param timeoutMs - how long it may take
 * @throws Fault `invalid-request`
 */
export async function demandPlaceable(
  { records }: Pick<Collection, 'records'>,
  { condition }: Pick<RecordQuery, 'condition'>,
  locate: Locate,
  timeoutMs: number,
): Promise<void> {
  const geometries = geometriesIn(condition);
  if (geometries.length === 0) return;
  try {
    const filter = explainedFilter({ kind: 'or', branches: geometries });
    await records.native.find(filter).explain({ verbosity: 'queryPlanner', maxTimeMS: timeoutMs });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== badValueCode) throw error;
    const message =
      'Give geometries that can be laid out on the globe: rings cross neither themselves nor each other, holes lie inside the first ring, and no edge goes half way round.';
    throw faults.invalidRequest({ errors: [{ ...locate('filter'), code: 'invalid-geometry', message }], cause: error });
  }
}

/** What of a condition asks where something lies, but for circles. */
function geometriesIn(condition: Condition<Value>): Condition<Value>[] {
  switch (condition.kind) {
    case 'field': {
      const { atom } = condition;
      return atom.op === 'geo' && atom.area.kind === 'geometry' ? [condition] : [];
    }
    case 'not':
      return geometriesIn(condition.branch);
    case 'and':
    case 'or':
    case 'nor':
      return condition.branches.flatMap(geometriesIn);
  }
}
