import assert from 'node:assert/strict';

import type { Random } from '../../conditions/testing/random.ts';
import { valueAt } from '../../fields/value-at.ts';
import type { Changes } from '../try/changes.ts';
import type { TriedRules } from '../try/try-rules.ts';
import type { Asker, GeneratedWorld } from './generate-world.ts';
import { follows, spareProject } from './generate-projects.ts';
import { generateRule } from './generate-rules.ts';
import { askers, generateEntryFields, generateWorld } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';
import type { Json } from './reader-paths.ts';
import { getEach } from './record-paths.ts';
import { byFilter, createPaths } from './writer-paths.ts';

/** A world, and the rules that are tried in it. */
export interface TrialCase {
  readonly world: GeneratedWorld;
  readonly next: Pick<GeneratedWorld, 'rules' | 'fields'>;
  /** What its authors create under either rules. */
  readonly entries: readonly { readonly by: Asker; readonly fields: Json }[];
}

/** How much was found out: what somebody gains or loses. */
export type Found = Record<string, number>;

/** What a change makes is judged by itself: here it is the beginning that decides. */
const withOpenEnd = (random: Random, rules: Json): Json => ({
  ...rules,
  update: { before: generateRule(random, { follows }) ?? [], after: 'public' },
});

/** Each path with options of its own, as the others of the definition are. */
const rulesOnly = (fields: Json): Json =>
  Object.fromEntries(
    Object.entries(fields).flatMap(([path, options]) => {
      const { read, write } = options as Json;
      const own = { ...(read === undefined ? {} : { read }), ...(write === undefined ? {} : { write }) };
      return Object.keys(own).length === 0 ? [] : [[path, own]];
    }),
  );

/** A world with two definitions that differ in their rules. */
export function generateTrialCase(random: Random): TrialCase {
  const [world, other] = [generateWorld(random, 10), generateWorld(random, 0)];
  // Some keep what they have.
  const kept = Object.fromEntries(Object.entries(world.fields).filter(() => random.chance(50)));
  return {
    world: { ...world, rules: withOpenEnd(random, world.rules) },
    next: {
      rules: withOpenEnd(random, random.chance(30) ? world.rules : other.rules),
      fields: { ...rulesOnly(other.fields), ...rulesOnly(kept) },
    },
    entries: Array.from({ length: 6 }, () => ({ by: random.pick(askers), fields: generateEntryFields(random) })),
  };
}

/** What somebody can do, found out by doing it, or by a dry run. */
interface Doing {
  readonly read: ReadonlyMap<string, Json>;
  readonly update: ReadonlySet<string>;
  readonly delete: ReadonlySet<string>;
  /** By path the records in which they may write it. */
  readonly write: ReadonlyMap<string, ReadonlySet<string>>;
}

const elsewhere = { type: 'Point', coordinates: [100.7, -33.3] };

const others: Json = {
  ...{ owner: 'somebody else', status: 'other', n: 12_345, s: 'other', b: { c: 'other' }, 'd.b': { a: 'other' } },
  ...{ at: elsewhere, spot: elsewhere, project: spareProject, ref: spareProject },
};

const isWithin = (path: string, outer: string): boolean => path.startsWith(`${outer}.`);

/** A patch that changes one field. */
const patchOf = (path: string): Json =>
  path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), others[path] ?? 'other') as Json;

async function findOut(world: OpenWorld, asker: Asker, paths: readonly string[]): Promise<Doing> {
  const allowed = async (body?: Json): Promise<ReadonlySet<string>> => {
    const method = body === undefined ? 'DELETE' : 'PATCH';
    const ids = await Promise.all(
      world.ids.map(async (id) => {
        const own = body === undefined ? {} : { body };
        const { status } = await byFilter(world, asker, method, { id, ...own, dryRun: true });
        return status < 300 ? [id] : [];
      }),
    );
    return new Set(ids.flat());
  };
  const read = await getEach(world, asker);
  const update = await allowed({ key: 'another key' });
  const write = new Map<string, ReadonlySet<string>>();
  for (const path of paths) write.set(path, await allowed(world.filled(patchOf(path))));
  return { read, update, delete: await allowed(), write };
}

const whoOf = (world: OpenWorld, asker: Asker) => {
  const { roles, org, id: sub } = world.person(asker) ?? {};
  return asker === 'nobody' ? 'anonymous' : { sub, roles, org };
};

/** What is said to be gained and lost is what is. */
function demandChanges(
  told: Changes<string>,
  was: (id: string) => boolean,
  is: (id: string) => boolean,
  { ids, about, found }: { readonly ids: readonly string[]; readonly about: string; readonly found: Found },
): void {
  const sorted = ids.toSorted();
  const gained = sorted.filter((id) => !was(id) && is(id));
  const lost = sorted.filter((id) => was(id) && !is(id));
  const due = { gains: [gained.length, gained.slice(0, 5)], losses: [lost.length, lost.slice(0, 5)] };
  const shown = {
    gains: [told.gains.count, told.gains.examples],
    losses: [told.losses.count, told.losses.examples],
  };
  assert.deepEqual(shown, due, about);
  const kind = about.replace(/^[^:]*: /, '');
  for (const [name, some] of [
    ['gained', gained],
    ['lost', lost],
  ] as const) {
    if (some.length > 0) found[`${kind} ${name}`] = (found[`${kind} ${name}`] ?? 0) + some.length;
  }
}

/**
 * Tries rules, saves them, and holds what was said against what has changed.
 *
 * @throws AssertionError
 */
export async function demandTrialAgrees(
  world: OpenWorld,
  { world: given, next, entries }: TrialCase,
  found: Found,
): Promise<void> {
  const paths = [...new Set([...Object.keys(given.fields), ...Object.keys(next.fields)])];
  // A change of what lies within another one, or around it, is judged by both.
  const single = paths.filter((path) => !paths.some((each) => isWithin(each, path) || isWithin(path, each)));
  const fields = Object.fromEntries(
    paths.map((path) => {
      const { read = null, write = null } = (next.fields[path] ?? {}) as Json;
      return [path, { read, write }];
    }),
  );
  const asked = ['read', 'create', 'update', 'delete'].map((action) => [action, next.rules[action] ?? null] as const);
  const body = {
    collection: world.name,
    who: askers.map((asker) => whoOf(world, asker)),
    ...world.filled({ rules: Object.fromEntries(asked), fields }),
  };
  const before = new Map<Asker, Doing>();
  for (const asker of askers) before.set(asker, await findOut(world, asker, single));
  const answer = await world.call('admin', 'POST /v1/rules/try', { body });
  const created = await createAll(world, entries, 'present');
  const defined = await world.define(...definitionOf(world, given, next, paths));
  if (defined.status !== 200) {
    // Some paths are refused beside others; then so is the trial.
    assert.equal(answer.status, 400, answer.text);
    assert.deepEqual(answer.body.errors, defined.body.errors);
    return;
  }
  assert.equal(answer.status, 200, answer.text);
  const tried = answer.body as unknown as TriedRules;
  assert.deepEqual([tried.complete, tried.records.looked], [true, world.ids.length]);
  for (const [index, asker] of askers.entries()) {
    const [was, is] = [before.get(asker) ?? assert.fail(), await findOut(world, asker, single)];
    const row = tried.callers[index] ?? assert.fail();
    const options = (kind: string) => ({ ids: world.ids, about: `${asker}: ${kind}`, found });
    demandChanges(
      row.read,
      (id) => was.read.has(id),
      (id) => is.read.has(id),
      options('read'),
    );
    for (const action of ['update', 'delete'] as const) {
      demandChanges(
        row[action],
        (id) => was[action].has(id),
        (id) => is[action].has(id),
        options(action),
      );
    }
    for (const path of paths) {
      const none: Changes<string> = { gains: { count: 0, examples: [] }, losses: { count: 0, examples: [] } };
      const { read, write } = row.fields.find((each) => each.path === path) ?? { read: none, write: none };
      const sees = (doing: Doing, id: string): boolean => valueAt(doing.read.get(id), path.split('.')) !== undefined;
      const isBoth = (id: string): boolean => was.read.has(id) && is.read.has(id);
      const seen = (doing: Doing) => (id: string) => isBoth(id) && sees(doing, id);
      demandChanges(read, seen(was), seen(is), options(`field ${path}`));
      if (!single.includes(path)) continue;
      const writes = (doing: Doing) => (id: string) =>
        was.update.has(id) && is.update.has(id) && doing.write.get(path)?.has(id) === true;
      demandChanges(write, writes(was), writes(is), options(`writing ${path}`));
    }
  }
  const again = await createAll(world, entries, 'next');
  for (const [index, { by }] of entries.entries()) {
    const row = tried.callers[askers.indexOf(by)] ?? assert.fail();
    // Who can create something can create at all.
    assert.ok(!created[index] || row.create.now, `${by}: creates`);
    assert.ok(!again[index] || row.create.then, `${by}: would create`);
  }
}

/** The definition that was tried, as a whole. */
function definitionOf(
  world: OpenWorld,
  given: GeneratedWorld,
  next: TrialCase['next'],
  paths: readonly string[],
): Parameters<OpenWorld['define']> {
  const fields = paths.flatMap((path) => {
    const { read: _read, write: _write, ...kept } = (given.fields[path] ?? {}) as Json;
    const options = { ...kept, ...((next.fields[path] ?? {}) as Json) };
    return Object.keys(options).length === 0 ? [] : [[path, options] as const];
  });
  return [world.filled(next.rules), world.filled(Object.fromEntries(fields))];
}

/** Which of the entries could be created. */
async function createAll(world: OpenWorld, entries: TrialCase['entries'], key: string): Promise<readonly boolean[]> {
  const done: boolean[] = [];
  for (const [index, { by, fields }] of entries.entries()) {
    const outcome = await createPaths.POST?.(world, by, world.filled({ ...fields, key: `${key} ${index}` }));
    done.push(outcome?.status === 201);
  }
  return done;
}
