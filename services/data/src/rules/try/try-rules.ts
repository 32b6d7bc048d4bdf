import { readAfter } from '@causeway/events';
import type { Events } from '@causeway/events';
import type { Collection as MongoCollection, MongoClient, Timestamp } from 'mongodb';

import { isSame } from '../../collections/compare-definitions.ts';
import type { DefinitionDocument } from '../../collections/collection.model.ts';
import { readDefinition } from '../../collections/definition-body.ts';
import { warningsOf } from '../../collections/definition-warnings.ts';
import { definitionBodyOf } from '../../collections/show-definition.ts';
import { createLookTime } from '../../pacing/look-time.ts';
import type { Places } from '../../pacing/places.ts';
import type { RuleWarning } from '../../queries/plan/rule-warnings.ts';
import type { FindCurrent } from '../../records/find-current.ts';
import { unknownCollection } from '../rules.errors.ts';
import type { TrialBody } from './asked-trial.ts';
import { definitionWith } from './tried-definition.ts';
import type { Trial } from './run-trial.ts';
import { runTrial } from './run-trial.ts';

/** What {@link createTryRules} is given. */
export interface TryRulesDependencies {
  readonly events: Pick<Events, 'db' | 'log'>;
  readonly definitions: { readonly native: MongoCollection<DefinitionDocument> };
  readonly findCurrent: FindCurrent;
  readonly client: MongoClient;
  readonly places: Places;
  readonly now: () => Date;
  /** For how long it looks; default 15 s. */
  readonly mostMs?: number;
}

/** What would become of rights. */
export interface TriedRules extends Trial {
  readonly collection: string;
  /** Of the definition that they are compared with. */
  readonly revision: number;
  readonly wouldChange: boolean;
  readonly warnings: readonly RuleWarning[];
}

/** Below the gateway's patience (`UPSTREAM_TIMEOUT`). */
const defaultMostMs = 15_000;

/**
 * Says what rules would change for whom, if they were saved: among the records there, and of the calls that were made. Nothing is written, and
 * no lock is taken; what is said holds for the time of the look.
 *
 * @returns the use case; it throws faults `not-found` for a collection that is not there, `invalid-request`, `trial-busy`
 */
export function createTryRules({ mostMs = defaultMostMs, ...given }: TryRulesDependencies) {
  const { events, definitions, findCurrent, client, places, now } = given;

  return async (body: TrialBody, after: Timestamp | undefined, signal: AbortSignal): Promise<TriedRules> => {
    const { collection: name } = body;
    const collection = await findCurrent(name, after);
    if (collection === undefined) throw unknownCollection();
    const { id, revision, source, cipher } = collection;
    const shown = await definitionBodyOf(definitions.native, name, source);
    const tried = await readDefinition(name, definitionWith(shown, body), definitions.native);
    const release = await places.take(signal);
    try {
      const trial = await runTrial(
        {
          db: events.db,
          log: events.log.collection,
          records: collection.records.native,
          reading: (read) => readAfter(client, after, read),
          time: createLookTime(mostMs, signal),
        },
        { sides: { id, present: collection, tried: { ...tried, cipher } }, body, at: now() },
      );
      const warnings = await warningsOf(tried, definitions.native);
      return { collection: name, revision, wouldChange: !isSame(tried.source, source), warnings, ...trial };
    } finally {
      release();
    }
  };
}
