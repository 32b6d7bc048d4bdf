import type { RecordedDocument } from '@causeway/events';
import type { Db } from 'mongodb';

import type { CollectionKeys } from '../encryption/field-keys.ts';
import type { SchemaObject } from './walk-schema.ts';

/** How a field stands in an index: rising, falling, by its words, or by its place on the globe. */
export type KeyKind = 1 | -1 | 'text' | '2dsphere';

/** An index as an administrator defines it. */
export interface IndexDefinition {
  /** By the dotted paths of fields. */
  readonly keys: Readonly<Record<string, KeyKind>>;
  readonly unique?: boolean | undefined;
  /** The filter that a record has to meet to be in the index. As sent: `parsePartialFilter` has accepted it. */
  readonly where?: Readonly<Record<string, unknown>>;
  /** How much more a word counts in one field of a text index than in another; 1 where nothing is said. */
  readonly weights?: Readonly<Record<string, number>>;
  /** By whose rules words are cut to their stems and left out; absent means that they are taken as they are. */
  readonly language?: string;
}

/** What becomes of somebody's records when they are erased. */
export type OnErase = 'keep' | 'delete';

/** Whether queries may look at all records of a large collection. */
export type Scans = 'refuse' | 'allow';

/** What an administrator says about a collection. */
export interface Definition {
  readonly schema: SchemaObject;
  readonly indexes: readonly IndexDefinition[];
  /** As sent: `parseRules` has accepted it. */
  readonly rules: Readonly<Record<string, unknown>>;
  /** By a field's dotted path. As sent: `parseFields` has accepted it. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** The ids of the other collections that its `fields` refer to: found by whoever deletes there. */
  readonly refersTo?: readonly string[];
  /** The field that holds the time until which a record is kept; absent where records stay. */
  readonly expiry?: { readonly field: string };
  /** Absent means `keep`: the record stays, and no longer says whose it was. */
  readonly onErase?: 'delete';
  /** Absent means `refuse`: a large collection answers what an index serves. */
  readonly scans?: 'allow';
}

/** A definition as it is stored; its `_id` (`col_…`) names the records' collection, so that the name may be used anew. */
export interface DefinitionDocument extends RecordedDocument {
  readonly name: string;
  readonly definition: Definition;
  /** Of what is stored encrypted; kept once there are some, for feeds may go back to what was sealed with them. */
  readonly keys?: CollectionKeys;
  /** The revision since which it decides as it does what of records is shown to whom; absent where that has not changed since this is kept. */
  readonly readSince?: number;
}

/** What a change of a definition is at: it looks at the records, builds an index, or looks for what records refer to. */
export type ChangeStep = 'records' | 'indexes' | 'references' | 'expiry';

/** How far a change of a definition is. */
export interface ChangeProgress {
  /** What tells the wanted definition from others: who sends the same one joins the change. */
  readonly wanted: string;
  readonly since: Date;
  readonly step: ChangeStep;
  /** Records that have been looked at in this step, of about how many; absent where MongoDB counts itself. */
  readonly checked?: number;
  readonly of?: number;
  /** The index that is being built. */
  readonly index?: IndexDefinition;
}

/** What became of the change before: the definition is that one, records break it, its process is gone, or it failed otherwise. */
export type ChangeOutcome = 'applied' | 'refused' | 'abandoned' | 'failed';

/** How the last change of a definition has ended. */
export interface LastChange {
  /** Whose it was: who had joined it finds its end by this. */
  readonly owner: string;
  readonly at: Date;
  readonly outcome: ChangeOutcome;
  /** Of one that was refused: what the call was answered. */
  readonly detail?: string;
  readonly examples?: readonly unknown[];
  /** Of one that came about. */
  readonly eventId?: string;
}

/**
 * Who is changing a definition, and what writers have to know meanwhile. Written plainly: it is no record, and nobody is
 * told of it but the writers, whom the records' validator sends here.
 */
export interface DefinitionChange {
  /** The definition's id. */
  readonly _id: string;
  /** What the records' validator demands of `def`; rises with each change that is begun. */
  readonly def: number;
  /** The change that is under way. */
  readonly owner?: string;
  /** When the owner counts as gone; it moves this on while it works. */
  readonly until?: Date;
  /** What every write has to keep to as well, while it is being checked against the records. */
  readonly pending?: Definition;
  /** The records are being deleted: no write is taken. */
  readonly removing?: boolean;
  /** How far it is, for whoever asks. */
  readonly progress?: ChangeProgress;
  readonly last?: LastChange;
  /** Raised by definitions that refer to this one, so that none of them is committed beside its removal. */
  readonly refs?: number;
}

/** The collection of {@link DefinitionDocument}s. */
export const definitionsCollection = 'collections';

/** The collection of {@link DefinitionChange}s. */
export const changesCollection = 'definition_changes';

/** The MongoDB collection that holds the records of a definition. */
export const recordsCollection = (definitionId: string): string => `records_${definitionId}`;

/** The definition whose records a MongoDB collection holds, if it holds any. */
export const definitionIdOf = (collection: string): string | undefined =>
  collection.startsWith('records_') ? collection.slice('records_'.length) : undefined;

/** Makes the indexes of the definitions. */
export async function ensureDefinitionIndexes(db: Db): Promise<void> {
  await db.collection(definitionsCollection).createIndexes([
    { key: { name: 1 }, unique: true },
    { key: { 'definition.refersTo': 1 }, sparse: true },
  ]);
  await db.collection(changesCollection).createIndexes([{ key: { 'pending.refersTo': 1 }, sparse: true }]);
}
