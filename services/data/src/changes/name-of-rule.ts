import { createHash } from 'node:crypto';

import type { Collection } from '../collections/collection-registry.ts';
import { authNamesIn } from '../conditions/bind-condition.ts';
import { encryptedPaths } from '../encryption/sealed-fields.ts';
import type { Caller, Rule } from '../rules/rule.ts';

/** Names the read rules, and what has to be opened, in cursors: under others, other changes would have been told, or told otherwise. */
export const nameOfRule = ({ source, fields, follows }: Collection): string =>
  createHash('sha256')
    .update(JSON.stringify(source.rules.read ?? null))
    .update(fieldRulesOf(source, fields))
    .update(follows.read.map(({ target }) => target).join())
    .update(encryptedPaths(fields).toSorted().join())
    .digest('base64url')
    .slice(0, 12);

/** Nothing where there are none, so that cursors of before stay good. */
const fieldRulesOf = (source: Collection['source'], fields: Collection['fields']): string =>
  fields
    .filter(({ read }) => read !== undefined)
    .map(({ path }) => JSON.stringify([path, (source.fields?.[path] as { readonly read?: unknown }).read]))
    .toSorted()
    .join();

/**
 * Names what a caller is to the read rules beside who they are, which cursors are bound to: a role, an organisation or a session is another one in
 * their next token.
 *
 * @returns nothing where the rules ask for none of it, so that cursors of before stay good
 */
export function nameOfRights({ rules, fields }: Collection, { administrator, auth }: Caller): string {
  if (administrator) return 'administrator';
  const asked = [rules.read, ...fields.map(({ read }) => read)].flatMap(alternativesOf);
  const names = new Set(asked.flatMap((condition) => [...authNamesIn(condition)]));
  names.delete('sub');
  if (names.size === 0) return '';
  return JSON.stringify([...names].toSorted().map((name) => [name, auth[name] ?? null]));
}

const alternativesOf = (rule: Rule | undefined) => (rule?.kind === 'alternatives' ? rule.alternatives : []);
