import type { Collection, Db } from 'mongodb';
import { z } from 'zod';

import { indexAnswer } from './collection-answer.ts';
import type { DefinitionChange } from './collection.model.ts';
import { changesCollection, recordsCollection } from './collection.model.ts';
import { readChange } from './definition-lock.ts';

/** A change of a definition that is under way. */
export const changeAnswer = z.object({
  since: z.iso.datetime(),
  step: z
    .enum(['records', 'indexes', 'references', 'expiry'])
    .describe(
      'Whether records are looked at, an index is being built, what records refer to is looked for, or it is noted until when records are kept.',
    ),
  checked: z.int().optional().describe('How many have been looked at in this step.'),
  of: z.int().optional().describe('Of about how many.'),
  index: indexAnswer.optional().describe('The index that is being built.'),
});

/** How the last change has ended. */
export const lastChangeAnswer = z.object({
  at: z.iso.datetime(),
  outcome: z
    .enum(['applied', 'refused', 'abandoned', 'failed'])
    .describe('`refused`: records break it. `abandoned`: the process that made it is gone; send it again.'),
  detail: z.string().optional(),
  examples: z.array(z.record(z.string(), z.unknown())).optional().describe('Records that break it.'),
});

/** What is said of changes beside a definition. */
export interface ShownChanges {
  readonly change?: z.input<typeof changeAnswer>;
  readonly lastChange?: z.input<typeof lastChangeAnswer>;
}

/** Shows what is known of a definition's changes. */
export function showChanges({ until, progress, last }: Partial<DefinitionChange>): ShownChanges {
  const shown: { -readonly [Name in keyof ShownChanges]: ShownChanges[Name] } = {};
  if (until !== undefined && until >= new Date() && progress !== undefined) {
    const { since, step, checked, of, index } = progress;
    shown.change = {
      since: since.toISOString(),
      step,
      ...(checked === undefined ? {} : { checked }),
      // Counted beforehand, and roughly.
      ...(of === undefined ? {} : { of: Math.max(of, checked ?? 0) }),
      ...(index === undefined ? {} : { index }),
    };
  }
  if (last !== undefined) {
    const { at, outcome, detail, examples } = last;
    shown.lastChange = {
      at: at.toISOString(),
      outcome,
      ...(detail === undefined ? {} : { detail }),
      ...(examples === undefined ? {} : { examples: examples as Record<string, unknown>[] }),
    };
  }
  return shown;
}

/** How far MongoDB is with an index, as it says itself. */
interface BuildOperation {
  readonly progress: { readonly done: number; readonly total: number };
}

/**
 * Reads what is known of a definition's changes, of an index that is being built from MongoDB itself, where that may be asked.
 *
 * @param db - the service's database
 * @param id - the definition's
 */
export async function readChanges(db: Db, id: string): Promise<ShownChanges> {
  // A change whose owner is gone is ended by this.
  const row = (await readChange(db, id)) ?? {};
  const shown = showChanges(row);
  if (shown.change?.step !== 'indexes') return shown;
  const [build] = await buildsOf(db, id);
  if (build === undefined) return shown;
  const { done, total } = build.progress;
  return { ...shown, change: { ...shown.change, checked: done, of: total } };
}

/** MongoDB tells of operations that are not the caller's to who has the privilege `inprog`. */
async function buildsOf(db: Db, id: string): Promise<readonly BuildOperation[]> {
  const building = { 'command.createIndexes': recordsCollection(id), 'progress.total': { $gt: 0 } };
  try {
    const asked = { currentOp: true, ...building, maxTimeMS: 1_000 };
    const { inprog = [] } = (await db.admin().command(asked)) as { readonly inprog?: readonly BuildOperation[] };
    return inprog;
  } catch {
    return [];
  }
}

/** What is known of the changes of all definitions, by id. */
export async function listChanges(db: Db): Promise<ReadonlyMap<string, ShownChanges>> {
  const changes: Collection<DefinitionChange> = db.collection(changesCollection);
  const rows = await changes.find({}, { projection: { until: 1, progress: 1, last: 1 } }).toArray();
  return new Map(rows.map((row) => [row._id, showChanges(row)]));
}
