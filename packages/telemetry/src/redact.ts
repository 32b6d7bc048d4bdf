/** Keys whose values never reach a log, compared without case, dashes and underscores. */
const secretKeys = new Set(
  [
    'authorization',
    'proxyAuthorization',
    'cookie',
    'setCookie',
    'password',
    'newPassword',
    'currentPassword',
    'passwordHash',
    'passphrase',
    'secret',
    'clientSecret',
    'token',
    'accessToken',
    'refreshToken',
    'idToken',
    'mfaToken',
    'deviceToken',
    'totp',
    'recoveryCode',
    'recoveryCodes',
    'ticket',
    'link',
    'seed',
    'smtpUrl',
    'apiKey',
    'privateKey',
    'causewayInternal',
    'internalKey',
  ].map((each) => each.toLowerCase()),
);

const deepest = 8;
const mostEntries = 100;

/** What stands where a secret was. */
export const redacted = '[redacted]';

const isSecretKey = (key: string): boolean => secretKeys.has(key.replaceAll(/[-_]/g, '').toLowerCase());

/** A `code` of words says what has failed; one of digits lets somebody in. */
const isSecret = (key: string, value: unknown): boolean =>
  isSecretKey(key) || (key.toLowerCase() === 'code' && typeof value === 'string' && /^[\d\s]{6,}$/.test(value));

// A connection string may carry a password; so may the message of the driver that failed to use it.
const credentialsInUrl = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]*@/gi;

// What an authenticator app is set up with (the key URI format of TOTP).
const authenticatorUri = /\botpauth:\/\/[^\s"]+/gi;

// Tokens of ours, which say by their prefix what they are, wherever they stand: in a link, or in the message of whoever failed to send it.
const ownToken = /\bcw[a-z]_[\w-]{16,}/g;

const cleanUrls = (text: string): string =>
  text.replaceAll(credentialsInUrl, `$1${redacted}@`).replaceAll(authenticatorUri, `otpauth://${redacted}`);

const cleanText = (text: string): string =>
  (text.includes('://') ? cleanUrls(text) : text).replaceAll(ownToken, redacted);

const cleanError = (error: Error, depth: number): Record<string, unknown> => {
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (key !== 'stack' && key !== 'message' && key !== 'cause') own[key] = clean(key, value, depth + 1);
  }
  return {
    type: error.name,
    message: cleanText(error.message),
    ...own,
    ...(error.stack !== undefined && { stack: cleanText(error.stack) }),
    ...(error.cause !== undefined && { cause: clean('cause', error.cause, depth + 1) }),
    ...(error instanceof AggregateError && { errors: clean('errors', error.errors, depth + 1) }),
  };
};

const cleanArray = (values: readonly unknown[], depth: number): unknown[] => {
  const kept = values.slice(0, mostEntries).map((each) => clean('', each, depth + 1));
  return values.length > mostEntries ? [...kept, `… ${values.length - mostEntries} more`] : kept;
};

const cleanObject = (value: object, depth: number): unknown => {
  if (depth >= deepest) return '[deeper]';
  if (value instanceof Error) return cleanError(value, depth);
  if (Array.isArray(value)) return cleanArray(value, depth);
  // Before toJSON: a Buffer would write itself out byte by byte.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  // Dates, ids, URLs and other classes know how they want to be written, and nothing of secrets.
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return clean('', (value as { toJSON(): unknown }).toJSON(), depth + 1);
  }
  if (value instanceof Map || value instanceof Set) return `[${value.constructor.name} of ${value.size}]`;
  const result: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value).slice(0, mostEntries)) result[key] = clean(key, each, depth + 1);
  return result;
};

/** What an authenticator answers, `response` elsewhere being no more than an answer. */
const withoutResponse = (passkey: object): object =>
  'response' in passkey ? { ...passkey, response: redacted } : passkey;

const clean = (key: string, value: unknown, depth: number): unknown => {
  if (value === undefined || value === null) return value;
  if (isSecret(key, value)) return redacted;
  switch (typeof value) {
    case 'string':
      return cleanText(value);
    case 'bigint':
      return value.toString();
    case 'object':
      return cleanObject(key === 'passkey' ? withoutResponse(value) : value, depth);
    case 'function':
    case 'symbol':
      return undefined;
    default:
      return value;
  }
};

/**
 * A copy of what is to be logged, without the values of secret keys at any depth, without credentials in URLs, and with
 * errors spelled out down to their causes. Bounded in depth and breadth, so that a log line stays a line.
 *
 * @param bindings - the object given to the logger
 */
export const withoutSecrets = (bindings: object): Record<string, unknown> => {
  const result: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(bindings)) result[key] = clean(key, value, 0);
  return result;
};
