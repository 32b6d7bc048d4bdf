import type { Db } from 'mongodb';

import type { Random } from './seeded-random.ts';
import type { CommandArgs } from './replica/protocol.ts';

/** Something that the workload wants done: a command of one of the services. */
export interface Command {
  readonly service: string;
  /** Of the replica's `commands`. */
  readonly name: string;
  readonly args: CommandArgs;
}

/** What the suite has services do, and what has to be true afterwards. */
export interface Workload {
  /** Done before the first fault, each until it is acknowledged: so they must be safe to do twice. */
  readonly begin?: (random: Random) => readonly Command[];
  /** The next command; the same seed gives the same ones. */
  readonly next: (random: Random) => Command;
  /**
   * Holds what the services have against what must always be true, once everything has come to rest.
   *
   * @param db - the database of a service, at majority
   * @returns what is wrong, each in one line with ids
   */
  readonly verify?: (db: (service: string) => Db) => Promise<readonly string[]>;
}
