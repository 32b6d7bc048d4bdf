/** One thing that is wrong with what a client sent, as an entry of a problem document's `errors[]`. */
export interface Fault {
  /** JSON pointer (RFC 6901) to the faulty value, within what was parsed. */
  readonly pointer: string;
  /** Stable, kebab-case; for programs. */
  readonly code: string;
  /** One sentence that says what to do instead; for people. */
  readonly message: string;
}

/** What a parser gives: the value, or all that is wrong with it. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly faults: Fault[] };

/**
 * Appends one reference token to a JSON pointer, escaped by RFC 6901 §3.
 *
 * @param pointer - The pointer to the parent, `""` for the whole document.
 * @param token - A member's name or an element's index.
 */
export function pointerTo(pointer: string, token: string | number): string {
  return `${pointer}/${String(token).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}
