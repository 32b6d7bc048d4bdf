import type { Fields } from '../records/record.model.ts';

/** Which record an operation is about: its id, or the name of the create that makes it. */
export type RecordName = { readonly id: string } | { readonly as: string };

/** Gives the id of what a create before has named. */
export type IdOf = (name: string) => string;

/** One operation of a batch. */
export type Operation =
  | { readonly op: 'create'; readonly collection: string; readonly fields: Fields; readonly as: string | undefined }
  | {
      readonly op: 'update';
      readonly collection: string;
      readonly record: RecordName;
      readonly ifMatch: number | undefined;
      /** The member that says how: pointers of its faults lead into it. */
      readonly member: string;
      readonly change: (fields: Fields, idOf: IdOf) => unknown;
    }
  | {
      readonly op: 'delete';
      readonly collection: string;
      readonly record: RecordName;
      readonly ifMatch: number | undefined;
    }
  | { readonly op: 'check'; readonly collection: string; readonly record: RecordName; readonly ifMatch: number };

/** The member of an operation that the pointers of its faults lead into. */
export function memberOf(operation: Operation): string {
  if (operation.op === 'create') return 'fields';
  return operation.op === 'update' ? operation.member : '';
}
