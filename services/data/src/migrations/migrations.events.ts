import { migrationBegun, migrationEnded, migrationProgressed } from '@causeway/contracts';
import { draft } from '@causeway/events';
import type { EventDraft } from '@causeway/events';

import type { Direction, Failure, MigrationDocument, Tally } from './migration.model.ts';

const own = (migration: string, direction: Direction) => ({ migration, direction });

/** A migration is under way. */
export const begun = (name: string, direction: Direction, steps: number, resumed: boolean): EventDraft =>
  draft(migrationBegun, { ...own(name, direction), steps, resumed });

/** A migration has got on. */
export const progressed = ({ _id, direction }: MigrationDocument, tally: Tally): EventDraft =>
  draft(migrationProgressed, { ...own(_id, direction), ...tally });

/** A migration is over, or has stopped. */
export function ended(
  { _id, direction }: MigrationDocument,
  outcome: NonNullable<MigrationDocument['outcome']>,
  tally: Tally,
  failure: Failure | undefined,
): EventDraft {
  const { code, collection, recordId } = failure ?? {};
  const told =
    code === undefined || collection === undefined
      ? {}
      : { failure: { code, collection, ...(recordId === undefined ? {} : { recordId }) } };
  return draft(migrationEnded, { ...own(_id, direction), ...tally, outcome, ...told });
}
