import type { Cause } from '@causeway/contracts';
import type { RecordedCollection } from '@causeway/events';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import type { createDefineCollection } from '../collections/define-collection.ts';
import { readDefinition } from '../collections/definition-body.ts';
import type { createRemoveCollection } from '../collections/remove-collection.ts';
import type { MigrationPlace, MigrationPlaces } from './migration-places.ts';
import type { Step } from './step.ts';

/** What {@link createDefineStep} and {@link createDropStep} are given. */
export interface DefinitionStepsDependencies {
  readonly definitions: RecordedCollection<DefinitionDocument>;
  readonly defineCollection: ReturnType<typeof createDefineCollection>;
  readonly removeCollection: ReturnType<typeof createRemoveCollection>;
  readonly places: MigrationPlaces;
}

/** Makes a step that is about a collection as a whole; it gives the place behind it. */
export type DefinitionStep<Kind extends 'define' | 'drop'> = (
  cause: Cause,
  step: NonNullable<Step[Kind]>,
  place: MigrationPlace,
  signal: AbortSignal,
) => Promise<MigrationPlace>;

const behind = ({ step }: MigrationPlace): Partial<MigrationPlace> => ({
  step: step + 1,
  lookedInStep: 0,
  changedInStep: 0,
});

/**
 * Makes what defines a collection in a migration. What it was before is noted before it is changed: whoever reverts it needs it. Made twice it is
 * made once, for a definition that is there already changes nothing.
 */
export function createDefineStep({
  definitions,
  defineCollection,
  places,
}: DefinitionStepsDependencies): DefinitionStep<'define'> {
  return async (cause, { collection: name, ...body }, place, patience) => {
    let noted = place;
    if (place.before[place.step] === undefined) {
      const current = await definitions.native.findOne({ name });
      const was = current === null ? null : { definition: current.definition };
      noted = await places.move(place, { before: { ...place.before, [place.step]: was } });
    }
    const definition = await readDefinition(name, body, definitions.native);
    await defineCollection(cause, { name, definition, ifMatch: undefined, patience });
    return await places.move(noted, behind(noted));
  };
}

/** Makes what removes a collection in a migration that has no records. */
export function createDropStep({
  definitions,
  removeCollection,
  places,
}: DefinitionStepsDependencies): DefinitionStep<'drop'> {
  return async (cause, { collection: name }, place, signal) => {
    // Gone already where it was removed, and nobody has noted that.
    if ((await definitions.native.findOne({ name }, { projection: { _id: 1 } })) !== null) {
      await removeCollection(cause, { name, withRecords: false, ifMatch: undefined, signal });
    }
    return await places.move(place, behind(place));
  };
}
