import type { AuthValues } from '../conditions/bind-condition.ts';
import { bindCondition } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand, Value } from '../conditions/condition.ts';
import { everything, nothing } from '../conditions/condition.ts';
import { createBudget, TooCostly } from '../conditions/evaluation-budget.ts';
import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { ruleTooCostly } from './rules.errors.ts';

/** What a collection lets its callers do. */
export type Action = 'read' | 'create' | 'update' | 'delete';

/** Who may do one thing: `administrators` where the definition says nothing. */
export type Rule =
  | { readonly kind: 'administrators' | 'signed-in' | 'public' }
  | { readonly kind: 'alternatives'; readonly alternatives: readonly Condition<Operand>[] };

/** The rules of a collection, one for each action. */
export type Rules = Readonly<Record<Action, Rule>>;

/** Who asks, as far as rules look at it. */
export interface Caller {
  readonly signedIn: boolean;
  /** Passes every rule. */
  readonly administrator: boolean;
  readonly auth: AuthValues;
}

const actions: readonly Action[] = ['read', 'create', 'update', 'delete'];
const maxAlternatives = 20;
/** What the patterns of a rule may take over one record: about 40 ms. */
const decisionUnits = 4_000_000;

/**
 * Parses the `rules` of a definition.
 *
 * @param json - An object with any of `read`, `create`, `update` and `delete`; undefined for none.
 * @param pointer - Where it stands, for the faults.
 */
export function parseRules(json: unknown, pointer: string): Parsed<Rules> {
  const given = json ?? {};
  if (typeof given !== 'object' || Array.isArray(given)) {
    return refused(pointer, 'invalid-rules', `Give an object with ${actions.join(', ')}.`);
  }
  const faults: LocatedFault[] = Object.keys(given)
    .filter((name) => !actions.some((action) => action === name))
    .map((name) => ({
      pointer: pointerTo(pointer, name),
      code: 'unknown-field',
      message: `Rules are for ${actions.join(', ')}.`,
    }));
  const entries = new Map<string, unknown>(Object.entries(given));
  const take = (action: Action): Rule => {
    const parsed = parseRule(entries.get(action), pointerTo(pointer, action));
    if (parsed.ok) return parsed.value;
    faults.push(...parsed.faults);
    return { kind: 'administrators' };
  };
  const rules = { read: take('read'), create: take('create'), update: take('update'), delete: take('delete') };
  return faults.length > 0 ? { ok: false, faults } : { ok: true, value: rules };
}

function parseRule(json: unknown, pointer: string): Parsed<Rule> {
  if (json === undefined) return { ok: true, value: { kind: 'administrators' } };
  if (json === 'signed-in' || json === 'public') return { ok: true, value: { kind: json } };
  if (!Array.isArray(json) || json.length > maxAlternatives) {
    const advice = `Give "public", "signed-in" or an array of at most ${maxAlternatives} conditions`;
    return refused(pointer, 'invalid-rule', `${advice}; leave the rule out for administrators only.`);
  }
  const parsed = json.map((item, index) => parseCondition(item, { auth: true, pointer: pointerTo(pointer, index) }));
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (faults.length > 0) return { ok: false, faults };
  const alternatives = parsed.flatMap((each) => (each.ok ? [each.value] : []));
  return { ok: true, value: { kind: 'alternatives', alternatives } };
}

/**
 * The condition that a record must meet for a caller to do something; for lists, feeds and exports, together with the
 * filter.
 *
 * An alternative that names a value of the caller's that is absent is false, whatever its operator.
 */
export function conditionOf(rule: Rule, caller: Caller): Condition<Value> {
  if (caller.administrator) return everything;
  switch (rule.kind) {
    case 'administrators':
      return nothing;
    case 'public':
      return everything;
    case 'signed-in':
      return caller.signedIn ? everything : nothing;
    case 'alternatives':
      return { kind: 'or', branches: rule.alternatives.map((alternative) => bindCondition(alternative, caller.auth)) };
  }
}

/**
 * Whether there can be a record with which a caller may do something. Where there can be none, nothing is looked at: what
 * is wrong with a call would tell of a collection that is not the caller's business.
 */
export function canEver(rule: Rule, caller: Caller): boolean {
  const condition = conditionOf(rule, caller);
  return !(condition.kind === 'or' && condition.branches.every((branch) => branch === nothing));
}

/**
 * Whether a caller may do something with a record.
 *
 * @param document - In its stored form; for `create`, the record to be.
 * @throws Fault `rule-too-costly`
 */
export function decide(rule: Rule, caller: Caller, document: object): boolean {
  try {
    return compilePredicate(conditionOf(rule, caller), createBudget(decisionUnits))(document);
  } catch (error) {
    throw error instanceof TooCostly ? ruleTooCostly({ cause: error }) : error;
  }
}

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
