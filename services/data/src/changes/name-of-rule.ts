import { createHash } from 'node:crypto';

import type { Collection } from '../collections/collection-registry.ts';
import { readingOf } from '../collections/reading-of.ts';
import { authNamesIn } from '../conditions/bind-condition.ts';
import type { AuthName } from '../conditions/condition.ts';
import type { Caller, Rule } from '../rules/rule.ts';

/**
 * Names the read rules, and what has to be opened, in cursors: under others, other changes would have been told, or told otherwise. Rules that have
 * come back have another name, for what was committed meanwhile was under others.
 */
export function nameOfRule(collection: Collection): string {
  const known = names.get(collection);
  if (known !== undefined) return known;
  const name = createHash('sha256')
    .update(readingOf(collection))
    // Nothing where they have not changed since this is kept, so that cursors of before stay good.
    .update(String(collection.readSince ?? ''))
    .digest('base64url')
    .slice(0, 12);
  names.set(collection, name);
  return name;
}

/** Thousands of feeds ask at once where a definition changes. */
const names = new WeakMap<Collection, string>();

/**
 * Names what a caller is to the read rules beside who they are, which cursors are bound to: a role, an organisation or a session is another one in
 * their next token.
 *
 * @returns nothing where the rules ask for none of it, so that cursors of before stay good
 */
function nameOfRights(collection: Collection, { administrator, auth }: Caller): string {
  if (administrator) return 'administrator';
  const names = askedOfCaller(collection).filter((name) => name !== 'sub');
  if (names.length === 0) return '';
  return JSON.stringify(names.map((name) => [name, auth[name] ?? null]));
}

/** All that a caller is to the read rules beside what they follow, as text: to these, those with the same are one. */
export const rightsIn = (collection: Collection, { administrator, signedIn, auth }: Caller): string =>
  administrator
    ? 'administrator'
    : JSON.stringify([signedIn, askedOfCaller(collection).map((name) => auth[name] ?? null)]);

/**
 * Names all by which a feed is told: under another rule, with other rights, or by other records that it follows, other changes would have been told.
 *
 * @param followed - names the records that its rule follows; undefined where it follows none
 */
export function nameOfSight(collection: Collection, caller: Caller, followed: string | undefined): string {
  const rule = nameOfRule(collection);
  const rights = nameOfRights(collection, caller);
  if (followed === undefined && rights === '') return rule;
  return createHash('sha256')
    .update(rule)
    .update(followed ?? '')
    .update(rights)
    .digest('base64url')
    .slice(0, 12);
}

const asked = new WeakMap<Collection, readonly AuthName[]>();

/** What of a caller the read rules ask for, in order. */
function askedOfCaller(collection: Collection): readonly AuthName[] {
  const known = asked.get(collection);
  if (known !== undefined) return known;
  const { rules, fields } = collection;
  const conditions = [rules.read, ...fields.map(({ read }) => read)].flatMap(alternativesOf);
  const names = [...new Set(conditions.flatMap((condition) => [...authNamesIn(condition)]))].sort();
  asked.set(collection, names);
  return names;
}

const alternativesOf = (rule: Rule | undefined) => (rule?.kind === 'alternatives' ? rule.alternatives : []);
