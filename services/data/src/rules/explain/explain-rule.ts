import { bindCondition, missingOf } from '../../conditions/bind-condition.ts';
import { compilePredicate } from '../../conditions/compile-predicate.ts';
import type { Condition, Operand, Value } from '../../conditions/condition.ts';
import { TooCostly } from '../../conditions/evaluation-budget.ts';
import { pointerTo } from '../../conditions/located-fault.ts';
import type { Spend } from '../../conditions/pattern/automaton.ts';
import { valueAt } from '../../fields/value-at.ts';
import type { Caller, Rule, RuleContext } from '../rule.ts';
import { decide } from '../rule.ts';
import { ruleTooCostly } from '../rules.errors.ts';
import { describeCondition } from './describe-condition.ts';
import { callersWords, describeValue } from './describe-operand.ts';

/** What of an alternative does not hold. */
export interface Failure {
  /** What is asked for there, or what is not known. */
  readonly words: string;
  /** What the record has there, where one value can be named. */
  readonly found?: string;
}

/** One thing that a rule asks for, and whether it holds. */
export interface Clause {
  /** Where it stands in the definition. */
  readonly pointer: string;
  readonly holds: boolean;
  readonly words: string;
  readonly fails?: Failure;
}

/** Where a decision was made, and by what. */
export type Decider = Pick<Clause, 'pointer' | 'words' | 'fails'>;

/** What a rule says of a record, and why. */
export interface RuleVerdict {
  readonly holds: boolean;
  /** Its alternatives, in their order; of a rule without them, the rule. */
  readonly clauses: readonly Clause[];
  /** The alternative that lets the caller pass; where none does, the only one, or the rule. */
  readonly decidedBy: Decider;
}

/** What is asked. */
export interface AskedRule {
  readonly rule: Rule;
  /** Where the rule stands in the definition. */
  readonly pointer: string;
  readonly caller: Caller;
  /** In its stored form. */
  readonly document: object;
  readonly context: RuleContext;
  /** Is told of the work of patterns for the explanation; that of the decision is bounded as ever. */
  readonly spend: Spend;
}

/**
 * Explains what a rule says of a record. The decision is the one that calls are decided by; the reasons are looked for afterwards.
 *
 * @throws Fault `rule-too-costly`
 */
export function explainRule(asked: AskedRule): RuleVerdict {
  const { rule, pointer, caller, document, context } = asked;
  const holds = decide(rule, caller, document, context);
  const clauses = clausesOf(asked, holds);
  const passing = clauses.find((clause) => clause.holds);
  const [only, ...more] = clauses;
  if (holds && passing !== undefined) return { holds, clauses, decidedBy: passing };
  if (only !== undefined && more.length === 0) return { holds, clauses, decidedBy: only };
  return { holds, clauses, decidedBy: { pointer, words: `none of its ${clauses.length} alternatives holds` } };
}

function clausesOf(asked: AskedRule, holds: boolean): readonly Clause[] {
  const { rule, pointer, caller } = asked;
  if (caller.administrator) return [{ pointer, holds, words: 'administrators pass every rule' }];
  switch (rule.kind) {
    case 'administrators':
      return [{ pointer, holds, words: 'there is no such rule, which leaves it to administrators' }];
    case 'public':
      return [{ pointer, holds, words: 'everybody' }];
    case 'signed-in':
      return [{ pointer, holds, words: 'everybody who is signed in' }];
    case 'alternatives':
      if (rule.alternatives.length === 0) return [{ pointer, holds, words: 'administrators alone' }];
      try {
        return rule.alternatives.map((alternative, at) =>
          explainAlternative(asked, alternative, pointerTo(pointer, at)),
        );
      } catch (error) {
        throw error instanceof TooCostly ? ruleTooCostly({ cause: error }) : error;
      }
  }
}

function explainAlternative(asked: AskedRule, alternative: Condition<Operand>, pointer: string): Clause {
  const words = describeCondition(alternative);
  const missing = missingOf(alternative, asked.caller.auth);
  if (missing !== undefined) {
    const fails = { words: `${callersWords[missing]} (\`${missing}\`) is not known` };
    return { pointer, holds: false, words, fails };
  }
  if (isMet(asked, alternative)) return { pointer, holds: true, words };
  return { pointer, holds: false, words, fails: failureIn(asked, alternative) };
}

function isMet({ caller, document, context, spend }: AskedRule, condition: Condition<Operand>): boolean {
  const bound = bindCondition(condition, { auth: caller.auth, followed: caller.followed, ...context });
  return compilePredicate(bound, spend)(document);
}

/** Of what has to hold together the first part that does not. */
function failureIn(asked: AskedRule, condition: Condition<Operand>): Failure {
  const failing = condition.kind === 'and' ? condition.branches.find((branch) => !isMet(asked, branch)) : undefined;
  if (failing !== undefined) return failureIn(asked, failing);
  const words = describeCondition(condition);
  const found = condition.kind === 'field' ? foundAt(asked.document, condition.path.segments) : undefined;
  return found === undefined ? { words } : { words, found };
}

/** What stands at a path with objects only on the way to it. */
function foundAt(document: object, segments: readonly string[]): string | undefined {
  const parents = segments.map((_, end) => valueAt(document, segments.slice(0, end + 1)));
  if (parents.slice(0, -1).some((each) => Array.isArray(each))) return undefined;
  const value = parents.at(-1);
  return value === undefined ? 'nothing' : describeValue(value as Value);
}
