import { randomUUID } from 'node:crypto';

import type { ClientSession, Collection as MongoCollection, Db } from 'mongodb';

import type { ChangeProgress, Definition, DefinitionChange, LastChange } from './collection.model.ts';
import { changesCollection } from './collection.model.ts';
import { definitionBusy } from './collections.errors.ts';

/** What a change asks of all writes while it is under way. */
export type Demand = { readonly pending: Definition } | { readonly removing: true };

/** How a change has ended, but for what everybody knows of it. */
export type Ending = Omit<LastChange, 'owner' | 'at'>;

/** A definition that nobody else is changing. */
export interface DefinitionLock {
  /** The number that the records' validator is to demand. */
  readonly def: number;
  /** Asks something of all writers, or that they read the definition again, under a number of its own. @throws Fault `definition-busy` where somebody has taken it over */
  ask(demand?: Demand): Promise<void>;
  /** Says how far the change is, and makes sure of {@link isHeld}. @throws Fault `definition-busy` where somebody has taken it over */
  note(progress: Omit<ChangeProgress, 'wanted' | 'since'>): Promise<void>;
  /** Whether nobody has taken it over, and then nobody does for as long as a lock lasts. */
  isHeld(): Promise<boolean>;
  /** Makes sure of {@link isHeld} before a step. @throws Fault `definition-busy` where somebody has taken it over */
  demandHeld(): Promise<void>;
  /**
   * Makes sure in a transaction that nobody had taken it over when that began: who has since meets what the transaction writes.
   *
   * @throws Fault `definition-busy`
   */
  demandHeldIn(session: ClientSession): Promise<void>;
  /** Ends what writers have to keep to, in the transaction that commits the change. @throws Fault `definition-busy` */
  commit(session: ClientSession): Promise<void>;
  /** Ends it together with the definition, in the transaction that removes it. @throws Fault `definition-busy` */
  remove(session: ClientSession): Promise<void>;
  /** Lets it go, with whatever it asks of writers, and says how the change has ended; nothing where it is not held. */
  release(ending?: Ending): Promise<void>;
}

/** A process that has not moved its lock on for so long is taken for dead. */
const defaultLockMs = 30_000;

/**
 * Begins a change of a definition: takes the lock, raises the number, and tells all writers what they have to keep to
 * meanwhile. A writer that knows an older number is refused by the records' validator, and reads this. The lock moves its
 * own end on until it is released: no step is too long for it.
 *
 * @param db - the service's database
 * @param id - the definition's
 * @param demand - what writers have to keep to as well; nothing yet where it is not given
 * @param lockMs - for how long a process that does not move it on is waited for
 * @param wanted - what tells the wanted definition from others
 * @throws Fault `definition-busy` where another change is under way, or the definition is gone
 */
export async function lockDefinition(
  db: Db,
  id: string,
  demand: Demand | undefined,
  lockMs: number = defaultLockMs,
  wanted?: string,
): Promise<DefinitionLock> {
  const changes = db.collection<DefinitionChange>(changesCollection);
  const owner = randomUUID();
  let { def } = await take(changes, id, { owner, lockMs, wanted }, demand);
  const own = { _id: id, owner };
  const isHeld = async (): Promise<boolean> => {
    const { matchedCount } = await changes.updateOne(own, { $set: { until: new Date(Date.now() + lockMs) } });
    return matchedCount > 0;
  };
  // One that fails is made up for by the next; where the lock is lost, the next step finds out.
  const renewal = setInterval(() => void isHeld().catch(() => undefined), lockMs / 3).unref();
  return {
    get def() {
      return def;
    },
    isHeld,
    async ask(next) {
      const asked = await changes.findOneAndUpdate(own, [{ $set: demandOf(next) }], { returnDocument: 'after' });
      if (asked === null) throw definitionBusy();
      ({ def } = asked);
    },
    async note(progress) {
      const { step, checked, of, index } = progress;
      const told = { 'progress.step': step, 'progress.checked': checked, 'progress.of': of, 'progress.index': index };
      const entries = Object.entries(told).map(([name, value]) => [
        name,
        value === undefined ? '$$REMOVE' : { $literal: value },
      ]);
      const until = new Date(Date.now() + lockMs);
      const { matchedCount } = await changes.updateOne(own, [
        { $set: { until, ...(Object.fromEntries(entries) as object) } },
      ]);
      if (matchedCount === 0) throw definitionBusy();
    },
    async demandHeld() {
      if (!(await isHeld())) throw definitionBusy();
    },
    async demandHeldIn(session) {
      const held = await changes.findOne(own, { projection: { _id: 1 }, session });
      if (held === null) throw definitionBusy();
    },
    async commit(session) {
      const last: LastChange = { owner, at: new Date(), outcome: 'applied' };
      // From here on it has come about, and is not abandoned where this process dies before it lets go.
      const done = { $unset: { ...demands, progress: true }, $set: { last } } as const;
      const { matchedCount } = await changes.updateOne(own, done, { session });
      if (matchedCount === 0) throw definitionBusy();
    },
    async remove(session) {
      const { deletedCount } = await changes.deleteOne(own, { session });
      if (deletedCount === 0) throw definitionBusy();
    },
    async release(ending) {
      clearInterval(renewal);
      const last = ending === undefined ? {} : { $set: { last: { owner, at: new Date(), ...ending } } };
      await changes.updateOne(own, { $unset: everything, ...last });
    },
  };
}

/**
 * Reads what writers have to know. A change whose owner is gone is ended by this, for nobody else would say that it has not
 * come about; an owner that was only slow finds its lock lost.
 *
 * @param db - the service's database
 * @param id - the definition's
 * @returns null where there is no such definition
 */
export async function readChange(db: Db, id: string): Promise<DefinitionChange | null> {
  const changes = db.collection<DefinitionChange>(changesCollection);
  const change = await changes.findOne({ _id: id });
  if (change?.until === undefined || change.until >= new Date()) return change;
  const { owner = '', until, progress } = change;
  const last: LastChange = { owner, at: new Date(), outcome: 'abandoned' };
  await changes.updateOne({ _id: id, until }, { $unset: everything, ...(progress && { $set: { last } }) });
  return await changes.findOne({ _id: id });
}

const demands = { pending: true, removing: true } as const;
const everything = { owner: true, until: true, progress: true, ...demands } as const;

/** As a stage of an update: what writers have to keep to from now on. */
const demandOf = (demand: Demand | undefined) => {
  const { pending, removing } = { pending: undefined, removing: undefined, ...demand };
  return {
    def: { $add: ['$def', 1] },
    // A schema holds names such as $ref, which are no operators here.
    pending: pending === undefined ? '$$REMOVE' : { $literal: pending },
    removing: removing ?? '$$REMOVE',
  };
};

async function take(
  changes: MongoCollection<DefinitionChange>,
  id: string,
  { owner, lockMs, wanted }: { readonly owner: string; readonly lockMs: number; readonly wanted: string | undefined },
  demand: Demand | undefined,
): Promise<DefinitionChange> {
  const now = new Date();
  // An abandoned change leaves its demand behind, and writers may still keep to it: it is replaced here.
  const free = { _id: id, $or: [{ owner: { $exists: false } }, { until: { $lt: now } }] };
  const until = new Date(now.getTime() + lockMs);
  const progress = wanted === undefined ? '$$REMOVE' : { $literal: { wanted, since: now, step: 'indexes' } };
  const begin = { ...demandOf(demand), owner, until, progress };
  // Without a row the collection has been removed: one made here would count anew, and let old writers in again.
  const locked = await changes.findOneAndUpdate(free, [{ $set: begin }], { returnDocument: 'after' });
  if (locked === null) throw definitionBusy();
  return locked;
}
