import { faults } from '@causeway/contracts';

const malformed = (message: string) =>
  faults.invalidRequest({ detail: message, errors: [{ parameter: '', code: 'malformed', message }] });

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed('The query holds a malformed percent-encoding.');
  }
};

/** Most parameters that a query may have. */
const mostParameters = 100;

/**
 * The parameters of a URL's query: a string, or a list where a name is repeated. Never nested, whatever the brackets.
 *
 * @param url - path and query
 * @throws Fault `invalid-request` for malformed percent-encoding
 */
export const parseQuery = (url: string): Record<string, string | string[]> => {
  const result = Object.create(null) as Record<string, string | string[]>;
  const start = url.indexOf('?');
  if (start === -1 || start === url.length - 1) return result;
  const pairs = url.slice(start + 1).split('&');
  if (pairs.length > mostParameters) throw malformed(`A query may have at most ${mostParameters} parameters.`);
  for (const pair of pairs) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = equals === -1 ? '' : decode(pair.slice(equals + 1));
    const before = result[name];
    if (before === undefined) result[name] = value;
    else result[name] = Array.isArray(before) ? [...before, value] : [before, value];
  }
  return result;
};
