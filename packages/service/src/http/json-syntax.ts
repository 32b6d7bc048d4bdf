// Where a text stops being JSON (RFC 8259). JSON.parse decides whether it is; its messages name no place and quote the
// text, which may hold a password.
/* eslint-disable no-control-regex -- RFC 8259 §7: control characters must be escaped, so the grammar names them */
const blank = /[ \t\n\r]*/y;
const scalar =
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const name = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"[ \t\n\r]*:/y;

const skip = (pattern: RegExp, text: string, at: number): number => {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at;
};

type Expecting = 'value' | 'first-value' | 'name' | 'first-name' | 'after';

/** One step: what stands at `at` is consumed, or the error is here. */
const step = (
  text: string,
  at: number,
  expecting: Expecting,
  open: string[],
): { readonly at: number; readonly next: Expecting } | undefined => {
  const character = text[at];
  const closes = expecting === 'after' || expecting === 'first-value' || expecting === 'first-name';
  if (closes && character !== undefined && character === open.at(-1)) {
    open.pop();
    return { at: at + 1, next: 'after' };
  }
  if (expecting === 'after') {
    if (character !== ',' || open.length === 0) return undefined;
    return { at: at + 1, next: open.at(-1) === '}' ? 'name' : 'value' };
  }
  if (expecting === 'name' || expecting === 'first-name') {
    const after = skip(name, text, at);
    return after === at ? undefined : { at: after, next: 'value' };
  }
  if (character === '{' || character === '[') {
    open.push(character === '{' ? '}' : ']');
    return { at: at + 1, next: character === '{' ? 'first-name' : 'first-value' };
  }
  const after = skip(scalar, text, at);
  return after === at ? undefined : { at: after, next: 'after' };
};

/** A place in a text, counted from 1. */
export interface TextPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Finds the place at which a text stops being JSON.
 *
 * @param text - one that `JSON.parse` refuses
 */
export const findJsonError = (text: string): TextPosition => {
  const open: string[] = [];
  let at = skip(blank, text, 0);
  let expecting: Expecting = 'value';
  while (at < text.length) {
    const done = step(text, at, expecting, open);
    if (done === undefined) break;
    expecting = done.next;
    at = skip(blank, text, done.at);
  }
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
};
