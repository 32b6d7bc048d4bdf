export { accountCreated, accountDeleted, accountRole, accountUpdated } from './auth/account.ts';
export { auditRead, auditSealed } from './auth/audit.ts';
export { reservationExpired } from './auth/email-reservation.ts';
export {
  erasureAdvanced,
  erasureCompleted,
  erasureRequested,
  erasureSettled,
  erasureStalled,
  erasureUnanswered,
  tokensExpired,
} from './auth/erasure.ts';
export { factorAdded, factorRemoved, factorUpdated, factorUsed } from './auth/factor.ts';
export { guardCleared, guardDeleted, guardFailed, guardLocked } from './auth/guard.ts';
export { keyringChanged } from './auth/keyring.ts';
export { mailDeferred, mailDeleted, mailDue, mailFailed, mailQueued, mailSent, mailWithdrawn } from './auth/mail.ts';
export { proofDeleted, proofMatched, proofRequested, proofUsed, proofWithdrawn } from './auth/proof.ts';
export {
  sessionDeleted,
  sessionEnded,
  sessionReauthenticated,
  sessionRefreshed,
  sessionStarted,
} from './auth/session.ts';
export { catalogue } from './catalogue.ts';
export { collectionCreated, collectionDeleted, collectionUpdated } from './data/collection.ts';
export { migrationBegun, migrationEnded, migrationProgressed } from './data/migration.ts';
export { recordCreated, recordDeleted, recordUpdated } from './data/record.ts';
export { fromSequence, sequenceDigits, toSequence } from './envelope.ts';
export type { Cause, EventEnvelope, Principal } from './envelope.ts';
export { checkRead } from './check-read.ts';
export { checkRecorded } from './check-recorded.ts';
export { ContractViolation } from './contract-violation.ts';
export { defineEvent, eventVersion, schemaUrn, versionsOf } from './event-contract.ts';
export type {
  DataOf,
  EventAttributes,
  EventContract,
  EventData,
  EventOf,
  EventVersion,
  ReadEvent,
} from './event-contract.ts';
export { Fault, defineFault, faultCategories, faults } from './fault.ts';
export type { FaultCategory, FaultDeclaration, FaultFactory, FaultLocation, FaultOptions } from './fault.ts';
export { jsonPointer } from './json-pointer.ts';
export { derivedId, isId, newEventId, newId } from './id.ts';
export type { IdPrefix } from './id.ts';
export { operationsOf, redriveScope } from './operations.ts';
export { isRedacted, redactedSchema } from './redaction.ts';
export type { RedactedData } from './redaction.ts';
export { removalOf } from './removal.ts';
export {
  eventGoneAfterMs,
  eventRetentionMs,
  eventSegmentMs,
  handlersTopic,
  serviceOf,
  services,
  topicOf,
} from './topics.ts';
export type { ServiceName } from './topics.ts';
export { profileCreated, profileDeleted, profileUpdated } from './user/profile.ts';
