import { createBudget } from '../../conditions/evaluation-budget.ts';
import type { Judged } from '../../records/judge-record.ts';
import type { Action, Caller, Judgement, Rules } from '../rule.ts';
import { canEver, ruleFor } from '../rule.ts';
import type { Clause, Decider } from './explain-rule.ts';
import { explainRule } from './explain-rule.ts';

/** The definitions that a call is judged by. */
export interface Definitions {
  readonly rules: Rules;
  /** The one that is about to come. */
  readonly pending: { readonly rules: Rules } | undefined;
}

/** What somebody wants to do, and to which record. */
export interface AskedAccess {
  readonly action: Action;
  readonly caller: Caller;
  /** As it is, or for `create` as it would be; undefined where it is not there. */
  readonly record: Judged | undefined;
  /** As a change would make it; undefined where nobody says how it is to be changed. */
  readonly changed?: Judged | undefined;
  readonly at: Date;
}

/** A clause, and for what it was asked. */
export interface AccessClause extends Clause {
  readonly rule: Judgement;
  /** Of the definition that is about to come, and being checked against the records. */
  readonly pending?: true;
}

/** Whether somebody may do something, and why. */
export interface ExplainedAccess {
  readonly allowed: boolean;
  /** What the call would be answered with, as far as rights go. */
  readonly status: 200 | 403 | 404;
  /** One sentence. */
  readonly because: string;
  readonly decidedBy: Pick<Decider, 'pointer' | 'words'> | null;
  /** All that was looked at, in this order. */
  readonly clauses: readonly AccessClause[];
}

/** What the patterns of all rules may take for the reasons, beside what the decisions take: about 80 ms. */
export const explanationUnits = 8_000_000;

/** One rule that has to hold. */
export interface Step {
  readonly judgement: Judgement;
  readonly rules: Rules;
  readonly document: Judged;
  readonly before?: Judged;
  readonly pending?: true;
}

/**
 * Explains whether somebody may do something with a record, in the order in which a call is judged.
 *
 * @throws Fault `rule-too-costly`
 */
export function explainAccess(definitions: Definitions, asked: AskedAccess): ExplainedAccess {
  const { action, caller, record, changed, at } = asked;
  if (record === undefined) {
    return { allowed: false, status: 404, because: 'Not found: no record has this id.', decidedBy: null, clauses: [] };
  }
  const spend = createBudget(explanationUnits);
  const clauses: AccessClause[] = [];
  let decidedBy: Decider | null = null;
  for (const { judgement, rules, document, before, pending } of stepsOf(definitions, action, record, changed)) {
    const pointer = `${pending === true ? '/pending' : ''}${pointerOf(rules, judgement)}`;
    const rule = ruleFor(rules, judgement);
    const verdict = explainRule({ rule, pointer, caller, document, context: { at, before }, spend });
    const about = { rule: judgement, ...(pending === undefined ? {} : { pending }) };
    clauses.push(...verdict.clauses.map((clause) => ({ ...clause, ...about })));
    ({ decidedBy } = verdict);
    if (!verdict.holds) return refusedBy(statusOf(definitions, judgement, caller), decidedBy, clauses);
  }
  const isOpen = action === 'update' && changed === undefined;
  const open = isOpen ? '; what a change makes of it is judged once there is one' : '';
  const because = decidedBy === null ? 'Allowed.' : `Allowed: ${sentence(decidedBy)}${open}.`;
  return { allowed: true, status: 200, because, decidedBy: decidedBy === null ? null : shownOf(decidedBy), clauses };
}

/** What somebody is answered whom a clause does not let pass. */
export function refusedBy(status: 403 | 404, decidedBy: Decider, clauses: readonly AccessClause[]): ExplainedAccess {
  const because = `${status === 404 ? 'Not found' : 'Forbidden'}: ${sentence(decidedBy)}.`;
  return { allowed: false, status, because, decidedBy: shownOf(decidedBy), clauses };
}

/**
 * The rules of a call in the order in which they are asked: whoever may not see a record is not told that it is there; a definition that is
 * about to come hides nothing yet.
 */
export function stepsOf(
  { rules, pending }: Definitions,
  action: Action,
  record: Judged,
  changed: Judged | undefined,
): readonly Step[] {
  const steps = (judgement: Judgement, document: Judged, before?: Judged): Step[] => {
    const step = { judgement, rules, document, ...(before === undefined ? {} : { before }) };
    return pending === undefined ? [step] : [step, { ...step, rules: pending.rules, pending: true }];
  };
  const read: Step = { judgement: 'read', rules, document: record };
  switch (action) {
    case 'read':
      return [read];
    case 'create':
      return steps('create', record);
    case 'delete':
      return [read, ...steps('delete', record)];
    case 'update':
      return [
        read,
        ...steps('update-before', record),
        ...(changed === undefined ? [] : steps('update-after', changed, record)),
      ];
  }
}

function statusOf({ rules, pending }: Definitions, judgement: Judgement, caller: Caller): 403 | 404 {
  if (judgement === 'read') return 404;
  if (judgement !== 'create') return 403;
  // Who can neither create nor see any record is not told of the collection.
  const mayTry = canEver(rules.create, caller) && (pending === undefined || canEver(pending.rules.create, caller));
  return mayTry || canEver(rules.read, caller) ? 403 : 404;
}

/** Where a rule stands in a definition: a rule for updates may be one, or two. */
function pointerOf({ update }: Rules, judgement: Judgement): string {
  switch (judgement) {
    case 'update-before':
      return update.before === update.after ? '/rules/update' : '/rules/update/before';
    case 'update-after':
      return update.before === update.after ? '/rules/update' : '/rules/update/after';
    case 'read':
    case 'create':
    case 'delete':
      return `/rules/${judgement}`;
  }
}

const shownOf = ({ pointer, words }: Decider): Pick<Decider, 'pointer' | 'words'> => ({ pointer, words });

/** Which clause it was, and of one that does not hold where it fails. */
function sentence({ pointer, words, fails }: Decider): string {
  if (fails === undefined) return `${pointer}: ${words}`;
  const found = fails.found === undefined ? '' : `; found: ${fails.found}`;
  return `${pointer} fails at: ${fails.words}${found}`;
}
