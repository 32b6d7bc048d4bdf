import type { ElementCondition } from './element-condition.ts';

/** Where in a record an operator works. */
export interface OperatorPlace {
  /** Below the record's `fields`; a whole number is a place in an array, where there is one. */
  readonly segments: readonly string[];
  /** JSON pointer to it in the patch, for its faults. */
  readonly pointer: string;
}

/** What an operator does, as MongoDB's update operator of the same name. */
export type OperatorChange =
  | { readonly name: '$set' | '$min' | '$max'; readonly value: unknown }
  | { readonly name: '$unset' }
  | { readonly name: '$inc'; readonly by: number }
  | {
      readonly name: '$push';
      readonly values: readonly unknown[];
      /** Where they are put: counted from the end where negative; at the end where absent. */
      readonly position?: number;
      /** How many of all elements are kept: the last ones where negative. */
      readonly slice?: number;
    }
  | { readonly name: '$addToSet'; readonly values: readonly unknown[] }
  | { readonly name: '$pull'; readonly elements: ElementCondition };

/** One operator at one path. */
export type Operator = OperatorPlace & OperatorChange;
