import type { EventEnvelope } from '@causeway/contracts';

import type { RecordedCollection } from '../recording/recorded-collection.ts';
import type { TimerDocument, TimerStatus } from './timer.model.ts';

/** What has become of a timer, for whoever looks at the effects of the event that announced it. */
export interface TimerReport {
  readonly timerId: string;
  /** Of the event to come. */
  readonly type: string;
  /** ISO 8601. */
  readonly deliverAt: string;
  readonly status: TimerStatus;
  /** Whether its time has come, by MongoDB's clock: what is due is waited for, what is not is merely listed. */
  readonly due: boolean;
  /** The id of the event that released or cancelled it. */
  readonly settledBy?: string;
}

/** What has become of the timer that an event announced; undefined for any other event, and long after. */
export type TimerOf = (event: Pick<EventEnvelope, 'type' | 'subject'>) => Promise<TimerReport | undefined>;

type Row = Pick<TimerDocument, 'type' | 'deliverAt' | 'status' | 'event'> & { readonly due: boolean };

/**
 * Makes the reader of what became of a service's timers.
 *
 * @param announcedBy - the type of the event that announces one
 */
export const createTimerOf =
  ({ native }: Pick<RecordedCollection<TimerDocument>, 'native'>, announcedBy: string): TimerOf =>
  async ({ type, subject }) => {
    if (type !== announcedBy) return undefined;
    const timerId = subject.slice(subject.indexOf('/') + 1);
    const due = { $lte: ['$deliverAt', '$$NOW'] };
    const shown = { $project: { type: 1, deliverAt: 1, status: 1, event: 1, due } };
    const [row] = await native.aggregate<Row>([{ $match: { _id: timerId } }, shown]).toArray();
    if (row === undefined) return undefined;
    const common = {
      timerId,
      type: row.type,
      deliverAt: row.deliverAt.toISOString(),
      status: row.status,
      due: row.due,
    };
    return row.status === 'scheduled' ? common : { ...common, settledBy: row.event };
  };
