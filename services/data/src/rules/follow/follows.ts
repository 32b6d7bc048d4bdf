import { followedIn } from '../../conditions/bind-condition.ts';
import type { FollowOperand } from '../../conditions/condition.ts';
import { fieldsKey } from '../../conditions/field-path.ts';
import type { LocatedFault, Parsed } from '../../conditions/located-fault.ts';
import type { DeclaredField } from '../../fields/declared-field.ts';
import { ownCollection } from '../../fields/declared-field.ts';
import type { Rule, Rules } from '../rule.ts';

/** A reference that a rule follows to the records of another collection, or of its own. */
export interface FollowedReference {
  readonly operand: FollowOperand;
  /** Where the reference stands, below a record's `fields`. */
  readonly segments: readonly string[];
  /** The id of the collection that it leads to, or `ownCollection`. */
  readonly target: string;
}

/** The references that the rules of a collection follow. */
export interface Follows {
  /** By the rule for reading. */
  readonly read: readonly FollowedReference[];
  /** By all of them. */
  readonly all: readonly FollowedReference[];
}

/** Each of them is a question to MongoDB beside every call. */
const mostFollows = 10;

/**
 * Finds the references that rules follow.
 *
 * @param fields - what the definition says of fields
 * @param pointer - where the rules stand, for the faults
 * @returns faults where something is followed that is no reference, or too much is
 */
export function followsOf(rules: Rules, fields: readonly DeclaredField[], pointer: string): Parsed<Follows> {
  const faults: LocatedFault[] = [];
  const find = (...from: readonly Rule[]): readonly FollowedReference[] =>
    [...new Set(from)].flatMap(operandsIn).flatMap((operand): FollowedReference[] => {
      const declared = fields.find(({ segments }) => isAt(operand, segments));
      if (declared?.reference !== undefined) {
        return [{ operand, segments: declared.segments, target: declared.reference.collection }];
      }
      const message = 'Follow a field that `fields` declares as a `reference`.';
      faults.push({ pointer: operand.pointer, code: 'not-a-reference', message });
      return [];
    });
  const { read, create, update, delete: remove } = rules;
  const follows = { read: find(read), writes: find(create, update.before, update.after, remove) };
  const all = [...follows.read, ...follows.writes];
  if (all.length > mostFollows) {
    faults.push({ pointer, code: 'too-many-follows', message: `Follow at most ${mostFollows} references.` });
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: { read: follows.read, all } };
}

const operandsIn = (rule: Rule): readonly FollowOperand[] =>
  rule.kind === 'alternatives' ? rule.alternatives.flatMap(followedIn) : [];

const isAt = ({ path }: FollowOperand, segments: readonly string[]): boolean =>
  path.segments.length === segments.length + 1 &&
  path.segments.every((segment, at) => segment === (at === 0 ? fieldsKey : segments[at - 1]));

/** The id of the collection that a reference leads to. */
export const targetOf = ({ target }: FollowedReference, { id }: { readonly id: string }): string =>
  target === ownCollection ? id : target;
