import type { FaultLocation } from '@causeway/contracts';

/** One thing that is wrong with what a client sent, at a JSON pointer (RFC 6901) within what was parsed. */
export type LocatedFault = FaultLocation & { readonly pointer: string };

/** What a parser gives: the value, or all that is wrong with it. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: LocatedFault[] };

/**
 * Appends one reference token to a JSON pointer, escaped by RFC 6901 §3.
 *
 * @param pointer - The pointer to the parent, `""` for the whole document.
 * @param token - A member's name or an element's index.
 */
export function pointerTo(pointer: string, token: string | number): string {
  return `${pointer}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
