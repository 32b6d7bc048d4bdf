import { operandPathsIn } from './bind-condition.ts';
import type { Condition, Operand } from './condition.ts';
import type { FieldPath } from './field-path.ts';

/**
 * The paths by which a condition asks a record for something: those that it compares, and those that it compares with. What is asked of the
 * elements of an array, or of a record that is followed, is not among them.
 */
export const pathsIn = (condition: Condition<Operand>): readonly FieldPath[] => [
  ...fieldsIn(condition),
  ...operandPathsIn(condition),
];

function fieldsIn(condition: Condition<Operand>): readonly FieldPath[] {
  switch (condition.kind) {
    case 'and':
    case 'or':
    case 'nor':
      return condition.branches.flatMap(fieldsIn);
    case 'not':
      return fieldsIn(condition.branch);
    case 'field':
      return [condition.path];
  }
}
