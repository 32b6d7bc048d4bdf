import type { Collection } from '../collections/collection-registry.ts';
import type { SealedFields } from '../encryption/sealed-fields.ts';
import { firstExpiry } from '../expiry/expiry-of.ts';
import type { RecordState } from './record.model.ts';

/** What a use case decides of a record; the rest follows from its collection. */
export type DecidedState = Pick<RecordState, 'fields' | 'createdBy' | 'updatedBy'> & {
  /** What `sealFields` gives, or what the record had where none of it changes. */
  readonly sealed: SealedFields | undefined;
};

/** The whole state of a record that is written under the definition of now: with the time at which the reaper is to look at it. */
export function stateOfRecord(
  collection: Pick<Collection, 'def' | 'expiry' | 'pending'>,
  { fields, sealed, createdBy, updatedBy }: DecidedState,
): RecordState {
  const expiresAt = firstExpiry(collection, fields);
  return {
    def: collection.def,
    fields,
    ...(sealed === undefined ? {} : { sealed }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(createdBy === undefined ? {} : { createdBy }),
    ...(updatedBy === undefined ? {} : { updatedBy }),
  };
}
