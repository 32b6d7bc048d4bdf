import type { FeedMessage } from '../../changes/feed-view.ts';
import type { DeclaredField } from '../../fields/declared-field.ts';
import type { Caller } from '../rule.ts';
import type { Changes } from './changes.ts';
import { ChangeTally } from './changes.ts';
import type { TrialBody } from './asked-trial.ts';

/** Whose rights are compared; `signed-in` for somebody of whom nothing else is known. */
export type AskedWho = NonNullable<TrialBody['who']>[number] | 'signed-in';

/** Somebody whose rights are compared. */
export interface AskedCaller {
  readonly who: AskedWho;
  readonly caller: Caller;
}

/** An event that a feed would tell otherwise. */
export interface FeedExample {
  readonly eventId: string;
  readonly record: string;
  /** As which a feed tells it now, and would; null for not at all. */
  readonly now: FeedMessage['event'] | null;
  readonly then: FeedMessage['event'] | null;
}

/** What would become of somebody's rights to a field. */
export interface FieldChanges {
  readonly path: string;
  readonly read: Changes<string>;
  readonly write: Changes<string>;
}

/** What would become of somebody's rights. */
export interface CallerChanges {
  readonly read: Changes<string>;
  readonly update: Changes<string>;
  readonly delete: Changes<string>;
  readonly fields: readonly FieldChanges[];
  readonly feed: Changes<FeedExample>;
}

/** Counts {@link CallerChanges}. */
export class CallerTally {
  readonly read = new ChangeTally<string>();
  readonly update = new ChangeTally<string>();
  readonly delete = new ChangeTally<string>();
  readonly feed = new ChangeTally<FeedExample>();
  readonly fields: ReadonlyMap<string, Readonly<Record<'read' | 'write', ChangeTally<string>>>>;

  constructor(fields: readonly DeclaredField[]) {
    this.fields = new Map(fields.map(({ path }) => [path, { read: new ChangeTally(), write: new ChangeTally() }]));
  }

  /** Adds what another one has counted, of the same fields, after it. */
  add(other: CallerTally): void {
    this.read.add(other.read);
    this.update.add(other.update);
    this.delete.add(other.delete);
    this.feed.add(other.feed);
    for (const [path, { read, write }] of this.fields) {
      const own = other.fields.get(path);
      if (own === undefined) continue;
      read.add(own.read);
      write.add(own.write);
    }
  }

  /** Whether nothing would change. */
  get isEmpty(): boolean {
    const ofFields = [...this.fields.values()].flatMap(({ read, write }) => [read, write]);
    return [this.read, this.update, this.delete, this.feed, ...ofFields].every((each) => each.isEmpty);
  }

  get all(): CallerChanges {
    const fields = [...this.fields]
      .filter(([, { read, write }]) => !read.isEmpty || !write.isEmpty)
      .map(([path, { read, write }]) => ({ path, read: read.all, write: write.all }));
    return { read: this.read.all, update: this.update.all, delete: this.delete.all, fields, feed: this.feed.all };
  }
}
