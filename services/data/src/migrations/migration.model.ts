import type { Order } from '@causeway/events';
import type { Db } from 'mongodb';

import type { Step } from './step.ts';

/** Whether a migration is made, or reverted. */
export type Direction = 'up' | 'down';

/** What a migration has stopped at. */
export interface Failure {
  /** The step, counted from 0. */
  readonly step: number;
  readonly collection: string;
  readonly recordId?: string;
  /** Of the fault that a call would have been answered with. */
  readonly code: string;
  readonly detail: string;
  readonly errors?: readonly { readonly pointer?: string; readonly code: string; readonly message: string }[];
  readonly examples?: readonly unknown[];
}

/** How far a migration is, as its events tell it. */
export interface Tally {
  /** How many steps are done. */
  readonly step: number;
  readonly steps: number;
  readonly looked: number;
  readonly changed: number;
}

/** A migration as it is stored: its `_id` is its name. It is an order while it `running`s; how it has ended is its outcome. */
export interface MigrationDocument extends Order {
  readonly steps: readonly Step[];
  /** What reverts it, where that is not derived. */
  readonly down?: readonly Step[];
  /** What is being done, or was done last, to revert it. */
  readonly undo?: readonly Step[];
  /** The last record that the step had changed at which the migration stopped: the first step of `undo` is about no record behind it. */
  readonly undoThrough?: string;
  readonly direction: Direction;
  /** Of one that has ended. */
  readonly outcome?: 'applied' | 'reverted' | 'stopped';
  readonly failure?: Failure;
  /** As of its last event. */
  readonly tally: Tally;
}

/** The collection of {@link MigrationDocument}s. */
export const migrationsCollection = 'migrations';

/** The steps that a migration is made of in its direction. */
export const stepsOf = ({ direction, steps, undo = [] }: MigrationDocument): readonly Step[] =>
  direction === 'up' ? steps : undo;

/** Makes the index of the migrations. */
export async function ensureMigrationIndexes(db: Db): Promise<void> {
  await db.collection(migrationsCollection).createIndexes([{ key: { status: 1 } }]);
}
