import { faults, type Fault } from '@causeway/contracts';

/** Nothing has reached the service: whatever the call was, it was not carried out. */
const notSent = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);
/** The service took it, and was silent. */
const silent = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
/** The connection ended before an answer had begun. */
const cut = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '');

/**
 * Whether another attempt over another connection may help; the caller sees to it that one does no harm.
 *
 * @param error - of undici, or of a socket
 */
export const isConnectionFailure = (error: Error): boolean => notSent.has(codeOf(error)) || cut.has(codeOf(error));

/**
 * What a caller is told of a service that did not answer.
 *
 * @param error - of undici, or of a socket
 * @returns 503 where nothing was carried out, 504 where the service was silent, 502 for the rest
 */
export const upstreamFault = (error: Error): Fault => {
  const code = codeOf(error);
  const because = { message: `the service did not answer: ${code === '' ? error.name : code}`, cause: error };
  if (notSent.has(code)) return faults.unavailable({ ...because, retryAfterS: 1 });
  if (silent.has(code)) return faults.timeout(because);
  return faults.badGateway({ ...because, retryAfterS: 1 });
};
