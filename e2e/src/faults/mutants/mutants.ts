/** A mistake that the suite must notice: a piece of the source of `packages/events`, and what stands there instead. */
export interface Mutant {
  readonly name: string;
  /** What is wrong with it, in one line. */
  readonly about: string;
  /** Within `packages/events/src`. */
  readonly file: string;
  /** Has to be there exactly once. */
  readonly from: string;
  readonly to: string;
  /** The fault under which it shows. */
  readonly fault: string;
  /** The checks of which at least one has to tell. */
  readonly toldBy: readonly string[];
}

/** Each of them once broke a design like ours. */
export const mutants: readonly Mutant[] = [
  {
    name: 'no-inbox',
    about: 'an event that was handled is handled again',
    file: 'consumer/inbox.ts',
    from: `claim: (handler, event, attempts, session) =>
      settle(handler, event.id, { status: 'done', attempts, at: now() }, session),`,
    to: `claim: async (handler, event, attempts, session) => {
      const row = { status: 'done', attempts, at: now() };
      await collection.updateOne({ _id: { handler, event: event.id } }, { $set: row }, { upsert: true, session });
    },`,
    fault: 'duplicates',
    toldBy: ['effect once'],
  },
  {
    name: 'pull-before-publish',
    about: 'rows are emptied before their events are in the log',
    file: 'relay/publish-cycle.ts',
    from: "await failpoint?.('relay.taken');",
    to: `for (const { event } of events) {
      const { collection, id } = carriers.get(event.id)?.row ?? {};
      if (collection !== undefined) await rows.pull(collection, new Map([[id, [event.id]]]));
    }
    await failpoint?.('relay.taken');`,
    fault: 'kill-unpublished',
    toldBy: ['no loss'],
  },
  {
    name: 'latest-offset',
    about: 'a group without an offset starts at the end of a topic',
    file: 'kafka/group/group-consumer.ts',
    from: 'return partitions.map((each) => ({ ...each, committed: offsets.get(keyOf(each)) ?? null }));',
    to: `return Promise.all(
      partitions.map(async (each) => {
        const latest = (await this.#wire.offsets(each.topic, 'latest')).get(each.partition) ?? null;
        return { ...each, committed: offsets.get(keyOf(each)) ?? latest };
      }),
    );`,
    fault: 'duplicates',
    toldBy: ['no loss'],
  },
  {
    name: 'bell-lost',
    about: 'a bell that rings while the relay is busy is not heard',
    file: 'relay/relay.ts',
    from: `if (lane === undefined) return;
    lane.pending.add(row);`,
    to: `if (lane === undefined || lane.busy) return;
    lane.pending.add(row);`,
    fault: 'kill-recorded',
    toldBy: ['promptness'],
  },
  {
    name: 'next-passes',
    about: 'later events of a parked subject do not queue behind it',
    file: 'consumer/deliver.ts',
    from: "if (handler.order === 'ordered' && !isRedacted(event) && parking.isParked(handler.name, event.subject)) {",
    to: 'if (false) {',
    fault: 'parking',
    toldBy: ['order'],
  },
  {
    name: 'lanes-forgotten',
    about: 'whoever is given a partition does not know which of its subjects are parked',
    file: 'consumer/parking.ts',
    from: `open(keyOf(_id.handler, _id.subject));
        read = `,
    to: 'read = ',
    fault: 'parking',
    toldBy: ['order'],
  },
  {
    name: 'made-twice',
    about: 'a write that came late is not looked for before it is made again',
    file: 'recording/recorded-collection.ts',
    from: 'if (!(await isRecorded(db, current, event.id))) continue;',
    to: 'if (event.id) continue;',
    fault: 'lost-answers',
    toldBy: ['command once'],
  },
  {
    name: 'local-reads',
    about: 'what one member alone has taken is read, acknowledged and published',
    file: 'create-events.ts',
    from: `readConcern: new ReadConcern('majority'),
    readPreference: ReadPreference.primary,
    writeConcern: { w: 'majority' },`,
    // MongoDB's own default, which is local; a change stream refuses to be asked for it.
    to: `readPreference: ReadPreference.primary,
    writeConcern: { w: 1 },`,
    fault: 'mongodb-rolled-back',
    toldBy: ['no phantom'],
  },
];
