import { defineFault } from '@causeway/contracts';

/** What scheduling may be refused with. */
export const timerFaults = {
  timerDiffers: defineFault({
    code: 'timer-differs',
    category: 'unprocessable',
    title: 'A timer of this key is there, and is another one',
    description:
      'A key names one timer, for as long as it is remembered. Cancel the timer that is there and schedule the new one under a key of its own.',
  }),
} as const;
