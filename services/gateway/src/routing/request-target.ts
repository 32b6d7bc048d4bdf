import { faults } from '@causeway/contracts';

// What one side may read as another path than the other: dot segments (RFC 3986 §5.2.4), empty ones, backslashes, slashes and
// NUL in disguise. No path of ours has any of them.
const ambiguous = /\\|\/\/|\/(?:\.|%2e){1,2}(?=\/|$)|%(?:2f|5c|00)/i;

/** Characters that no request target holds (RFC 9112 §3.2): a fragment, or what a parser may take for another line. */
const forbidden = /[^\x21-\x7e]|#/;

/**
 * The path of a request, safe to be routed by: what the gateway routes is what the service will read.
 *
 * @param target - as it stands in the request line
 * @returns the raw path, without the query
 * @throws Fault `invalid-request` where the path is not in origin form, or could be read in two ways
 */
export const pathOfTarget = (target: string): string => {
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  if (!path.startsWith('/') || ambiguous.test(path) || forbidden.test(target)) {
    throw faults.invalidRequest({
      detail:
        'The path of the request is not in its plain form. Send it as it is meant, without `.` and `..`, empty segments, backslashes, and encoded `/`, `\\` or NUL.',
    });
  }
  return path;
};
