import { bindCondition } from '../conditions/bind-condition.ts';
import { compareValues } from '../conditions/bson-order.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { parseElementCondition } from '../conditions/parse-condition.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { checkPlainValue, isObject } from '../conditions/plain-value.ts';
import { isContainer } from '../conditions/values-at.ts';

/** Whether an element of an array is meant; `spend` is told of the work. */
export type ElementCondition = (element: unknown, spend: Spend) => boolean;

/** Bounds of a value that an operator is given; the record's own come on top. */
export const operandBounds = { depth: 32, nodes: 100_000 };

/**
 * Parses which elements of an array `$pull` takes out: those that meet operators, objects whose fields meet a condition, or
 * those that are equal to a value.
 *
 * @param json - As `JSON.parse` gave it.
 * @param pointer - Where it stands, for the faults.
 */
export function parseElements(json: unknown, pointer: string): Parsed<ElementCondition> {
  if (!isObject(json)) {
    const faults = checkPlainValue(json, pointer, operandBounds);
    if (faults.length > 0) return { ok: false, faults };
    return { ok: true, value: (element) => compareValues(element, json) === 0 };
  }
  if (Object.keys(json).length === 0) {
    const message = 'Give a value, operators such as {"$gt": 5}, or the fields of the objects to take out.';
    const fault: LocatedFault = { pointer, code: 'invalid-operand', message };
    return { ok: false, faults: [fault] };
  }
  const parsed = parseElementCondition(json, pointer);
  if (!parsed.ok) return parsed;
  const { of } = parsed.value;
  const condition = bindCondition(parsed.value.condition, {});
  // About a unit for each operator and value: each may be asked of every element.
  const cost = Math.ceil(JSON.stringify(json).length / 4);
  return {
    ok: true,
    value: (element, spend) => {
      spend(cost);
      if (of === 'fields' && !isContainer(element)) return false;
      return compilePredicate(condition, spend)(of === 'fields' ? (element as object) : { element });
    },
  };
}
