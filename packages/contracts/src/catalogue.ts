import { accountCreated, accountDeleted, accountUpdated } from './auth/account.ts';
import { auditRead, auditSealed } from './auth/audit.ts';
import { reservationExpired } from './auth/email-reservation.ts';
import {
  erasureAdvanced,
  erasureCompleted,
  erasureRequested,
  erasureSettled,
  erasureStalled,
  erasureUnanswered,
  tokensExpired,
} from './auth/erasure.ts';
import { factorAdded, factorRemoved, factorUpdated, factorUsed } from './auth/factor.ts';
import { guardCleared, guardDeleted, guardFailed, guardLocked } from './auth/guard.ts';
import { keyringChanged } from './auth/keyring.ts';
import { mailDeferred, mailDeleted, mailDue, mailFailed, mailQueued, mailSent, mailWithdrawn } from './auth/mail.ts';
import { proofDeleted, proofMatched, proofRequested, proofUsed, proofWithdrawn } from './auth/proof.ts';
import {
  sessionDeleted,
  sessionEnded,
  sessionReauthenticated,
  sessionRefreshed,
  sessionStarted,
} from './auth/session.ts';
import { collectionCreated, collectionDeleted, collectionUpdated } from './data/collection.ts';
import { migrationBegun, migrationEnded, migrationProgressed } from './data/migration.ts';
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
  sessionReauthenticated,
  sessionEnded,
  sessionDeleted,
  erasureRequested,
  erasureSettled,
  erasureAdvanced,
  erasureStalled,
  erasureCompleted,
  tokensExpired,
  erasureUnanswered,
  proofRequested,
  proofMatched,
  proofUsed,
  proofWithdrawn,
  proofDeleted,
  mailQueued,
  mailDeferred,
  mailSent,
  mailFailed,
  mailWithdrawn,
  mailDeleted,
  mailDue,
  reservationExpired,
  factorAdded,
  factorUsed,
  factorUpdated,
  factorRemoved,
  guardFailed,
  guardLocked,
  guardCleared,
  guardDeleted,
  keyringChanged,
  auditSealed,
  auditRead,
  profileCreated,
  profileUpdated,
  profileDeleted,
  collectionCreated,
  collectionUpdated,
  collectionDeleted,
  recordCreated,
  recordUpdated,
  recordDeleted,
  migrationBegun,
  migrationProgressed,
  migrationEnded,
  ...services.flatMap((service): EventContract[] => [
    ...Object.values(operationsOf(service)),
    ...Object.values(removalOf(service)),
  ]),
];
