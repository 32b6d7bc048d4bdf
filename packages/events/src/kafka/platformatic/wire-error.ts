import { findErrorBy, GenericError, ResponseError } from '@platformatic/kafka';
import { WireError } from '../wire.ts';

/** The library's error codes of what went wrong between us and the broker, as against what the broker said or the bytes hold. */
const NETWORK_CODES = new Set([
  'PLT_KFK_NETWORK',
  'PLT_KFK_TIMEOUT',
  'PLT_KFK_AUTHENTICATION',
  'PLT_KFK_UNEXPECTED_CORRELATION_ID',
]);

/**
 * @param error - whatever a call of the library has thrown
 * @returns the first protocol error in its tree, else `NETWORK` or `UNDECODABLE`; one that is a `WireError` already, as it is
 */
export function toWireError(error: unknown): WireError {
  if (error instanceof WireError) return error;
  const protocolError = firstProtocolError(error);
  if (protocolError) return new WireError(protocolError.id, error, protocolError.memberId);
  return new WireError(isNetworkError(error) ? 'NETWORK' : 'UNDECODABLE', error);
}

function firstProtocolError(error: unknown): { id: string; memberId: string | undefined } | undefined {
  if (error instanceof AggregateError) {
    for (const each of error.errors) {
      const found = firstProtocolError(each);
      if (found) return found;
    }
  }
  if (!(error instanceof GenericError) || typeof error.apiId !== 'string') return undefined;
  return { id: error.apiId, memberId: typeof error.memberId === 'string' ? error.memberId : undefined };
}

function isNetworkError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ResponseError) return false;
  for (const code of NETWORK_CODES) if (findErrorBy(error, 'code', code)) return true;
  return false;
}
