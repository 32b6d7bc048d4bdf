import type { Db } from 'mongodb';

import type { RelayMetrics } from './relay-metrics.ts';

/** A slot that this replica leads. */
export interface SlotLease {
  readonly slot: number;
  /** Rises each time that the slot changes hands. */
  readonly epoch: number;
  /** On this process's monotonic clock (`performance.now()`): from then on we must not act on the lease. */
  fencedAt: number;
}

/** A row of `leases`. Times are the database server's. */
interface LeaseRow {
  readonly _id: string;
  readonly owner: string | null;
  readonly epoch: number;
  readonly expiresAt: Date;
}

/** A row of `relays`: the replicas that are alive. */
interface RelayRow {
  readonly _id: string;
  readonly seenAt: Date;
}

/** How leases are kept. */
export interface SlotLeasesOptions {
  readonly db: Db;
  readonly slots: number;
  /** Unique to this process. */
  readonly instance: string;
  /** How long a lease holds without being renewed. */
  readonly ttlMs: number;
  readonly metrics: Pick<RelayMetrics, 'leases'>;
}

/** The slots that this replica leads, by leases in MongoDB on the server's time, fenced by our own monotonic clock. */
export interface SlotLeases {
  createIndexes(): Promise<void>;
  /**
   * One round: says that we are alive, renews what is ours, lets go of more than our share, takes what is free up to it.
   * What came of it is in {@link held}, also where the round broke off half-way.
   */
  round(): Promise<void>;
  /** Whether a slot is still ours beyond doubt. */
  holds(slot: number): boolean;
  readonly held: ReadonlyMap<number, SlotLease>;
  /** Gives up a slot at once, such as one in whose log somebody else appends. */
  forget(slot: number): void;
  /** Gives everything back, so that another replica need not wait for the leases to end. */
  release(): Promise<void>;
}

const leaseId = (slot: number): string => `slot/${slot}`;

/** Makes the leases of one service's slots. */
export const createSlotLeases = ({ db, slots, instance, ttlMs, metrics }: SlotLeasesOptions): SlotLeases => {
  const leases = db.collection<LeaseRow>('leases');
  const relays = db.collection<RelayRow>('relays');
  const held = new Map<number, SlotLease>();
  /** The server's clock may run faster than ours: stop a fifth early. */
  const fenceMs = ttlMs * 0.8;
  const serverIn = (ms: number): object => ({ $dateAdd: { startDate: '$$NOW', unit: 'millisecond', amount: ms } });

  /** How many slots each living replica should lead. */
  const fairShare = async (): Promise<number> => {
    await relays.updateOne({ _id: instance }, [{ $set: { seenAt: '$$NOW' } }], { upsert: true });
    const alive = await relays.countDocuments({
      $expr: { $gt: ['$seenAt', { $dateSubtract: { startDate: '$$NOW', unit: 'millisecond', amount: ttlMs } }] },
    });
    return Math.ceil(slots / Math.max(1, alive));
  };

  const renew = async (): Promise<number[]> => {
    if (held.size === 0) return [];
    const asked = performance.now();
    const mine = [...held.keys()];
    await leases.updateMany({ _id: { $in: mine.map(leaseId) }, owner: instance }, [
      { $set: { expiresAt: serverIn(ttlMs) } },
    ]);
    const rows = await leases.find({ _id: { $in: mine.map(leaseId) } }).toArray();
    const byId = new Map(rows.map((row) => [row._id, row]));
    const lost: number[] = [];
    for (const lease of held.values()) {
      const row = byId.get(leaseId(lease.slot));
      if (row?.owner === instance && row.epoch === lease.epoch) lease.fencedAt = asked + fenceMs;
      else lost.push(lease.slot);
    }
    for (const slot of lost) held.delete(slot);
    metrics.leases('lost', lost.length);
    return lost;
  };

  const letGo = async (count: number): Promise<number[]> => {
    const surplus = [...held.keys()].slice(0, Math.max(0, count));
    for (const slot of surplus) held.delete(slot);
    if (surplus.length > 0) {
      await leases.updateMany({ _id: { $in: surplus.map(leaseId) }, owner: instance }, [
        { $set: { owner: null, expiresAt: '$$NOW' } },
      ]);
      metrics.leases('given', surplus.length);
    }
    return surplus;
  };

  const take = async (slot: number): Promise<void> => {
    const asked = performance.now();
    const row = await leases.findOneAndUpdate(
      { _id: leaseId(slot), $or: [{ owner: null }, { $expr: { $lte: ['$expiresAt', '$$NOW'] } }] },
      [{ $set: { owner: instance, epoch: { $add: ['$epoch', 1] }, expiresAt: serverIn(ttlMs) } }],
      { returnDocument: 'after' },
    );
    if (row === null) return;
    held.set(slot, { slot, epoch: row.epoch, fencedAt: asked + fenceMs });
    metrics.leases('taken', 1);
  };

  return {
    held,
    holds(slot) {
      const lease = held.get(slot);
      return lease !== undefined && performance.now() < lease.fencedAt;
    },
    forget(slot) {
      if (held.delete(slot)) metrics.leases('lost', 1);
    },
    async createIndexes() {
      const free = { owner: null, epoch: 0, expiresAt: new Date(0) };
      const rows = Array.from({ length: slots }, (_, slot) => ({ _id: leaseId(slot), ...free }));
      // Replicas race: whoever comes second finds the rows there.
      for (const { _id, ...row } of rows) await leases.updateOne({ _id }, { $setOnInsert: row }, { upsert: true });
    },
    async round() {
      const share = await fairShare();
      const gone = new Set([...(await renew()), ...(await letGo(held.size - share))]);
      // Replicas that start together begin at different slots, so that they seldom race for one.
      const start = Math.floor(Math.random() * slots);
      for (let step = 0; step < slots && held.size < share; step += 1) {
        const slot = (start + step) % slots;
        if (!held.has(slot) && !gone.has(slot)) await take(slot);
      }
    },
    async release() {
      await letGo(held.size);
      await relays.deleteOne({ _id: instance });
    },
  };
};
