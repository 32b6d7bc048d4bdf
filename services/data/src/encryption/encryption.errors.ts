import { defineFault, Fault } from '@causeway/contracts';

/** The key that encrypted fields are opened with is not there. */
export const fieldKeyMissing = defineFault({
  code: 'field-key-missing',
  category: 'unavailable',
  title: 'The key of encrypted fields is not there',
  description:
    'The collection has encrypted fields, and the data service has no key, or another one, for them: an administrator sets `CAUSEWAY_FIELD_KEY`, or the file that holds it. It has to be the same at every replica. Collections without encrypted fields are served.',
});

/** Whether something needs the key of encrypted fields, which is not there. */
export const isKeyMissing = (error: unknown): boolean =>
  error instanceof Fault && error.code === fieldKeyMissing.declaration.code;

/** A value that was sealed does not open: it was sealed for another place, with another key, or has been changed. */
export class BrokenSeal extends Error {
  override readonly name = 'BrokenSeal';
}
