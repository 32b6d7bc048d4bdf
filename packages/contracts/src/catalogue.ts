import { accountCreated, accountUpdated } from './auth/account.ts';
import { sessionEnded, sessionRefreshed, sessionStarted } from './auth/session.ts';
import { collectionCreated, collectionDeleted, collectionUpdated } from './data/collection.ts';
import { recordCreated, recordDeleted, recordUpdated } from './data/record.ts';
import type { EventContract } from './event-contract.ts';
import { operationsOf } from './operations.ts';
import { services } from './topics.ts';
import { profileCreated, profileUpdated } from './user/profile.ts';

/** Every event that Causeway's own services record. */
export const catalogue: readonly EventContract[] = [
  accountCreated,
  accountUpdated,
  sessionStarted,
  sessionRefreshed,
  sessionEnded,
  profileCreated,
  profileUpdated,
  collectionCreated,
  collectionUpdated,
  collectionDeleted,
  recordCreated,
  recordUpdated,
  recordDeleted,
  ...services.flatMap((service): EventContract[] => Object.values(operationsOf(service))),
];
