import { defineSettings } from '@causeway/service';

/** How long an erasure waits, and for what. */
export const erasureSettings = defineSettings({
  erasureSettleMs: {
    env: 'ERASURE_SETTLE_TIME',
    type: 'duration',
    default: 360_000,
    min: 1_000,
    description:
      'When somebody who is erased is looked for once more, in all that calls in flight have written: the life of an access token and a minute for clocks that differ. Shorter only where nobody calls, in tests.',
  },
  erasureAnswerMs: {
    env: 'ERASURE_ANSWER_TIME',
    type: 'duration',
    default: 3_600_000,
    min: 1_000,
    description: 'A service that has not removed somebody so long after that is told of in the log and by an event.',
  },
});
