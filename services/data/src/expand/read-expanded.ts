import type { ReadAfterOptions } from '@causeway/events';
import type { Db } from 'mongodb';

import type { Collection } from '../collections/collection-registry.ts';
import { fieldsKey } from '../conditions/field-path.ts';
import { partOf } from '../queries/project-record.ts';
import { queryTooCostly } from '../queries/queries.errors.ts';
import type { Shown, VisibleRecord } from '../records/record.model.ts';
import { answerRecord } from '../records/record.model.ts';
import type { LookTime } from '../pacing/look-time.ts';
import { idsAt } from '../references/referenced-ids.ts';
import { readReferred } from '../references/read-referred.ts';
import type { Caller } from '../rules/rule.ts';
import type { ExpandedStep } from './expanded-step.ts';
import type { Expansion } from './expansion.ts';
import { expandLimits, expandName } from './expansion.ts';

/** How what is expanded is read. */
export interface ReadExpanded {
  readonly db: Db;
  readonly caller: Caller;
  /** When, for rules. */
  readonly at: Date;
  readonly read: ReadAfterOptions;
  /** What is left of the time of the whole answer. */
  readonly time: LookTime;
}

/** What is kept of a record beside its text: its references that are followed. */
export type Referring = Shown<Partial<Pick<VisibleRecord, 'fields'>>>;

/** Of a record, what of it is asked for from here on: a page of large ones is not held twice. */
export const referringIn = (record: Shown<VisibleRecord>, expansions: readonly Expansion[]): Referring =>
  partOf(
    record,
    expansions.map(({ segments }) => [fieldsKey, ...segments]),
  );

/** A record that others name, and as it is answered to who sees it so. */
export interface ExpandedRecord {
  readonly row: Referring;
  readonly text: string;
}

/** What was found; it has all records that are seen, whatever path leads to them. */
export interface Expanded {
  /** A record that a reference names; undefined where there is none that the caller sees. */
  get(expansion: Expansion, id: string): ExpandedRecord | undefined;
  readonly steps: ExpandedStep[];
}

/** An expansion, and the records whose references it follows. */
interface Front {
  readonly expansion: Expansion;
  readonly rows: readonly Referring[];
}

/** What a level asks of one collection. */
interface Question {
  readonly target: Collection;
  readonly paths: string[];
  readonly ids: Set<string>;
}

/**
 * Reads what records refer to, level by level: one question to each collection for each level, however many records there are.
 *
 * @param rows - as they are seen: what is hidden in them is not followed
 * @throws Fault `query-too-costly`, `rule-too-costly`; what MongoDB says, or OutOfTime, where the time is up
 */
export async function readExpanded(
  expansions: readonly Expansion[],
  rows: readonly Referring[],
  reading: ReadExpanded,
): Promise<Expanded> {
  /** By collection and id; undefined for what was looked for, and is not seen. */
  const known = new Map<string, Map<string, ExpandedRecord | undefined>>();
  const knownOf = (id: string) => {
    const own = known.get(id) ?? new Map<string, ExpandedRecord | undefined>();
    known.set(id, own);
    return own;
  };
  const get: Expanded['get'] = ({ target }, id) => target && known.get(target.id)?.get(id);
  const steps: ExpandedStep[] = [];
  const bound = createBound();
  const followed = followedByTarget(expansions);

  const ask = async (level: number, { target, paths, ids }: Question): Promise<ExpandedStep> => {
    const own = knownOf(target.id);
    const missing = [...ids].filter((id) => !own.has(id));
    bound.ask(missing.length);
    for (const id of missing) own.set(id, undefined);
    reading.time.demand();
    if (missing.length > 0) {
      for await (const record of readReferred(target, missing, reading)) {
        const text = JSON.stringify(answerRecord(record));
        bound.read(text.length);
        own.set(record._id, { row: referringIn(record, followed.get(target.id) ?? []), text });
      }
    }
    const found = [...ids].filter((id) => own.get(id) !== undefined).length;
    return { level, collection: target.name, paths, asked: ids.size, found };
  };

  let fronts: readonly Front[] = expansions.map((expansion) => ({ expansion, rows }));
  for (let level = 1; fronts.length > 0; level += 1) {
    steps.push(...(await Promise.all(questionsOf(fronts).map((question) => ask(level, question)))));
    fronts = fronts.flatMap(({ expansion, rows: own }) => {
      if (expansion.inner.length === 0) return [];
      const inner = [...idsOf(own, expansion)].flatMap((id) => get(expansion, id)?.row ?? []);
      return expansion.inner.map((each) => ({ expansion: each, rows: inner }));
    });
  }
  return { get, steps };
}

/** By the ids of collections, what is followed from their records, whatever has led there. */
function followedByTarget(expansions: readonly Expansion[]): ReadonlyMap<string, readonly Expansion[]> {
  const found = new Map<string, Expansion[]>();
  const gather = (own: readonly Expansion[]): void => {
    for (const { target, inner } of own) {
      if (target !== undefined) found.set(target.id, [...(found.get(target.id) ?? []), ...inner]);
      gather(inner);
    }
  };
  gather(expansions);
  return found;
}

const idsOf = (rows: readonly Referring[], { segments }: Expansion): ReadonlySet<string> =>
  new Set(rows.flatMap(({ fields }) => idsAt(fields, segments).map(({ id }) => id)));

function questionsOf(fronts: readonly Front[]): readonly Question[] {
  const questions = new Map<string, Question>();
  for (const { expansion, rows } of fronts) {
    const { target, path } = expansion;
    if (target === undefined) continue;
    const question = questions.get(target.id) ?? { target, paths: [], ids: new Set<string>() };
    questions.set(target.id, question);
    question.paths.push(path);
    for (const id of idsOf(rows, expansion)) question.ids.add(id);
  }
  return [...questions.values()];
}

/** Bounds what is looked for, and what of it has to be held before anything is answered. */
function createBound(): { ask(records: number): void; read(length: number): void } {
  let [records, length] = [0, 0];
  return {
    ask(more) {
      records += more;
      if (records > expandLimits.records) throw tooManyExpanded();
    },
    read(more) {
      length += more;
      if (length > expandLimits.length) throw tooLongExpanded();
    },
  };
}

const way = `narrow the query, lower its limit, or leave something out of expand (\`${expandName}\`).`;

const tooManyExpanded = (): Error =>
  queryTooCostly({
    detail: `With expand, more than ${expandLimits.records} records would be looked for: ${way}`,
    extensions: { limit: expandLimits.records },
  });

/** The fault of more than fits into an answer beside its records. */
export const tooLongExpanded = (): Error =>
  queryTooCostly({
    detail: `With expand, more than ${expandLimits.length} characters would be shown beside the records: ${way}`,
    extensions: { limit: expandLimits.length },
  });
