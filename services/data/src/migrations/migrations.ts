import { isDeepStrictEqual } from 'node:util';

import { faults } from '@causeway/contracts';
import type { Cause } from '@causeway/contracts';
import type { Events, RecordedCollection } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import type { DefinitionDocument } from '../collections/collection.model.ts';
import type { ShowDefinition } from './derive-undo.ts';
import { deriveUndo } from './derive-undo.ts';
import type { Direction, MigrationDocument } from './migration.model.ts';
import { stepsOf } from './migration.model.ts';
import type { MigrationPlace, MigrationPlaces } from './migration-places.ts';
import { migrationFaults } from './migrations.errors.ts';
import { begun } from './migrations.events.ts';
import type { Made } from './parse-migration.ts';
import { checkSteps } from './parse-migration.ts';
import type { Step } from './step.ts';

/** What {@link createMigrations} is given. */
export interface MigrationsDependencies {
  readonly events: Pick<Events, 'db' | 'transaction'>;
  readonly migrations: RecordedCollection<MigrationDocument>;
  readonly definitions: { readonly native: RecordedCollection<DefinitionDocument>['native'] };
  readonly places: MigrationPlaces;
  readonly show: ShowDefinition;
}

/** What an administrator wants to be made. */
export interface WantedMigration {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly down?: readonly Step[];
}

/** A migration after a call. */
export interface AskedMigration {
  readonly migration: MigrationDocument;
  /** Of the call; absent where it has changed nothing. */
  readonly eventId?: string;
}

/** How a migration is begun, or goes on. */
interface Beginning {
  readonly direction: Direction;
  readonly resumed: boolean;
  readonly content: Pick<MigrationDocument, 'steps' | 'down' | 'undo' | 'undoThrough'>;
}

/**
 * What administrators do with migrations: one is made at a time, in the order of names, and reverted in the opposite one.
 */
export function createMigrations({ events, migrations, definitions, places, show }: MigrationsDependencies) {
  const { native } = migrations;
  const turns = events.db.collection<{ readonly _id: string; readonly taken: number }>('migration_turns');

  /** Of two who begin something, one comes after the other, and sees what that has begun. */
  const inTurn = async <T>(work: (session: ClientSession) => Promise<T>): Promise<T> =>
    await events.transaction(async (session) => {
      await turns.updateOne({ _id: 'turn' }, { $inc: { taken: 1 } }, { upsert: true, session });
      return await work(session);
    });

  /** @throws Fault `migration-unfinished`, `migration-out-of-order` */
  const demandTurn = async (name: string, session: ClientSession): Promise<void> => {
    const others = { _id: { $ne: name } };
    const open = { ...others, $or: [{ status: 'running' as const }, { outcome: 'stopped' as const }] };
    const unfinished = await native.findOne(open, { projection: { _id: 1 }, session });
    if (unfinished !== null) throw migrationFaults.unfinished({ extensions: { unfinished: unfinished._id } });
    const later = { _id: { $gt: name }, outcome: 'applied' as const };
    const last = await native.findOne(later, { projection: { _id: 1 }, sort: { _id: -1 }, session });
    if (last !== null) throw migrationFaults.outOfOrder({ extensions: { last: last._id } });
  };

  const begin = async (
    cause: Cause,
    name: string,
    current: MigrationDocument | null,
    { direction, resumed, content }: Beginning,
    session: ClientSession,
  ): Promise<AskedMigration> => {
    const steps = direction === 'up' ? content.steps : (content.undo ?? []);
    const tally = resumed && current !== null ? current.tally : { step: 0, steps: steps.length, looked: 0, changed: 0 };
    const state = { ...content, direction, tally, cause, status: 'running' as const };
    const event = begun(name, direction, steps.length, resumed);
    if (current === null) {
      const { document } = await migrations.create(cause, { _id: name, state, event }, { session });
      return { migration: document, eventId: document.event };
    }
    const options = { ifMatch: [current.revision], session };
    const write = await migrations.update(cause, name, () => ({ state, event }), options);
    if (write?.event === undefined) throw faults.conflict();
    return { migration: write.document, eventId: write.event.id };
  };

  const contentOf = ({ steps, down, undo, undoThrough }: Beginning['content']) => ({
    steps,
    ...(down === undefined ? {} : { down }),
    ...(undo === undefined ? {} : { undo }),
    ...(undoThrough === undefined ? {} : { undoThrough }),
  });

  const make = async (cause: Cause, wanted: WantedMigration, session: ClientSession): Promise<AskedMigration> => {
    const { name } = wanted;
    const content = contentOf(wanted);
    const current = await native.findOne({ _id: name }, { session });
    const isNew = current === null || current.outcome === 'reverted';
    if (!isNew) {
      const { steps, down } = current;
      if (!isDeepStrictEqual(asJson(contentOf(wanted)), asJson(contentOf({ steps, ...(down && { down }) }))))
        throw migrationFaults.differs();
      if (current.outcome !== 'stopped') return { migration: current };
      if (current.direction === 'down')
        throw migrationFaults.unfinished({ detail: 'It is being reverted.', extensions: { unfinished: name } });
    }
    await demandTurn(name, session);
    if (!isNew) {
      const own = { direction: 'up', resumed: true, content: contentOf(current) } as const;
      return await begin(cause, name, current, own, session);
    }
    await places.reset(name, {}, session);
    return await begin(cause, name, current, { direction: 'up', resumed: false, content }, session);
  };

  /** Of one that has stopped only what it has done is undone: `down` says how to undo all of it, and knows of no place. */
  const undoOf = async (
    { steps, down, outcome }: MigrationDocument,
    place: MigrationPlace,
  ): Promise<Pick<MigrationDocument, 'undo' | 'undoThrough'>> => {
    const hasStopped = outcome === 'stopped';
    const undo = (hasStopped ? undefined : down) ?? (await deriveUndo(doneBy(steps, place), place.before, show));
    if (undo !== undefined)
      return { undo, ...(place.changedInStep > 0 && place.after !== undefined && { undoThrough: place.after }) };
    if (!hasStopped || down === undefined) throw migrationFaults.irreversible();
    const detail =
      'It has stopped on its way, and its `down` steps would change what it has not reached. Have it go on, and revert it then.';
    throw migrationFaults.irreversible({ detail });
  };

  const revert = async (cause: Cause, name: string, session: ClientSession): Promise<AskedMigration> => {
    const current = await native.findOne({ _id: name }, { session });
    if (current === null) throw faults.notFound();
    const { status, direction, outcome } = current;
    const isGoingOn = status === 'running' && direction === 'down';
    if (isGoingOn || outcome === 'reverted') return { migration: current };
    if (status === 'running') throw migrationFaults.unfinished({ extensions: { unfinished: name } });
    await demandTurn(name, session);
    if (direction === 'down') {
      const own = { direction, resumed: true, content: contentOf(current) } as const;
      return await begin(cause, name, current, own, session);
    }
    const place = await places.find(name);
    if (place === null) throw faults.notFound();
    const content = {
      ...contentOf({ steps: current.steps, ...(current.down && { down: current.down }) }),
      ...(await undoOf(current, place)),
    };
    await places.reset(name, {}, session);
    return await begin(cause, name, current, { direction: 'down', resumed: false, content }, session);
  };

  return {
    /**
     * Has a migration made, or go on where it has stopped. One that is there already is left as it is.
     *
     * @throws Fault `invalid-request`, `migration-differs`, `migration-unfinished`, `migration-out-of-order`
     */
    async make(cause: Cause, wanted: WantedMigration): Promise<AskedMigration> {
      const known = await native.findOne({ _id: wanted.name });
      // What has been made could not be made once more: its collections may be others by now.
      if (known === null || known.outcome === 'reverted') {
        const made: Made = new Map();
        const given = { definitions: definitions.native, made };
        await checkSteps(wanted.steps, '/steps', given);
        await checkSteps(wanted.down ?? [], '/down', given);
      }
      return await inTurn((session) => make(cause, wanted, session));
    },

    /**
     * Has a migration reverted, or its revert go on where it has stopped.
     *
     * @throws Fault `not-found`, `migration-unfinished`, `migration-out-of-order`, `migration-irreversible`
     */
    revert: (cause: Cause, name: string): Promise<AskedMigration> => inTurn((session) => revert(cause, name, session)),

    find: (name: string): Promise<MigrationDocument | null> => native.findOne({ _id: name }),

    /** The last ones, by name. */
    list: (before: string | undefined, limit: number): Promise<MigrationDocument[]> =>
      native
        .find(before === undefined ? {} : { _id: { $lt: before } })
        .sort({ _id: -1 })
        .limit(limit)
        .toArray(),

    /** How many steps there are in its direction, and how far it is. */
    async placeOf(
      migration: MigrationDocument,
    ): Promise<{ readonly place: MigrationPlace | null; readonly steps: number }> {
      return { place: await places.find(migration._id), steps: stepsOf(migration).length };
    },
  };
}

/** The steps that have done something; of the one that it has got to, definitions note themselves what they have done. */
function doneBy(steps: readonly Step[], { step, changedInStep }: MigrationPlace): readonly Step[] {
  const isBegun = changedInStep > 0 || steps[step]?.define !== undefined;
  return steps.slice(0, isBegun ? step + 1 : step);
}

/** As it was sent: what MongoDB has stored has no members without a value. */
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown;
