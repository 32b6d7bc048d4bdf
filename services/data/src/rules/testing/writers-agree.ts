import assert from 'node:assert/strict';

import { generateValue } from '../../conditions/testing/generate.ts';
import type { Random } from '../../conditions/testing/random.ts';
import type { Edit } from './edit.ts';
import { asMerge, editsOf } from './edit.ts';
import type { Asker, GeneratedWorld } from './generate-world.ts';
import { projectNames } from './generate-projects.ts';
import { generateSpot } from './generate-spots.ts';
import { askers, generateEntryFields, generateWorld, generateWords } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';
import type { Json } from './reader-paths.ts';
import type { Outcome } from './writer-paths.ts';
import { changePaths, common, createPaths, deletePaths, fieldsOf } from './writer-paths.ts';

/** What somebody tries to do, by all ways that there are. */
export type Attempt =
  | { readonly kind: 'change'; readonly asker: Asker; readonly edits: readonly Edit[] }
  | { readonly kind: 'delete'; readonly asker: Asker }
  | { readonly kind: 'create'; readonly asker: Asker; readonly fields: Json };

/** Attempts, each at a record of its own, of which there is a copy for each way. */
export interface WritersCase {
  readonly world: GeneratedWorld;
  readonly attempts: readonly Attempt[];
}

const pathsOf = { change: changePaths, delete: deletePaths, create: createPaths };

const editable = [
  ...['a', 'n', 's', 'list', 'b.a', 'b.c', 'd.b.a', 'owner', 'status', 'team', 'role'],
  ...['at', 'spot', 'project', 'ref', 'words', 'secret'],
];

/** Whether an upsert leaves it as it is where nothing is sent for it, as no other way does. */
const isKept = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && ('readOnly' in options || 'writeOnce' in options);

function generateEdit(random: Random, fields: Json, mayRemove: boolean): Edit {
  const guarded = Object.keys(fields).filter((path) => editable.includes(path));
  const path = random.pick(guarded.length > 0 && random.chance(60) ? guarded : editable);
  if (mayRemove && random.chance(40) && !isKept(fields[path])) return { path };
  if (path === 'owner') return { path, value: random.pick(['@ada', '@bob', 'nobody']) };
  if (path === 'status') return { path, value: random.pick(['open', 'closed']) };
  if (path === 's') return { path, value: random.pick(['a', 'b', 5]) };
  if (path === 'n') return { path, value: random.pick([1, 2, 'no number']) };
  if (path === 'at' || path === 'spot') return { path, value: random.chance(85) ? generateSpot(random) : 'nowhere' };
  if (path === 'project' || path === 'ref') return { path, value: random.pick([...projectNames, 'rec_none']) };
  if (path === 'words') return { path, value: generateWords(random) };
  const value = generateValue(random, 1);
  return { path, value: typeof value === 'object' && !Array.isArray(value) ? 7 : value };
}

/** A world with copies of its records, and what is tried. */
export function generateWritersCase(random: Random): WritersCase {
  const generated = generateWorld(random, 14);
  // By generated rules alone most may write nothing.
  const open = Object.fromEntries(
    ['read', 'create', 'update', 'delete'].filter(() => random.chance(60)).map((action) => [action, 'signed-in']),
  );
  const world = { ...generated, rules: { ...generated.rules, ...open } };
  const attempts = world.records.map((_, index): Attempt => {
    const asker = random.pick(askers);
    if (index >= 12) return { kind: 'create', asker, fields: generateEntryFields(random) };
    if (index >= 10) return { kind: 'delete', asker };
    const edits = [true, false]
      .slice(random.below(2))
      .map((mayRemove) => generateEdit(random, world.fields, mayRemove));
    return { kind: 'change', asker, edits: [...new Map(edits.map((each) => [each.path, each])).values()] };
  });
  return {
    world: { ...world, records: world.records.flatMap((entry, index) => copiesOf(entry, attempts[index])) },
    attempts,
  };
}

const copiesOf = ({ by, fields }: GeneratedWorld['records'][number], attempt: Attempt | undefined) =>
  attempt === undefined || attempt.kind === 'create'
    ? []
    : Object.keys(pathsOf[attempt.kind]).map((path) => ({
        by,
        fields: { ...fields, key: `${String(fields.key)} ${path}` },
      }));

/** How many attempts have come to what. */
export type Tally = Record<string, number>;

/**
 * Holds every way to write against every other: what it comes to, what is shown of it, and what is stored.
 *
 * @throws AssertionError
 */
export async function demandWritersAgree(
  world: OpenWorld,
  { world: given, attempts }: WritersCase,
  tally: Tally,
): Promise<void> {
  let next = 0;
  for (const attempt of attempts) {
    const paths = Object.keys(pathsOf[attempt.kind]);
    const copies = attempt.kind === 'create' ? [] : world.ids.slice(next, (next += paths.length));
    const keys = given.records.slice(next - copies.length, next).map(({ fields }) => String(fields.key));
    const outcomes = new Map<string, { readonly outcome: Outcome; readonly stored: Json | undefined }>();
    const explained = await explain(world, attempt, copies[0]);
    for (const [index, path] of paths.entries()) {
      const outcome = await tryBy(world, attempt, path, {
        id: copies[index] ?? '',
        key: keys[index] ?? `new ${next} ${path} ${tallied(tally)}`,
      });
      const stored = copies[index] === undefined ? undefined : await storedAs(world, copies[index]);
      outcomes.set(path, { outcome, stored });
    }
    demandSame(attempt, outcomes, explained);
    const { status, code = 'done' } = outcomes.get(paths[0] ?? '')?.outcome ?? assert.fail();
    const name = `${attempt.kind} ${status} ${String(code)}`;
    tally[name] = (tally[name] ?? 0) + 1;
  }
}

const tallied = (tally: Tally): number => Object.values(tally).reduce((sum, each) => sum + each, 0);

async function tryBy(
  world: OpenWorld,
  attempt: Attempt,
  path: string,
  { id, key }: { readonly id: string; readonly key: string },
): Promise<Outcome> {
  const { asker } = attempt;
  switch (attempt.kind) {
    case 'create':
      return (await createPaths[path]?.(world, asker, world.filled({ ...attempt.fields, key }))) ?? assert.fail(path);
    case 'delete':
      return (await deletePaths[path]?.(world, asker, id)) ?? assert.fail(path);
    case 'change': {
      const { status, body } = await world.call(asker, `GET /v1/data/*/${id}`);
      const target = { id, key, seen: status === 200 ? fieldsOf(body) : undefined };
      return (await changePaths[path]?.(world, asker, target, world.filled(attempt.edits))) ?? assert.fail(path);
    }
  }
}

async function storedAs(world: OpenWorld, id: string): Promise<Json | undefined> {
  const { status, body } = await world.call('admin', `GET /v1/data/*/${id}`);
  return status === 200 ? common(body) : undefined;
}

/** What an administrator is told that it would come to, as far as rules go. */
async function explain(world: OpenWorld, attempt: Attempt, id: string | undefined): Promise<number> {
  const { roles, org, id: sub } = world.person(attempt.asker) ?? {};
  const who = attempt.asker === 'nobody' ? 'anonymous' : { sub, roles, org };
  const about = { who, collection: world.name, action: attempt.kind === 'change' ? 'update' : attempt.kind };
  const more = async (): Promise<Json> => {
    if (attempt.kind === 'create') return { record: world.filled(attempt.fields) };
    if (attempt.kind === 'delete') return { id };
    const { status, body } = await world.call(attempt.asker, `GET /v1/data/*/${id}`);
    return { id, change: asMerge(editsOf(world.filled(attempt.edits), status === 200 ? fieldsOf(body) : {})) };
  };
  const answer = await world.call('admin', 'POST /v1/rules/explain', { body: { ...about, ...(await more()) } });
  assert.equal(answer.status, 200, answer.text);
  return (answer.body as unknown as { readonly status: number }).status;
}

/** What has been done by each way; a dry run does nothing, and some ways show no record. */
function demandSame(
  attempt: Attempt,
  outcomes: ReadonlyMap<string, { readonly outcome: Outcome; readonly stored: Json | undefined }>,
  explained: number,
): void {
  const [[first = '', expected] = []] = outcomes;
  assert.ok(expected !== undefined);
  for (const [path, { outcome, stored }] of outcomes) {
    const about = `${JSON.stringify(attempt)}: ${path}, beside ${first}`;
    // Who can write nothing at all is told so before any record is looked at, or what is wrong with the change, which is refused by every way.
    const isEarly = path.startsWith('by filter') && outcome.code === 'forbidden' && expected.outcome.status >= 400;
    const { record: _record, ...told } = outcome;
    const { record: _shown, ...due } = expected.outcome;
    if (!isEarly) assert.deepEqual(told, due, about);
    if (outcome.record !== undefined) assert.deepEqual(outcome.record, expected.outcome.record, about);
    if (!path.endsWith('dry')) assert.deepEqual(stored, expected.stored, `${about}, as it is stored`);
  }
  const { status, code } = expected.outcome;
  // It looks at rules alone.
  const isOfRules = status < 300 || ['not-found', 'forbidden', 'field-forbidden'].includes(String(code));
  if (isOfRules) assert.equal(explained, status < 300 ? 200 : status, `${JSON.stringify(attempt)}: explained`);
}
