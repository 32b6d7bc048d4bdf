import type { LocatedFault, Parsed } from './located-fault.ts';
import { isDangerousName } from './plain-value.ts';

/** A dotted path, resolved to where its value stands. */
export interface FieldPath {
  /** As the client wrote it: `name.common`. */
  readonly text: string;
  /** The path in the stored document: `fields.name.common`. */
  readonly storage: string;
  /** `storage`, in parts. */
  readonly segments: readonly string[];
  /** What stands there: `time` for the two times that the service keeps (a BSON date), `json` for everything else. */
  readonly holds: 'json' | 'time';
}

/** Where a path begins: at the stored document, or at an element of an array, inside `$elemMatch`. */
export type PathRoot = 'record' | 'element';

/** What the service itself keeps about a record, and where: nothing but these is reachable beside `fields`. */
const systemFields: ReadonlyMap<string, { storage: string; holds: FieldPath['holds'] }> = new Map([
  ['id', { storage: '_id', holds: 'json' }],
  ['revision', { storage: 'revision', holds: 'json' }],
  ['createdAt', { storage: 'createdAt', holds: 'time' }],
  ['updatedAt', { storage: 'updatedAt', holds: 'time' }],
  ['createdBy', { storage: 'createdBy', holds: 'json' }],
  ['updatedBy', { storage: 'updatedBy', holds: 'json' }],
]);

/**
 * Top-level names that a record's own fields may not have: those of the API, and `outbox`, so that whoever asks for the one
 * that every stored document has is told no instead of nothing.
 */
export const reservedNames: ReadonlySet<string> = new Set([...systemFields.keys(), 'deletedAt', 'outbox']);

/** The key under which a stored document holds the fields that users named. */
export const fieldsKey = 'fields';

const maxSegments = 16;
const maxLength = 256;

/**
 * Resolves a dotted path of a filter, rule or sort.
 *
 * Everything a user names lies under `fields`, so that no path reaches the rest of the stored document; the names of
 * the service's own fields map to theirs and have no parts.
 *
 * @param text - As the client wrote it.
 * @param root - `element` inside `$elemMatch`, where every name is the user's.
 * @param pointer - Where the path stands, for the fault.
 */
export function parseFieldPath(text: string, root: PathRoot, pointer: string): Parsed<FieldPath> {
  const segments = text.split('.');
  const [first = ''] = segments;
  const reason = refuse(text, segments) ?? (root === 'record' ? refuseReserved(first, segments) : undefined);
  if (reason !== undefined) {
    const fault: LocatedFault = { pointer, code: 'invalid-path', message: reason };
    return { ok: false, faults: [fault] };
  }
  if (root === 'element') return { ok: true, value: { text, storage: text, segments, holds: 'json' } };
  const system = systemFields.get(first);
  if (system !== undefined) return { ok: true, value: { text, segments: [system.storage], ...system } };
  return {
    ok: true,
    value: { text, storage: `${fieldsKey}.${text}`, segments: [fieldsKey, ...segments], holds: 'json' },
  };
}

function refuse(text: string, segments: readonly string[]): string | undefined {
  if (text.length > maxLength) return `Use a path of at most ${maxLength} characters.`;
  if (segments.length > maxSegments) return `Use a path of at most ${maxSegments} parts.`;
  if (text.includes('\0') || !text.isWellFormed()) return 'Use a path that is valid text.';
  for (const segment of segments) {
    if (segment === '') return 'Use a dotted path without empty parts, such as `name.common`.';
    if (segment.startsWith('$') || segment.startsWith('_')) {
      return `Use the names of fields: a part of a path does not begin with \`${segment.charAt(0)}\`.`;
    }
    if (isDangerousName(segment)) return `Use the names of fields: \`${segment}\` is not one.`;
  }
  return undefined;
}

function refuseReserved(first: string, segments: readonly string[]): string | undefined {
  if (!reservedNames.has(first)) return undefined;
  if (!systemFields.has(first)) return `Leave \`${first}\` out: the name is reserved.`;
  return segments.length > 1 ? `Use \`${first}\` by itself: it has no parts.` : undefined;
}
