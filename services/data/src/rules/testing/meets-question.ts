import { bindCondition } from '../../conditions/bind-condition.ts';
import { compilePredicate } from '../../conditions/compile-predicate.ts';
import { parseCondition } from '../../conditions/parse-condition.ts';

/** Whether a record meets a filter as it was answered, without what is hidden in it; undefined where the filter is none. */
export function compileQuestion(filter: unknown): ((answer: Readonly<Record<string, unknown>>) => boolean) | undefined {
  const parsed = parseCondition(filter, { now: true, geo: true });
  if (!parsed.ok) return undefined;
  const meets = compilePredicate(bindCondition(parsed.value, { at: new Date() }), () => undefined);
  return ({ id, revision, createdAt, updatedAt, createdBy, updatedBy, ...fields }) => {
    const by = { ...(createdBy === undefined ? {} : { createdBy }), ...(updatedBy === undefined ? {} : { updatedBy }) };
    const times = { createdAt: new Date(String(createdAt)), updatedAt: new Date(String(updatedAt)) };
    return meets({ _id: id, revision, fields, ...times, ...by });
  };
}
