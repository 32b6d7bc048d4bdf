import { isDeepStrictEqual } from 'node:util';

import { faults } from '@causeway/contracts';
import { z } from 'zod';

import { maxRecordBytes } from './judge-record.ts';
import { patchFailed } from './records.errors.ts';

/** The media type of {@link applyJsonPatch}. */
export const jsonPatchType = 'application/json-patch+json';

const maxOperations = 200;
const pointer = z
  .string()
  .max(1_024)
  .regex(/^(?:\/(?:[^~/]|~[01])*)*$/);
// RFC 6902 §4: members that an operation does not define are ignored.
const value = z.unknown().refine((given) => given !== undefined, 'This is required.');

/** A JSON Patch document (RFC 6902 §3). */
export const jsonPatch = z
  .array(
    z.discriminatedUnion('op', [
      z.object({ op: z.literal('add'), path: pointer, value }),
      z.object({ op: z.literal('replace'), path: pointer, value }),
      z.object({ op: z.literal('test'), path: pointer, value }),
      z.object({ op: z.literal('remove'), path: pointer }),
      z.object({ op: z.literal('move'), path: pointer, from: pointer }),
      z.object({ op: z.literal('copy'), path: pointer, from: pointer }),
    ]),
  )
  .max(maxOperations);

/** One operation of a JSON Patch. */
type Operation = z.output<typeof jsonPatch>[number];

/** A container and the place in it that a pointer names. */
interface Place {
  readonly container: unknown;
  readonly token: string;
}

/**
 * Applies a JSON Patch, all of it or nothing.
 *
 * @param target - not changed
 * @param operations - at most 200
 * @throws Fault `patch-failed` naming the operation that does not fit; `payload-too-large` where it copies more than a record
 *   may hold, whether it grows by that or not
 */
export function applyJsonPatch(target: unknown, operations: readonly Operation[]): unknown {
  let document = structuredClone(target);
  let copiedBytes = 0;
  for (const [index, operation] of operations.entries()) {
    const failed = (reason: string): Error =>
      patchFailed({ errors: [{ pointer: `/${index}`, code: 'does-not-fit', message: reason }] });
    if (operation.op === 'copy') {
      // Copies of copies double with each operation.
      copiedBytes += Buffer.byteLength(JSON.stringify(read(document, tokensOf(operation.from), failed)));
      if (copiedBytes > maxRecordBytes) throw faults.payloadTooLarge({ extensions: { limitBytes: maxRecordBytes } });
    }
    document = apply(document, operation, failed);
  }
  return document;
}

function apply(document: unknown, operation: Operation, failed: (reason: string) => Error): unknown {
  const path = tokensOf(operation.path);
  switch (operation.op) {
    case 'add':
      return add(document, path, structuredClone(operation.value), failed);
    case 'remove':
      return remove(document, path, failed).document;
    case 'replace':
      return replace(document, path, structuredClone(operation.value), failed);
    case 'copy':
      return add(document, path, structuredClone(read(document, tokensOf(operation.from), failed)), failed);
    case 'move': {
      if (operation.path.startsWith(`${operation.from}/`)) throw failed('A value cannot be moved into itself.');
      const { document: rest, removed } = remove(document, tokensOf(operation.from), failed);
      return add(rest, path, removed, failed);
    }
    case 'test':
      if (isDeepStrictEqual(read(document, path, failed), operation.value)) return document;
      throw failed('The value there is another one.');
  }
}

const tokensOf = (text: string): string[] =>
  text
    .split('/')
    .slice(1)
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));

function read(document: unknown, path: readonly string[], failed: (reason: string) => Error): unknown {
  let current = document;
  for (const token of path) current = memberOf({ container: current, token }, failed);
  return current;
}

/** The value at a place; an array takes indexes without leading zeros (RFC 6901 §4). */
function memberOf({ container, token }: Place, failed: (reason: string) => Error): unknown {
  if (Array.isArray(container)) return container[indexOf(token, container.length - 1, failed)] as unknown;
  if (typeof container === 'object' && container !== null && Object.hasOwn(container, token)) {
    return (container as Readonly<Record<string, unknown>>)[token];
  }
  throw failed('There is nothing at this place.');
}

function indexOf(token: string, last: number, failed: (reason: string) => Error): number {
  const index = /^(?:0|[1-9]\d*)$/.test(token) ? Number(token) : Infinity;
  if (index > last) throw failed('The list has no such place.');
  return index;
}

function add(document: unknown, path: readonly string[], added: unknown, failed: (reason: string) => Error): unknown {
  const token = path.at(-1);
  if (token === undefined) return added;
  const container = read(document, path.slice(0, -1), failed);
  if (Array.isArray(container)) {
    const at = token === '-' ? container.length : indexOf(token, container.length, failed);
    container.splice(at, 0, added);
  } else if (typeof container === 'object' && container !== null && token !== '__proto__') {
    (container as Record<string, unknown>)[token] = added;
  } else {
    throw failed('There is nothing at this place that could hold a value.');
  }
  return document;
}

/** In place, so that an object's members keep their order. */
function replace(
  document: unknown,
  path: readonly string[],
  value: unknown,
  failed: (reason: string) => Error,
): unknown {
  const token = path.at(-1);
  if (token === undefined) return value;
  const container = read(document, path.slice(0, -1), failed);
  memberOf({ container, token }, failed);
  (container as Record<string, unknown>)[token] = value;
  return document;
}

function remove(
  document: unknown,
  path: readonly string[],
  failed: (reason: string) => Error,
): { readonly document: unknown; readonly removed: unknown } {
  const token = path.at(-1);
  if (token === undefined) return { document: null, removed: document };
  const container = read(document, path.slice(0, -1), failed);
  const removed = memberOf({ container, token }, failed);
  if (Array.isArray(container)) container.splice(Number(token), 1);
  else Reflect.deleteProperty(container as object, token);
  return { document, removed };
}
