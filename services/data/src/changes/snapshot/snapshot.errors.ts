import { defineFault } from '@causeway/contracts';

/** Too many snapshots are being read. */
export const snapshotBusy = defineFault({
  code: 'snapshot-busy',
  category: 'unavailable',
  title: 'Too many snapshots are being read',
  description:
    'A feed that begins with the current result reads it as of one time, and so many are being read at once that this one would have to wait for too long. Try again after `Retry-After`.',
});
