import type { LocatedFault } from '../conditions/located-fault.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { pathsIn } from '../conditions/paths-in.ts';
import type { Condition, Operand } from '../conditions/condition.ts';
import type { DeclaredField } from '../fields/declared-field.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import type { Expiry } from '../expiry/expiry-of.ts';
import type { IndexDefinition } from '../collections/collection.model.ts';
import type { Rules } from '../rules/rule.ts';
import { rulesOf } from '../rules/rules-of.ts';
import { isWithin } from '../fields/is-within.ts';
import { encryptedIn, overlap } from './sealed-fields.ts';

/** What a definition says, as far as it may ask for what is encrypted. */
interface Asking {
  readonly fields: readonly DeclaredField[];
  readonly indexes: readonly IndexDefinition[];
  readonly rules: Rules;
  readonly expiry: Expiry | undefined;
}

/** What of a definition cannot be asked for a field that MongoDB holds encrypted. */
export const encryptedField = 'encrypted-field';

const refusal = (path: string): string =>
  `\`${path}\` is stored encrypted, or a part of it is: nothing can be found by it.`;

/**
 * Checks that nothing of a definition asks for what is stored encrypted: no index, rule, expiry or reference.
 *
 * @returns faults by where in the definition they stand
 */
export function checkEncrypted({ fields, indexes, rules, expiry }: Asking): LocatedFault[] {
  const encrypted = encryptedIn(fields);
  if (encrypted.length === 0) return [];
  const isAsked = (segments: readonly string[]): boolean => encrypted.some((each) => overlap(each.segments, segments));
  const fault = (pointer: string, path: string): LocatedFault => ({
    pointer,
    code: encryptedField,
    message: refusal(path),
  });
  const found: LocatedFault[] = [];
  for (const [at, index] of indexes.entries()) {
    for (const path of Object.keys(index.keys)) {
      if (isAsked(path.split('.')))
        found.push(fault(pointerTo(pointerTo(pointerTo('/indexes', at), 'keys'), path), path));
    }
    for (const path of namesIn(index.where)) {
      if (isAsked(path.split('.'))) found.push(fault(pointerTo(pointerTo('/indexes', at), 'where'), path));
    }
  }
  for (const { rule, pointer } of rulesOf(rules, fields)) {
    if (rule.kind !== 'alternatives') continue;
    for (const [at, alternative] of rule.alternatives.entries()) {
      for (const path of encryptedAskedBy(alternative, encrypted)) found.push(fault(pointerTo(pointer, at), path));
    }
  }
  for (const field of fields) {
    const pointer = pointerTo('/fields', field.path);
    const outer = encrypted.find((each) => isWithin(field.segments, each.segments));
    if (outer === undefined) continue;
    if (field.reference !== undefined) found.push(fault(pointerTo(pointer, 'reference'), field.path));
    if (field.default?.kind === 'value') {
      const message = 'A default stands in the definition for all to see who may see that: leave it out.';
      found.push({ pointer: pointerTo(pointer, 'default'), code: encryptedField, message });
    }
    if (outer === field) continue;
    const message = `\`${outer.path}\` is stored encrypted as a whole: say nothing of its parts.`;
    found.push({ pointer, code: 'within-encrypted', message });
  }
  if (expiry !== undefined && isAsked(expiry.segments)) found.push(fault('/expiry/field', expiry.field));
  return found;
}

/** The paths, as they were written, by which a condition asks for what is encrypted. */
export const encryptedAskedBy = (
  condition: Condition<Operand>,
  encrypted: readonly Pick<DeclaredField, 'segments'>[],
): readonly string[] => [
  ...new Set(
    pathsIn(condition).flatMap(({ text, segments: [root, ...segments] }) =>
      root === fieldsKey && encrypted.some((each) => overlap(each.segments, segments)) ? [text] : [],
    ),
  ),
];

/** The names of fields that the filter of an index has. */
function namesIn(where: unknown): readonly string[] {
  if (typeof where !== 'object' || where === null) return [];
  return Object.entries(where).flatMap(([name, value]) => {
    if (!name.startsWith('$')) return [name];
    return Array.isArray(value) ? value.flatMap(namesIn) : [];
  });
}
