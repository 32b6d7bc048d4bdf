import type { Condition } from '../conditions/condition.ts';
import type { Collection } from '../collections/collection-registry.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import { pointerTo } from '../conditions/located-fault.ts';
import { parseCondition } from '../conditions/parse-condition.ts';
import { isObject } from '../conditions/plain-value.ts';
import type { Locate } from '../queries/asked-query.ts';
import { parseRecordQuery } from '../queries/asked-query.ts';
import { refused } from '../queries/refuse-query.ts';
import type { Aggregate, AskedLookup, GroupPhase } from './aggregate.ts';
import type { ParsedGroup } from './parse-group.ts';
import { parseBucket, parseGroup } from './parse-group.ts';
import { parseLimit, parseLookup, parseProject, parseTerms } from './parse-rest.ts';
import type { KnownName, Scope } from './scope.ts';
import { refusal, scopeOfGroups, scopeOfRecords, unknownName } from './scope.ts';
import type { Placed, StagePhase } from './stage-phases.ts';
import { phasesOf } from './stage-phases.ts';

type Parsable = Pick<Collection, 'id' | 'fields' | 'scalarTypesAt'>;

/**
 * Parses the stages of an aggregate. Taken is what is told apart here, and nothing else reaches MongoDB.
 *
 * @param json - as `JSON.parse` gave it
 * @param pointer - where it stands, for the faults
 * @param at - when it is asked
 * @throws Fault `invalid-request`
 */
export function parseStages(json: unknown, pointer: string, collection: Parsable, at: Date): Aggregate {
  const { records, groups, project, lookups } = phasesOf(json, pointer);
  const entering = parseEntering(records, project, groups.length === 0, collection, at);
  const computed: Aggregate['computed'][number][] = [];
  const phases: GroupPhase[] = [];
  let scope: Scope = scopeOfRecords(collection);
  let { isSorted } = entering;
  let names: ReadonlyMap<string, KnownName> | undefined;
  for (const phase of groups) {
    const rows = { scope, isSorted };
    const parse = phase.group.name === 'bucket' ? parseBucket : parseGroup;
    const parsed: ParsedGroup = parse(phase.group.json, phase.group.pointer, rows);
    if (scope.of === 'records') computed.push(...parsed.computed);
    ({ names } = parsed);
    scope = scopeOfGroups(names);
    const made = parsePhase(parsed, phase, scope);
    phases.push(made);
    isSorted = made.sort !== undefined;
  }
  return {
    ...entering,
    phases,
    names: names === undefined ? undefined : shownNames(names, project, scope),
    lookups: parseLookups(lookups, scope, names),
    computed,
  };
}

/** Which records an aggregate is made of: a query, as a list is one. */
function parseEntering(
  { match, sort, limit }: StagePhase,
  project: Placed | undefined,
  areRecordsShown: boolean,
  collection: Parsable,
  at: Date,
): Pick<Aggregate, 'query' | 'isSorted' | 'limit' | 'locate'> {
  const places = { filter: match, sort, fields: project };
  const locate: Locate = (part, within = '') => ({
    pointer: `${places[part as keyof typeof places]?.pointer ?? ''}${within}`,
  });
  if (match !== undefined && !isObject(match.json)) {
    throw refusal(match.pointer, 'invalid-condition', 'Give an object of fields and what they must be.');
  }
  const fields = areRecordsShown && project !== undefined ? parseProject(project) : undefined;
  const asked = { filter: match?.json, sort: sort === undefined ? [] : parseTerms(sort), fields, locate };
  const query = parseRecordQuery(asked, collection.scalarTypesAt, at);
  if (query.near !== undefined) {
    const message = 'Ask for an area, by $geoWithin: what is near has an order of its own, which no group keeps.';
    throw refusal(match?.pointer ?? '', 'invalid-operator', message);
  }
  return { query, locate, isSorted: sort !== undefined, limit: limit === undefined ? undefined : parseLimit(limit) };
}

function parsePhase({ group, names }: ParsedGroup, { match, sort, limit }: StagePhase, scope: Scope): GroupPhase {
  return {
    group,
    match: match === undefined ? undefined : parseMatch(match, names),
    sort: sort === undefined ? undefined : parseSort(sort, scope),
    limit: limit === undefined ? undefined : parseLimit(limit),
  };
}

function parseMatch({ json, pointer }: Placed, names: ReadonlyMap<string, KnownName>): GroupPhase['match'] {
  const parsed = parseCondition(json, { pointer, now: true });
  if (!parsed.ok) throw refused(parsed.faults, (at) => ({ pointer: at }));
  demandNames(parsed.value, names, pointer);
  return parsed.value;
}

function demandNames(condition: Condition<unknown>, names: ReadonlyMap<string, KnownName>, pointer: string): void {
  switch (condition.kind) {
    case 'field': {
      const [first, name = ''] = condition.path.segments;
      if (first === fieldsKey && names.has(name)) return;
      throw unknownName(condition.path.text, names.keys(), pointer);
    }
    case 'not':
      demandNames(condition.branch, names, pointer);
      return;
    case 'and':
    case 'or':
    case 'nor':
      for (const branch of condition.branches) demandNames(branch, names, pointer);
  }
}

function parseSort(placed: Placed, scope: Scope): NonNullable<GroupPhase['sort']> {
  const { pointer } = placed;
  const fields = parseTerms(placed).map((term) => {
    const isFalling = term.startsWith('-');
    const { path, isScalar } = scope.resolve(isFalling ? term.slice(1) : term, pointer);
    if (isScalar) return { path, direction: isFalling ? (-1 as const) : (1 as const) };
    const message = `Sort by what is a number, a text or a boolean: \`${path.text}\` may hold an array or an object.`;
    throw refusal(pointer, 'unsortable-field', message);
  });
  if (new Set(fields.map(({ path }) => path.text)).size === fields.length) return fields;
  throw refusal(pointer, 'duplicate-field', 'Name each field once.');
}

function shownNames(
  names: ReadonlyMap<string, KnownName>,
  project: Placed | undefined,
  scope: Scope,
): readonly string[] {
  if (project === undefined) return [...names.keys()];
  return [...new Set(parseProject(project).map((name) => scope.resolve(name, project.pointer).path.text))];
}

function parseLookups(
  stages: readonly Placed[],
  scope: Scope,
  names: ReadonlyMap<string, KnownName> | undefined,
): AskedLookup[] {
  const taken = new Set(names?.keys());
  return stages.map((stage) => {
    const lookup = parseLookup(stage, scope);
    if (taken.has(lookup.as)) {
      throw refusal(pointerTo(stage.pointer, 'as'), 'duplicate-name', `Give another name: \`${lookup.as}\` is there.`);
    }
    taken.add(lookup.as);
    return lookup;
  });
}
