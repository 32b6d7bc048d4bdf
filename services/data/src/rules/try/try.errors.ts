import { defineFault } from '@causeway/contracts';

/** Too many rules are being tried. */
export const trialBusy = defineFault({
  code: 'trial-busy',
  category: 'unavailable',
  title: 'Other rules are being tried',
  description:
    'To try rules takes a look at many records and events, and so many are being tried at once that this one would have to wait for too long. Try again after `Retry-After`.',
});
