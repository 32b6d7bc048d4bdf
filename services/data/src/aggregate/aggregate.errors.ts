import { defineFault } from '@causeway/contracts';

/** A sum is a number that a double only has rounded; records hold none such. */
export const resultOutOfRange = defineFault({
  code: 'result-out-of-range',
  category: 'unprocessable',
  title: 'A result is out of range',
  description:
    'A sum lies beyond ±(2^53 - 1), where doubles do not hold every whole number. Narrow the match, or put fewer records together.',
});
