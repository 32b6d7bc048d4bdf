import type { Collection } from '../collections/collection-registry.ts';
import { geoPathsOf, isTextIndex, wholeGeoPathsOf } from '../collections/parse-index.ts';
import type { IndexDefinition, KeyKind } from '../collections/collection.model.ts';
import type { Condition, Value } from '../conditions/condition.ts';
import type { FieldPath } from '../conditions/field-path.ts';
import { parseFieldPath } from '../conditions/field-path.ts';
import { askedPlaces } from '../conditions/geo/asked-places.ts';
import { declaredFields } from '../exporting/declared-fields.ts';
import type { Caller } from '../rules/rule.ts';
import type { RecordQuery } from './asked-query.ts';
import { visibleCondition } from './find-records.ts';
import { alternativesOf } from './plan/conjuncts.ts';
import { holdsAll } from './plan/serving-indexes.ts';
import { queryNeedsIndex } from './queries.errors.ts';

/** A field of which every value counts, seen or not: of the words, or of the distance. */
export interface RankedField {
  readonly path: FieldPath;
  /** Where it was asked for. */
  readonly part: 'filter' | 'search';
}

/** Keys of an index that somebody is advised to add. */
type Keys = Readonly<Record<string, KeyKind>>;

/** Fields of an index of words that is proposed. */
const mostWordFields = 8;

/** The fields by which a query ranks records: all of the index of words, or the one that holds places. */
export function rankedFieldsOf(
  { source }: Pick<Collection, 'source'>,
  { text, near }: Pick<RecordQuery, 'text' | 'near'>,
): RankedField[] {
  if (near !== undefined) return [{ path: near.path, part: 'filter' }];
  if (text === undefined) return [];
  const { part } = text;
  return Object.keys(textIndexOf(source)?.keys ?? {}).flatMap((name) => {
    const path = parseFieldPath(name, 'record', '');
    return path.ok ? [{ path: path.value, part }] : [];
  });
}

/**
 * Refuses what only an index can answer that the definition has not: words are in no record by themselves, and a field without an index
 * of places may hold anything, of which MongoDB would take some for places and some not. It depends on the definition, and on no record.
 *
 * @throws Fault `query-needs-index`
 */
export function demandRequiredIndexes(collection: Collection, caller: Caller, query: RecordQuery): void {
  const { source } = collection;
  const condition = (): Condition<Value> => visibleCondition(collection, caller, query);
  if (query.text !== undefined) {
    const index = textIndexOf(source);
    if (index === undefined) throw lacking(wordFieldsOf(collection, caller), 'of words');
    if (!holdsAll(index, condition())) throw partial('words');
  }
  demandIndexed(collection, query, geoPathsOf);
  const near = query.near?.path.text;
  if (near === undefined) return;
  const own = source.indexes.filter((index) => geoPathsOf(index).includes(near));
  const leading = own.filter((index) => leadsTo(index, near, condition()));
  if (leading.length === 0) throw lacking({ [near]: '2dsphere' }, 'that begins with the place');
  if (!leading.some((index) => holdsAll(index, condition()))) throw partial('places');
}

/**
 * Refuses what asks, to be decided in memory, where fields lie that no index of the definition has checked in all records.
 *
 * @throws Fault `query-needs-index`
 */
export const demandPlaces = (collection: Pick<Collection, 'source'>, placing: Placing): void =>
  demandIndexed(collection, placing, wholeGeoPathsOf);

function demandIndexed(
  { source }: Pick<Collection, 'source'>,
  { condition, near }: Placing,
  placesOf: (index: IndexDefinition) => string[],
): void {
  const asked = [...(near === undefined ? [] : [near.path.text]), ...askedPlaces(condition)];
  if (asked.length === 0) return;
  const places = new Set(source.indexes.flatMap(placesOf));
  const missing = asked.find((path) => !places.has(path));
  if (missing !== undefined) throw lacking({ [missing]: '2dsphere' }, 'of places');
}

/** Whether {@link demandPlaces} takes a condition. */
export function arePlaced({ source }: Pick<Collection, 'source'>, condition: Condition<unknown>): boolean {
  return askedPlaces(condition).every((path) => source.indexes.some((index) => wholeGeoPathsOf(index).includes(path)));
}

/** What asks where something lies. */
interface Placing {
  readonly condition: Condition<unknown>;
  readonly near?: RecordQuery['near'];
}

/** The index of words of a definition. */
export const textIndexOf = ({ indexes }: Collection['source']): IndexDefinition | undefined =>
  indexes.find(({ keys }) => isTextIndex(keys));

/** Before the place there may be fields of which the query says what they hold. */
function leadsTo({ keys }: IndexDefinition, place: string, condition: Condition<Value>): boolean {
  const names = Object.keys(keys);
  const before = names.slice(0, names.indexOf(place));
  if (before.length === 0) return true;
  const [conjuncts = [], ...more] = alternativesOf(condition);
  return (
    more.length === 0 && before.every((name) => conjuncts.some(({ path, help }) => path === name && help !== 'wide'))
  );
}

/** What may hold words; told to administrators alone, since whoever asks for words names no field. */
function wordFieldsOf({ schema, scalarTypesAt }: Collection, { administrator }: Caller): Keys {
  if (!administrator) return {};
  const names = declaredFields(schema.source).filter((name) => scalarTypesAt([name])?.has('string') === true);
  return Object.fromEntries(names.slice(0, mostWordFields).map((name) => [name, 'text' as const]));
}

function lacking(keys: Keys, kind: string): Error {
  const indexes = Object.keys(keys).length === 0 ? [] : [{ keys }];
  const advice = indexes.length === 0 ? '' : `: ${JSON.stringify(indexes[0])}`;
  return queryNeedsIndex({
    detail: `The query needs an index ${kind}, which an administrator may add${advice}.`,
    extensions: { indexes },
  });
}

const partial = (what: string): Error =>
  queryNeedsIndex({
    detail: `The index of ${what} holds some of the records only: ask for these in the filter too, as the index's \`where\` does.`,
    extensions: { indexes: [] },
  });
