import type { Atom, Condition, Operand } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';

/** A value that some field of a record has to have. */
export interface Interest {
  /** The path in the stored document. */
  readonly storage: string;
  /** The same, in parts. */
  readonly segments: readonly string[];
  readonly value: string | number | boolean;
}

/** More values than this are not worth an index. */
const mostInterests = 100;

/**
 * What a record must have to meet a condition: one of these at least; none where no record meets it. Null and times are left out, for
 * they are equal to more than themselves.
 *
 * @param isTold - whether changes tell what stands at a path, before and after
 * @returns undefined where it may be met by something else
 */
export function interestsOf(
  condition: Condition<Operand>,
  isTold: (path: FieldPath) => boolean = () => true,
): readonly Interest[] | undefined {
  const found = interestsIn(condition, isTold);
  return found === undefined || found.length > mostInterests ? undefined : found;
}

function interestsIn(
  condition: Condition<Operand>,
  isTold: (path: FieldPath) => boolean,
): readonly Interest[] | undefined {
  switch (condition.kind) {
    case 'and': {
      const found = condition.branches.flatMap((branch) => {
        const own = interestsIn(branch, isTold);
        return own === undefined ? [] : [own];
      });
      // Each branch has to be met: the one with the fewest values will do.
      return found.toSorted((a, b) => a.length - b.length)[0];
    }
    case 'or': {
      const found: Interest[] = [];
      for (const branch of condition.branches) {
        const own = interestsIn(branch, isTold);
        if (own === undefined) return undefined;
        found.push(...own);
      }
      return found;
    }
    case 'field': {
      const { storage, segments } = condition.path;
      if (!isTold(condition.path)) return undefined;
      return valuesIn(condition.atom)?.map((value) => ({ storage, segments, value }));
    }
    case 'nor':
    case 'not':
      return undefined;
  }
}

function valuesIn(atom: Atom<Operand>): Interest['value'][] | undefined {
  const operands = operandsOf(atom);
  if (operands === undefined) return undefined;
  const values: Interest['value'][] = [];
  for (const operand of operands) {
    if (operand.kind !== 'value') return undefined;
    const { value } = operand;
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
    values.push(value);
  }
  return values;
}

/** What some value has to be equal to one of. */
function operandsOf(atom: Atom<Operand>): readonly Operand[] | undefined {
  if (atom.op === 'eq') return [atom.operand];
  return atom.op === 'in' ? atom.operands : undefined;
}
