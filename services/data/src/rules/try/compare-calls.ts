import { Fault } from '@causeway/contracts';

import type { LookTime } from '../../pacing/look-time.ts';
import type { Turns } from '../../pacing/give-way.ts';
import type { Caller } from '../rule.ts';
import type { Changes } from './changes.ts';
import { ChangeTally } from './changes.ts';
import { isOfEncrypted, judgeCall, reasonOfCall } from './judge-call.ts';
import type { PastCall, Unjudged } from './past-calls.ts';
import { unlessTooCostly } from './reasons.ts';
import type { Sides } from './sides.ts';

/** A call that would be answered otherwise. */
export interface CallExample {
  readonly eventId: string;
  readonly who: string;
  readonly action: PastCall['action'];
  readonly record: string;
}

/** What would become of calls of one kind. */
export interface CallChanges extends Changes<CallExample> {
  /** How many were judged. */
  readonly judged: number;
}

/** What would have become of calls that were made. */
export class CallTally {
  readonly #kinds = { create: kind(), update: kind(), delete: kind() };
  readonly #unjudged = new Map<Unjudged, number>();

  passOver(reason: Unjudged, count = 1): void {
    this.#unjudged.set(reason, (this.#unjudged.get(reason) ?? 0) + count);
  }

  /** Adds what another one has counted after it. */
  add(other: CallTally): void {
    for (const action of ['create', 'update', 'delete'] as const) {
      const { judged, changes } = other.#kinds[action];
      this.#kinds[action].judged += judged;
      this.#kinds[action].changes.add(changes);
    }
    for (const { reason, count } of other.unjudged) this.passOver(reason, count);
  }

  /**
   * Judges a call under both definitions, as far as what it depends on is known.
   *
   * @param follow - looks where the references of its record lead
   */
  async judge(sides: Sides, asked: PastCall, follow: (call: PastCall) => Promise<Caller>): Promise<void> {
    const { present, tried } = sides;
    const { action, eventId, who, record } = asked;
    try {
      const call = { ...asked, caller: await follow(asked) };
      const [now, then] = [judgeCall(present, call), judgeCall(tried, call)];
      if (now === 'unknown' || then === 'unknown') {
        this.passOver('unknown-caller');
        return;
      }
      if (now === 'allowed' && then === 'allowed' && isOfEncrypted(sides, call)) {
        this.passOver('encrypted-field');
        return;
      }
      const own = this.#kinds[action];
      own.judged += 1;
      const example = { eventId, who, action, record: record._id };
      own.changes.note(now === 'allowed', then === 'allowed', example, () =>
        unlessTooCostly(() => reasonOfCall(tried, call)),
      );
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'rule-too-costly') throw error;
      this.passOver('too-costly');
    }
  }

  get all(): Readonly<Record<PastCall['action'], CallChanges>> {
    const shown = ({ judged, changes }: ReturnType<typeof kind>): CallChanges => ({ judged, ...changes.all });
    const { create, update, delete: remove } = this.#kinds;
    return { create: shown(create), update: shown(update), delete: shown(remove) };
  }

  get unjudged(): readonly { readonly reason: Unjudged; readonly count: number }[] {
    return [...this.#unjudged].map(([reason, count]) => ({ reason, count }));
  }
}

const kind = () => ({ judged: 0, changes: new ChangeTally<CallExample>() });

/**
 * Judges calls one after the other.
 *
 * @param follow - looks where the references of a call's record lead
 * @throws OutOfTime
 */
export async function compareCalls(
  { sides, time, turns }: { readonly sides: Sides; readonly time: LookTime; readonly turns: Turns },
  calls: readonly (PastCall | Unjudged)[],
  follow: (call: PastCall) => Promise<Caller>,
  tally: CallTally,
): Promise<void> {
  for (const call of calls) {
    if (turns.isOver()) {
      time.demand();
      await turns.giveWay();
    }
    if (typeof call === 'string') tally.passOver(call);
    else await tally.judge(sides, call, follow);
  }
}
