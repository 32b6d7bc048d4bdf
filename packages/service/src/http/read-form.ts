import { isUtf8 } from 'node:buffer';
import { faults, jsonPointer } from '@causeway/contracts';

import { checkJsonLimits } from './json-limits.ts';

/** What a browser sends a form as that works without scripts (URL standard, "application/x-www-form-urlencoded"). */
export const formMediaType = 'application/x-www-form-urlencoded';

/** Largest form: our pages have a handful of short fields. */
export const largestFormBytes = 16_384;

const mostFields = 50;

const malformed = (code: string, message: string, pointer = '') =>
  faults.invalidRequest({ detail: message, errors: [{ pointer, code, message }] });

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    // Of bytes that are no UTF-8 too: another reader could take them for other characters.
    throw malformed('malformed-form', 'The form holds a malformed percent-encoding.');
  }
};

/**
 * Parses a form that a browser sent: every field is one text. A name that comes twice is refused, since two readers could take two
 * values for it.
 *
 * @param bytes - the body
 * @throws Fault `invalid-request` that names the field, never its value
 */
export const parseForm = (bytes: Buffer): Readonly<Record<string, string>> => {
  if (bytes.length > largestFormBytes) {
    throw faults.payloadTooLarge({ detail: `A form may hold at most ${largestFormBytes} bytes.` });
  }
  if (!isUtf8(bytes)) throw malformed('not-utf-8', 'The form is not UTF-8.');
  const pairs = bytes
    .toString('utf8')
    .split('&')
    .filter((pair) => pair !== '');
  if (pairs.length > mostFields) throw malformed('too-many', `A form may have at most ${mostFields} fields.`);
  const fields = Object.create(null) as Record<string, string>;
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (name in fields) throw malformed('repeated', 'This field may be sent once only.', jsonPointer([name]));
    fields[name] = equals === -1 ? '' : decode(pair.slice(equals + 1));
  }
  checkJsonLimits(fields);
  return fields;
};
