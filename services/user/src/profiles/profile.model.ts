/* eslint-disable @typescript-eslint/no-unsafe-class-instance-assignment -- Mongoose types the options of a path as a class, and takes plain objects */
import { readAfter, readAfterTimeoutMs } from '@causeway/events';
import type { RecordedDocument } from '@causeway/events';
import type { Timestamp } from 'mongodb';
import { Schema } from 'mongoose';
import type { Connection } from 'mongoose';

/** Settings that clients keep for a person; their meaning is the clients'. */
export type Preferences = Readonly<Record<string, unknown>>;

/** What a person says about themselves. The `_id` is that of their account. */
export interface ProfileDocument extends RecordedDocument {
  readonly name: string;
  /** The account's. */
  readonly email: string;
  readonly avatarUrl?: string;
  readonly bio?: string;
  readonly locale?: string;
  readonly timeZone?: string;
  readonly preferences: Preferences;
}

/** A profile as it is read. */
export type Profile = Omit<ProfileDocument, 'event' | 'outbox'>;

/** The collection's name. */
export const profilesCollection = 'profiles';

const profileSchema = new Schema<ProfileDocument>(
  {
    _id: { type: String, required: true },
    name: { type: String, required: true },
    email: { type: String, required: true },
    avatarUrl: String,
    bio: String,
    locale: String,
    timeZone: String,
    preferences: { type: Schema.Types.Mixed, required: true },
    revision: { type: Number, required: true },
    createdAt: { type: Date, required: true },
    updatedAt: { type: Date, required: true },
  },
  { collection: profilesCollection, autoIndex: false, autoCreate: false, versionKey: false, strictQuery: 'throw' },
);

const fields = ['name', 'email', 'avatarUrl', 'bio', 'locale', 'timeZone', 'preferences', 'revision'];

/** Reads of profiles. Writes go through `@causeway/events`. */
export interface ProfileQueries {
  /** @param after - nothing older is read */
  byId(id: string, after?: Timestamp): Promise<Profile | undefined>;
}

/** @param connection - to this service's database */
export function profileQueries(connection: Connection): ProfileQueries {
  const model = connection.model('Profile', profileSchema);
  return {
    byId: async (id, after) =>
      (await readAfter(connection.getClient(), after, (options) =>
        model
          .findById(id)
          .select([...fields, 'createdAt', 'updatedAt'])
          .setOptions(options)
          .maxTimeMS(readAfterTimeoutMs)
          .lean<Profile>()
          .exec(),
      )) ?? undefined,
  };
}
