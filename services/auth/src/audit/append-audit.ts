import type { EventEnvelope } from '@causeway/contracts';
import { slotOf } from '@causeway/events';
import type { Persons } from '@causeway/events';
import type { ClientSession } from 'mongodb';

import { actOf, entryOf, withoutPerson } from './audit-entry.ts';
import type { AuditedAct, AuditEntry } from './audit-entry.ts';
import type { AuditCollections } from './audit.model.ts';

/** What {@link createAppendAudit} is given. */
export interface AppendAuditDependencies {
  readonly collections: Pick<AuditCollections, 'entries' | 'heads'>;
  readonly persons: Pick<Persons, 'enterAll'>;
  /** Of the service: each has a chain of its own, so that slots do not wait for one another. */
  readonly slots: number;
}

/** Appends events to the chains of their slots, in the transaction of whoever handles them. Any that is there already stays as it is. */
export type AppendAudit = (events: readonly EventEnvelope[], session: ClientSession) => Promise<void>;

/** Makes what appends to the audit. */
export const createAppendAudit = ({ collections, persons, slots }: AppendAuditDependencies): AppendAudit => {
  const { entries, heads } = collections;

  /** All chains in three statements. */
  const append = async (ofChain: ReadonlyMap<number, readonly AuditedAct[]>, session: ClientSession): Promise<void> => {
    const chains = [...ofChain.keys()].sort((a, b) => a - b);
    const there = await heads.find({ _id: { $in: chains } }, { session }).toArray();
    const headOf = new Map(there.map((head) => [head._id, head]));
    const made = chains.flatMap((chain) => {
      let { seq, hash } = headOf.get(chain) ?? { seq: 0, hash: '' };
      return (ofChain.get(chain) ?? []).map((act): AuditEntry => {
        seq += 1;
        const entry = entryOf(act, { chain, seq }, hash);
        hash = entry.hash;
        headOf.set(chain, { _id: chain, seq, hash });
        return entry;
      });
    });
    if (made.length === 0) return;
    // In the snapshot that they were read in: whoever else appends to one of the chains at this moment has to begin anew.
    const moved = chains.map((_id) => {
      const { seq, hash } = headOf.get(_id) ?? { seq: 0, hash: '' };
      return { updateOne: { filter: { _id }, update: { $set: { seq, hash } }, upsert: true } };
    });
    await heads.bulkWrite(moved, { session });
    await entries.insertMany(made, { session });
  };

  return async (events, session) => {
    const ids = events.map(({ id }) => id);
    const there = await entries.find({ eventId: { $in: ids } }, { session, projection: { eventId: 1 } }).toArray();
    const known = new Set(there.map(({ eventId }) => eventId));
    const acts = events.filter(({ id }) => !known.has(id)).map((event) => ({ event, act: actOf(event) }));
    // Of an erasure and something personal of theirs at once, one has to begin anew.
    const people = acts.flatMap(({ act: { accountId, personal } }) => (personal && accountId ? [accountId] : []));
    const erased = await persons.enterAll(people, session);
    const ofChain = new Map<number, AuditedAct[]>();
    for (const { event, act } of acts) {
      const chain = slotOf(event.subject, slots);
      const kept = act.accountId !== undefined && erased.has(act.accountId) ? withoutPerson(act) : act;
      ofChain.set(chain, [...(ofChain.get(chain) ?? []), kept]);
    }
    await append(ofChain, session);
  };
};
