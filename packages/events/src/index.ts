export { followHandlers } from './consumer/handler-registry.ts';
export { UnreadableHandler } from './consumer/registered-handler.ts';
export type { HandlerRegistry, RegisteredHandler } from './consumer/handler-registry.ts';
export { onEvent } from './consumer/handler.ts';
export type {
  Acknowledgement,
  BatchContext,
  ExternalContext,
  Handler,
  HandlerContext,
  HandlerOrder,
  HandlerStart,
  Projected,
  TransactionContext,
} from './consumer/handler.ts';
export type { HandledStatus, HandlingError } from './consumer/inbox.ts';
export { createEvents } from './create-events.ts';
export type { CollectionOptions, Events, EventsOptions, EventsReadiness } from './events.ts';
export type { Effect } from './effects/effects.ts';
export { binaryHeaders, fromBinary, toBinary } from './envelope/binary-mode.ts';
export { redactPerson } from './erasure/redact-person.ts';
export { removalHandlers, removalMarkers } from './erasure/removal.ts';
export type { RemovalPart, RemovalStep, RemovedPart } from './erasure/removal.ts';
export type { RemovalCounts, RemovalDocument } from './erasure/removal.model.ts';
export type { Persons } from './erasure/persons.ts';
export type { PrincipalOptions, Redacted, Redaction, SubjectsOptions } from './erasure/redaction.ts';
export { canonicalJson } from './idempotency/canonical-json.ts';
export { createIdempotency } from './idempotency/idempotency.ts';
export type { Idempotency, IdempotencyOptions } from './idempotency/idempotency.ts';
export type { IdempotentRequest } from './idempotency/answer-seal.ts';
export { parseIdempotencyKey } from './idempotency/idempotency-key.ts';
export { idempotencyFaults } from './idempotency/idempotency.errors.ts';
export { createKafka } from './kafka/create-kafka.ts';
export type { KafkaDriver, KafkaPort } from './kafka/port.ts';
export type { LoggedEvent } from './log/event-log.ts';
export type { ExtentQuestion, LogExtent } from './log/log-extent.ts';
export type { PlacedEvent, ProducerLog, ProducerLogs } from './log/producer-log.ts';
export type { Annotation } from './recording/annotate.ts';
export { createLeasedWork } from './operations/leased-work.ts';
export type { LeasedWork, Order } from './operations/leased-work.ts';
export { DuplicateKey, RefusedWrite, RevisionMismatch } from './recording/errors.ts';
export type { EventGroup } from './recording/event-group.ts';
export { isHeldUp } from './recording/held-up.ts';
export { Contended, OutOfTime } from './recording/out-of-time.ts';
export type { RecordedCollection } from './recording/recorded-collection.ts';
export type {
  ChangeOptions,
  Creation,
  Decision,
  DeleteOptions,
  IfMatch,
  PlannedWrite,
  RecordedUpdate,
  RecordedWrite,
  UpdateOptions,
  WriteManyOptions,
  WriteOptions,
} from './recording/recorded-writes.ts';
export { faultOfError } from './recording/fault-of-error.ts';
export { gatherReads } from './recording/gather-reads.ts';
export { together } from './recording/together.ts';
export type { Outcome } from './recording/together.ts';
export { draft, stateOf } from './recording/recorded-document.ts';
export type { Beside, EventDraft, RecordedDocument, StateOf } from './recording/recorded-document.ts';
export { redriveFaults } from './redrive/redrive.errors.ts';
export type { ParkedEvent } from './redrive/parked-events.ts';
export type { Redrive } from './redrive/redrives.ts';
export { rebuildFaults } from './rebuild/rebuild.errors.ts';
export type { Rebuild } from './rebuild/rebuilds.ts';
export { replayFaults } from './replay/replay.errors.ts';
export type { Replay, ReplayExtent } from './replay/replays.ts';
export { slotOf } from './relay/slot.ts';
export { defineSaga } from './saga/saga.ts';
export type {
  Saga,
  SagaDeclaration,
  SagaDecision,
  SagaDocument,
  SagaState,
  SagaStep,
  SagaSteps,
  SagaTimeout,
} from './saga/saga.ts';
export { followRevocations } from './sessions/follow-revocations.ts';
export type { RevocationFollower, FollowOptions } from './sessions/follow-revocations.ts';
export { HistoryLost } from './stream/commit-stream.ts';
export { clusterTimeOf, formatPosition, laterOf, parseAfter } from './stream/position.ts';
export { readAfter, readAfterTimeoutMs } from './stream/read-after.ts';
export type { ReadAfterOptions } from './stream/read-after.ts';
export type { Change } from './stream/change.ts';
export type { CommitStream } from './stream/commit-stream.ts';
export { createSettled } from './stream/settled.ts';
export type { Settled, SettledOptions } from './stream/settled.ts';
export { serverTime } from './timers/server-time.ts';
export type { ScheduledTimer, ScheduleRequest, TimerSchedule } from './timers/schedule-timers.ts';
export type { TimerOf, TimerReport } from './timers/timer-of.ts';
export { timerFaults } from './timers/timer.errors.ts';
