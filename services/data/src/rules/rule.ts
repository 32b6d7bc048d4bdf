import type { AuthValues, FollowedIds } from '../conditions/bind-condition.ts';
import { bindCaller, bindCondition } from '../conditions/bind-condition.ts';
import { compilePredicate } from '../conditions/compile-predicate.ts';
import type { Condition, Operand, Value } from '../conditions/condition.ts';
import { everything, nothing } from '../conditions/condition.ts';
import { createBudget, TooCostly } from '../conditions/evaluation-budget.ts';
import type { Spend } from '../conditions/pattern/automaton.ts';
import { ruleTooCostly } from './rules.errors.ts';

/** What a collection lets its callers do. */
export type Action = 'read' | 'create' | 'update' | 'delete';

/** Who may do one thing: `administrators` where the definition says nothing. */
export type Rule =
  | { readonly kind: 'administrators' | 'signed-in' | 'public' }
  | { readonly kind: 'alternatives'; readonly alternatives: readonly Condition<Operand>[] };

/** The rules of a collection. */
export interface Rules {
  readonly read: Rule;
  readonly create: Rule;
  /** What a record has to meet as it is, and as the change makes it; one rule may be both. */
  readonly update: { readonly before: Rule; readonly after: Rule };
  readonly delete: Rule;
}

/** What a record is judged for; a change twice, by the record as it is and as the change makes it. */
export type Judgement = 'read' | 'create' | 'update-before' | 'update-after' | 'delete';

/** Who asks, as far as rules look at it. */
export interface Caller {
  readonly signedIn: boolean;
  /** Passes every rule. */
  readonly administrator: boolean;
  readonly auth: AuthValues;
  /** Where the references lead that rules follow, as far as somebody has looked for this caller: `rules/follow`. */
  readonly followed?: FollowedIds | undefined;
}

/** What a rule looks at beside the record and the caller. */
export interface RuleContext {
  /** What `$now` means. */
  readonly at: Date;
  /** The stored document as it was, where one is judged that a change has made. */
  readonly before?: object | undefined;
}

/** What the patterns of a rule may take over one record: about 40 ms. */
export const decisionUnits = 4_000_000;

/** The rule that a judgement is made by. */
export function ruleFor(rules: Rules, judgement: Judgement): Rule {
  switch (judgement) {
    case 'update-before':
      return rules.update.before;
    case 'update-after':
      return rules.update.after;
    case 'read':
    case 'create':
    case 'delete':
      return rules[judgement];
  }
}

/**
 * The condition that a record must meet for a caller to do something; for lists, feeds and exports, together with the
 * filter.
 *
 * An alternative that names a value that is absent is false, whatever its operator.
 */
export function conditionOf(rule: Rule, caller: Caller, context: RuleContext): Condition<Value> {
  const { auth, followed } = caller;
  return conditionBy(rule, caller, (alternative) => bindCondition(alternative, { auth, followed, ...context }));
}

/** What {@link conditionOf} gives, with the time yet to be filled in. */
export function timelessConditionOf(rule: Rule, caller: Caller): Condition<Operand> {
  return conditionBy(rule, caller, (alternative) => bindCaller(alternative, caller.auth, caller.followed));
}

function conditionBy<O>(
  rule: Rule,
  caller: Caller,
  bind: (alternative: Condition<Operand>) => Condition<O>,
): Condition<O> {
  if (caller.administrator) return everything;
  switch (rule.kind) {
    case 'administrators':
      return nothing;
    case 'public':
      return everything;
    case 'signed-in':
      return caller.signedIn ? everything : nothing;
    case 'alternatives':
      return { kind: 'or', branches: rule.alternatives.map(bind) };
  }
}

/**
 * Whether there can be a record with which a caller may do something. Where there can be none, nothing is looked at: what
 * is wrong with a call would tell of a collection that is not the caller's business.
 */
export function canEver(rule: Rule, caller: Caller): boolean {
  const condition = timelessConditionOf(rule, caller);
  return !(condition.kind === 'or' && condition.branches.every((branch) => branch === nothing));
}

/**
 * Whether a caller may do something with a record.
 *
 * @param document - In its stored form; for `create`, the record to be.
 * @throws Fault `rule-too-costly`
 */
export const decide = (rule: Rule, caller: Caller, document: object, context: RuleContext): boolean =>
  compileDecision(rule, caller, context)(document);

/**
 * {@link decide}, where one caller is asked about many records.
 *
 * @returns it throws Fault `rule-too-costly`
 */
export const compileDecision = (rule: Rule, caller: Caller, context: RuleContext): ((document: object) => boolean) =>
  compileMeets(conditionOf(rule, caller, context));

/**
 * Compiles a condition of rules, of which each record has its own budget.
 *
 * @returns it throws Fault `rule-too-costly`
 */
export function compileMeets(condition: Condition<Value>): (document: object) => boolean {
  let budget: Spend;
  const meets = compilePredicate(condition, (units) => budget(units));
  return (document) => {
    budget = createBudget(decisionUnits);
    try {
      return meets(document);
    } catch (error) {
      throw error instanceof TooCostly ? ruleTooCostly({ cause: error }) : error;
    }
  };
}
