import { accountCreated, accountDeleted, accountUpdated } from './auth/account.ts';
import {
  erasureAdvanced,
  erasureCompleted,
  erasureRequested,
  erasureSettled,
  erasureStalled,
  erasureUnanswered,
  tokensExpired,
} from './auth/erasure.ts';
import { sessionDeleted, sessionEnded, sessionRefreshed, sessionStarted } from './auth/session.ts';
import { collectionCreated, collectionDeleted, collectionUpdated } from './data/collection.ts';
import { recordCreated, recordDeleted, recordUpdated } from './data/record.ts';
import type { EventContract } from './event-contract.ts';
import { operationsOf } from './operations.ts';
import { removalOf } from './removal.ts';
import { services } from './topics.ts';
import { profileCreated, profileDeleted, profileUpdated } from './user/profile.ts';

/** Every event that Causeway's own services record. */
export const catalogue: readonly EventContract[] = [
  accountCreated,
  accountUpdated,
  accountDeleted,
  sessionStarted,
  sessionRefreshed,
  sessionEnded,
  sessionDeleted,
  erasureRequested,
  erasureSettled,
  erasureAdvanced,
  erasureStalled,
  erasureCompleted,
  tokensExpired,
  erasureUnanswered,
  profileCreated,
  profileUpdated,
  profileDeleted,
  collectionCreated,
  collectionUpdated,
  collectionDeleted,
  recordCreated,
  recordUpdated,
  recordDeleted,
  ...services.flatMap((service): EventContract[] => [
    ...Object.values(operationsOf(service)),
    ...Object.values(removalOf(service)),
  ]),
];
