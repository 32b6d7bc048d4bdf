import type { LocatedFault, Parsed } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { isObject } from '../conditions/plain-value.ts';
import type { Action, Rule, Rules } from './rule.ts';

const actions: readonly Action[] = ['read', 'create', 'update', 'delete'];
const maxAlternatives = 20;

/** Where a rule stands, and whether it may compare with the record before a change. */
interface RulePlace {
  readonly pointer: string;
  readonly before?: boolean;
  /** Whether it may follow references. */
  readonly follow?: boolean;
}

/**
 * Parses the `rules` of a definition.
 *
 * @param json - An object with any of `read`, `create`, `update` and `delete`; undefined for none.
 * @param pointer - Where it stands, for the faults.
 */
export function parseRules(json: unknown, pointer: string): Parsed<Rules> {
  const given = json ?? {};
  if (!isObject(given)) return refused(pointer, 'invalid-rules', `Give an object with ${actions.join(', ')}.`);
  const faults = refuseOthers(given, actions, pointer, `Rules are for ${actions.join(', ')}.`);
  const entries = new Map<string, unknown>(Object.entries(given));
  const parse = (action: Exclude<Action, 'update'>): Parsed<Rule> =>
    parseRule(entries.get(action), { pointer: pointerTo(pointer, action), follow: true });
  const [read, create, remove] = [parse('read'), parse('create'), parse('delete')];
  const update = parseUpdate(entries.get('update'), pointerTo(pointer, 'update'));
  faults.push(...[read, create, update, remove].flatMap((parsed) => (parsed.ok ? [] : parsed.faults)));
  if (faults.length > 0 || !read.ok || !create.ok || !update.ok || !remove.ok) return { ok: false, faults };
  return { ok: true, value: { read: read.value, create: create.value, update: update.value, delete: remove.value } };
}

/** One rule that holds before and after, or one for each. */
function parseUpdate(json: unknown, pointer: string): Parsed<Rules['update']> {
  if (!isObject(json)) {
    const both = parseRule(json, { pointer, follow: true });
    return both.ok ? { ok: true, value: { before: both.value, after: both.value } } : both;
  }
  const faults = refuseOthers(json, ['before', 'after'], pointer, 'The rule for updates has before and after.');
  if (faults.length > 0) return { ok: false, faults };
  if (json.before === undefined || json.after === undefined) {
    const message = 'Give both before and after: what the record has to meet as it is, and as the change makes it.';
    return refused(pointer, 'invalid-rule', message);
  }
  const before = parseRule(json.before, { pointer: pointerTo(pointer, 'before'), follow: true });
  const after = parseRule(json.after, { pointer: pointerTo(pointer, 'after'), before: true, follow: true });
  if (before.ok && after.ok) return { ok: true, value: { before: before.value, after: after.value } };
  return { ok: false, faults: [before, after].flatMap((parsed) => (parsed.ok ? [] : parsed.faults)) };
}

/**
 * Parses one rule.
 *
 * @param json - undefined for administrators only
 */
export function parseRule(json: unknown, { pointer, before = false, follow = false }: RulePlace): Parsed<Rule> {
  if (json === undefined) return { ok: true, value: { kind: 'administrators' } };
  if (json === 'signed-in' || json === 'public') return { ok: true, value: { kind: json } };
  if (!Array.isArray(json) || json.length > maxAlternatives) {
    const advice = `Give "public", "signed-in" or an array of at most ${maxAlternatives} conditions`;
    return refused(pointer, 'invalid-rule', `${advice}; leave the rule out for administrators only.`);
  }
  const parsed = json.map((item, index) =>
    parseCondition(item, { auth: true, now: true, geo: true, before, follow, pointer: pointerTo(pointer, index) }),
  );
  const faults = parsed.flatMap((each) => (each.ok ? [] : each.faults));
  if (faults.length > 0) return { ok: false, faults };
  const alternatives = parsed.flatMap((each) => (each.ok ? [each.value] : []));
  return { ok: true, value: { kind: 'alternatives', alternatives } };
}

const refuseOthers = (given: object, known: readonly string[], pointer: string, message: string): LocatedFault[] =>
  Object.keys(given)
    .filter((name) => !known.includes(name))
    .map((name) => ({ pointer: pointerTo(pointer, name), code: 'unknown-field', message }));

function refused(pointer: string, code: string, message: string): { ok: false; faults: LocatedFault[] } {
  return { ok: false, faults: [{ pointer, code, message }] };
}
