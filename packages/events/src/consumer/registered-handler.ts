/** A handler as the topic `causeway.handlers` tells of it. */
export interface RegisteredHandler {
  readonly service: string;
  readonly handler: string;
  /** Of a service that is newer than whoever reads it, one that this does not know. */
  readonly kind: string;
  readonly types: readonly string[];
  /** ISO 8601, in UTC: it is answerable for events recorded from then on. */
  readonly since: string;
  /** By type, the same of types that it was given later. */
  readonly later?: Readonly<Record<string, string>>;
}

/** A record of the topic of handlers that tells of none: somebody else has written it. */
export class UnreadableHandler extends Error {
  override readonly name = 'UnreadableHandler';
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** As `Date.toISOString` writes it: such times are compared as texts. */
const isTime = (value: unknown): value is string =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Reads an entry where it has arrived: whoever can write to the topic can write anything.
 *
 * @param key - of the record: service and handler
 * @returns undefined where it is none
 */
export const readEntry = (key: string, value: Uint8Array): RegisteredHandler | undefined => {
  let entry: unknown;
  try {
    entry = JSON.parse(Buffer.from(value).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isRecord(entry)) return undefined;
  const { service, handler, kind, types, since, later = {} } = entry;
  if (!isText(service) || !isText(handler) || `${service}/${handler}` !== key) return undefined;
  if (!isText(kind) || !isTime(since) || !Array.isArray(types) || !types.every(isText)) return undefined;
  if (!isRecord(later) || !Object.values(later).every(isTime)) return undefined;
  return entry as unknown as RegisteredHandler;
};
