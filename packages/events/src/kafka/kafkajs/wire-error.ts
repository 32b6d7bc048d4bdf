import { WireError } from '../wire.ts';

/** Names that kafkajs kept when the protocol's own changed. */
const RENAMED = new Map([
  ['GROUP_LOAD_IN_PROGRESS', 'COORDINATOR_LOAD_IN_PROGRESS'],
  ['GROUP_COORDINATOR_NOT_AVAILABLE', 'COORDINATOR_NOT_AVAILABLE'],
  ['NOT_COORDINATOR_FOR_GROUP', 'NOT_COORDINATOR'],
  ['NOT_LEADER_FOR_PARTITION', 'NOT_LEADER_OR_FOLLOWER'],
]);

/** Between us and the broker, as against what the broker said or the bytes hold. */
const NETWORK_ERRORS = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
  'KafkaJSBrokerNotFound',
  'KafkaJSSASLAuthenticationError',
]);

export function toWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  for (const each of chain(error)) {
    const { name, type, memberId } = each as Error & { type?: unknown; memberId?: unknown };
    if (typeof type === 'string') {
      return new WireError(RENAMED.get(type) ?? type, error, typeof memberId === 'string' ? memberId : undefined);
    }
    if (NETWORK_ERRORS.has(name)) return new WireError('NETWORK', error);
  }
  return new WireError('UNDECODABLE', error);
}

/** The error, what it was caused by, and what it is made of. */
function chain(error: unknown): Error[] {
  if (!(error instanceof Error)) return [];
  const parts: unknown[] = 'errors' in error && Array.isArray(error.errors) ? error.errors : [];
  return [error, ...parts.flatMap(chain), ...chain(error.cause)];
}
