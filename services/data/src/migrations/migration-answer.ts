import { z } from 'zod';

import { isReversible } from './derive-undo.ts';
import type { MigrationDocument } from './migration.model.ts';
import type { MigrationPlace } from './migration-places.ts';
import { stepBody } from './step.ts';

/** A migration as administrators see it. */
export const migrationAnswer = z.object({
  name: z.string(),
  status: z
    .enum(['running', 'applied', 'stopped', 'reverting', 'revert-stopped', 'reverted'])
    .describe('`stopped` and `revert-stopped`: something is in its way, see `failure`.'),
  steps: z.array(stepBody),
  down: z.array(stepBody).optional(),
  reversible: z.boolean(),
  progress: z.object({
    step: z.int().describe('How many steps are done.'),
    steps: z.int(),
    lookedInStep: z.int().describe('Records that have been looked at in the step that is being made.'),
    of: z.int().optional().describe('Of about how many.'),
    looked: z.int().describe('Records that have been looked at in all.'),
    changed: z.int().describe('Records that have been changed or deleted in all.'),
  }),
  failure: z
    .object({
      step: z.int(),
      collection: z.string(),
      recordId: z.string().optional(),
      code: z.string(),
      detail: z.string(),
      errors: z.array(z.record(z.string(), z.unknown())).optional(),
      examples: z.array(z.unknown()).optional(),
      advice: z.string(),
    })
    .optional(),
  revision: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
});

const advice = {
  up: 'Change what is in the way, then send the migration again: it goes on where it has stopped. Where what it has done can be reverted without its `down` steps, it may be reverted, too.',
  down: 'Change what is in the way, then revert it again: it goes on where it has stopped.',
} as const;

function statusOf({ status, direction, outcome }: MigrationDocument): z.input<typeof migrationAnswer>['status'] {
  if (status === 'running') return direction === 'up' ? 'running' : 'reverting';
  if (outcome === 'stopped') return direction === 'up' ? 'stopped' : 'revert-stopped';
  return outcome === 'reverted' ? 'reverted' : 'applied';
}

/** How far a migration is. */
export interface ShownPlace {
  readonly place: MigrationPlace | null;
  readonly steps: number;
  /** About how many records there are for the step that is being made. */
  readonly of?: number | undefined;
}

/** Shows a migration. */
export function answerMigration(
  migration: MigrationDocument,
  { place, steps, of }: ShownPlace,
): z.input<typeof migrationAnswer> {
  const { _id: name, steps: up, down, direction, failure, revision, createdAt, updatedAt } = migration;
  const { step = 0, lookedInStep = 0, looked = 0, changed = 0 } = place ?? {};
  return {
    name,
    status: statusOf(migration),
    steps: [...up],
    ...(down === undefined ? {} : { down: [...down] }),
    reversible: down !== undefined || up.every(isReversible),
    progress: {
      ...{ step: Math.min(step, steps), steps, lookedInStep },
      // Counted roughly, and before.
      ...(of === undefined ? {} : { of: Math.max(of, lookedInStep) }),
      ...{ looked, changed },
    },
    ...(failure === undefined || migration.status === 'running'
      ? {}
      : { failure: { ...shownFailure(failure), advice: advice[direction] } }),
    revision,
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}

const shownFailure = ({ errors, examples, ...rest }: NonNullable<MigrationDocument['failure']>) => ({
  ...rest,
  ...(errors === undefined ? {} : { errors: errors.map((each) => ({ ...each })) }),
  ...(examples === undefined ? {} : { examples: [...examples] }),
});
