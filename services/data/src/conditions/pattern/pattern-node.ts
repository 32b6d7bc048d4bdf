import type { CharSet } from './char-set.ts';
import { union } from './char-set.ts';

/** A place that an assertion demands. */
export type Place = 'text-start' | 'text-end' | 'line-start' | 'line-end' | 'word-edge' | 'no-word-edge';

/** A regular expression, with options applied and groups dissolved. */
export type PatternNode =
  | { readonly kind: 'chars'; readonly set: CharSet }
  | { readonly kind: 'place'; readonly place: Place }
  | { readonly kind: 'sequence' | 'choice'; readonly parts: readonly PatternNode[] }
  | { readonly kind: 'repeat'; readonly body: PatternNode; readonly min: number; readonly max: number };

/** The repetition of something. */
export type Repeat = PatternNode & { readonly kind: 'repeat' };

/** One after the other; a sequence within a sequence is part of it. */
export function sequenceOf(parts: readonly PatternNode[]): PatternNode & { readonly kind: 'sequence' } {
  return { kind: 'sequence', parts: parts.flatMap((part) => (part.kind === 'sequence' ? part.parts : [part])) };
}

/** Whether the node can match the empty string. */
export function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'chars':
      return false;
    case 'place':
      return true;
    case 'sequence':
      return node.parts.every(isNullable);
    case 'choice':
      return node.parts.some(isNullable);
    case 'repeat':
      return node.min === 0 || isNullable(node.body);
  }
}

/** The characters with which a match of the node can begin. */
export function firstChars(node: PatternNode): CharSet {
  switch (node.kind) {
    case 'chars':
      return node.set;
    case 'place':
      return [];
    case 'choice':
      return union(...node.parts.map(firstChars));
    case 'repeat':
      return firstChars(node.body);
    case 'sequence': {
      const solid = node.parts.findIndex((part) => !isNullable(part));
      return union(...node.parts.slice(0, solid === -1 ? undefined : solid + 1).map(firstChars));
    }
  }
}

/** All characters that a match of the node can hold. */
export function allChars(node: PatternNode): CharSet {
  switch (node.kind) {
    case 'chars':
      return node.set;
    case 'place':
      return [];
    case 'sequence':
    case 'choice':
      return union(...node.parts.map(allChars));
    case 'repeat':
      return allChars(node.body);
  }
}

/** The repetitions without an end in a node, outermost first. */
export function openRepeats(node: PatternNode): Repeat[] {
  switch (node.kind) {
    case 'chars':
    case 'place':
      return [];
    case 'sequence':
    case 'choice':
      return node.parts.flatMap(openRepeats);
    case 'repeat':
      return [...(node.max === Infinity ? [node] : []), ...openRepeats(node.body)];
  }
}
