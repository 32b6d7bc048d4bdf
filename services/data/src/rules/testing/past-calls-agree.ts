import assert from 'node:assert/strict';

import type { Random } from '../../conditions/testing/random.ts';
import { valueAt } from '../../fields/value-at.ts';
import { mergePatchType } from '../../records/merge-patch.ts';
import { awaitLogged } from '../../testing/logged-events.ts';
import type { TestData } from '../../testing/test-data.ts';
import type { TriedRules } from '../try/try-rules.ts';
import type { Edit } from './edit.ts';
import { asMerge } from './edit.ts';
import type { Asker, GeneratedWorld } from './generate-world.ts';
import { askers, generateWorld } from './generate-world.ts';
import type { OpenWorld } from './open-world.ts';
import type { Json } from './reader-paths.ts';
import { common } from './writer-paths.ts';

/** What somebody does with a record, while everybody may do everything. */
type Act = { readonly asker: Asker } & (
  { readonly kind: 'update'; readonly edits: readonly Edit[] } | { readonly kind: 'delete' }
);

/** A world in which something has been done, and the rules by which it is judged afterwards. */
export interface PastCallsCase {
  readonly world: GeneratedWorld;
  readonly next: Pick<GeneratedWorld, 'rules' | 'fields'>;
  /** At each record one. */
  readonly acts: readonly Act[];
}

/** What the call of an event would be answered, as an administrator is told. */
interface AskedAgain {
  readonly action: 'create' | 'update' | 'delete';
  readonly record: string;
  readonly body: Json;
}

const open = { read: 'public', create: 'public', update: 'public', delete: 'public' };
const signedIn = askers.filter((asker) => asker !== 'nobody');

/** Nothing is what it was before: what is as it was may have been sent, or not. */
function generateEdits(random: Random, fields: Json): readonly Edit[] {
  const values: Json = {
    owner: random.pick(['@ada', '@bob', '@eve', 'nobody else']),
    status: random.pick(['open', 'closed', 'new']),
    team: random.pick(['org_1', 'org_2', 'org_9']),
    ...{ a: 'changed', n: 12_345, s: 'changed', list: ['changed'], 'b.a': 'changed', 'b.c': 99, 'd.b.a': 'changed' },
  };
  const paths = [...new Set([random.pick(Object.keys(values)), random.pick(Object.keys(values))])];
  return paths.flatMap((path) => {
    const value = values[path];
    return valueAt(fields, path.split('.')) === value ? [] : [{ path, value }];
  });
}

/**
 * Makes it; what is read-only, or written once, is left open: it is no rule. So is what is encrypted: of whether it was written no event tells, and
 * what depends on it is not judged.
 */
export function generatePastCallsCase(random: Random): PastCallsCase {
  const [world, next] = [generateWorld(random, 12), generateWorld(random, 0)];
  const rulesOnly = (fields: Json): Json =>
    Object.fromEntries(
      Object.entries(fields)
        .map(([path, options]) => {
          const { readOnly: _readOnly, writeOnce: _writeOnce, ...rules } = options as Json;
          return [path, rules] as const;
        })
        .filter(([path, rules]) => path !== 'secret' && Object.keys(rules).length > 0),
    );
  const acts = world.records.map(({ fields }, index): Act => {
    const asker = random.pick(signedIn);
    return index < 9 ? { kind: 'update', asker, edits: generateEdits(random, fields) } : { kind: 'delete', asker };
  });
  return {
    world: { ...world, fields: rulesOnly(world.fields) },
    next: { rules: next.rules, fields: rulesOnly(next.fields) },
    acts,
  };
}

const whoOf = (world: OpenWorld, asker: Asker) => {
  const { roles, org, id: sub } = world.person(asker) ?? {};
  return asker === 'nobody' ? 'anonymous' : { sub, roles, org };
};

/**
 * Judges what has been done by two definitions, and holds it against what each of them says of the same call.
 *
 * @returns how many calls would be answered otherwise
 * @throws AssertionError
 */
export async function demandPastCallsAgree(
  data: Pick<TestData, 'db'>,
  world: OpenWorld,
  { world: given, next, acts }: PastCallsCase,
): Promise<number> {
  assert.equal((await world.define(open, {})).status, 200);
  const calls = given.records.map(({ by, fields }, index): AskedAgain => {
    const body = { who: whoOf(world, by as Asker), action: 'create', record: world.filled(fields) };
    return { action: 'create', record: world.ids[index] ?? '', body };
  });
  for (const [index, act] of acts.entries()) calls.push(...(await done(world, world.ids[index] ?? '', act)));
  assert.equal((await world.define(world.filled(given.rules), world.filled(given.fields))).status, 200);
  await awaitLogged(data, world.name, calls.length);

  const paths = [...new Set([...Object.keys(given.fields), ...Object.keys(next.fields)])];
  const fields = paths.map(
    (path) => [path, { read: null, write: null, ...((next.fields[path] ?? {}) as Json) }] as const,
  );
  const asked = ['read', 'create', 'update', 'delete'].map((action) => [action, next.rules[action] ?? null] as const);
  const body = {
    collection: world.name,
    who: askers.map((asker) => whoOf(world, asker)),
    ...world.filled({ rules: Object.fromEntries(asked), fields: Object.fromEntries(fields) }),
  };
  const answer = await world.call('admin', 'POST /v1/rules/try', { body });
  const before = await explainAll(world, calls);
  const defined = await world.define(world.filled(next.rules), world.filled(next.fields));
  if (defined.status !== 200) {
    assert.equal(answer.status, 400, answer.text);
    return 0;
  }
  assert.equal(answer.status, 200, answer.text);
  const after = await explainAll(world, calls);
  const { events } = answer.body as unknown as TriedRules;
  assert.deepEqual([events.looked, events.unjudged], [calls.length, []]);
  let changed = 0;
  for (const action of ['create', 'update', 'delete'] as const) {
    const own = [...calls.entries()].filter(([, call]) => call.action === action);
    const { judged, gains, losses } = events.calls[action];
    assert.equal(judged, own.length, action);
    for (const [name, told, was] of [
      ['gains', gains, false],
      ['losses', losses, true],
    ] as const) {
      const due = own
        .filter(([index]) => before[index] === was && after[index] === !was)
        .map(([, { record }]) => record);
      const about = `${action}, ${name}: ${JSON.stringify({ told, due })}`;
      assert.equal(told.count, due.length, about);
      assert.ok(
        told.examples.every(({ record }) => due.includes(record)),
        about,
      );
      assert.equal(told.examples.length, Math.min(5, due.length), about);
      changed += due.length;
    }
  }
  return changed;
}

/** Does it. @returns nothing where it has changed nothing */
async function done(world: OpenWorld, id: string, act: Act): Promise<readonly AskedAgain[]> {
  const path = `/v1/data/*/${id}`;
  const record = (await world.call('admin', `GET ${path}`)).body as Json;
  const asked = { who: whoOf(world, act.asker), action: act.kind, record };
  if (act.kind === 'delete') {
    assert.equal((await world.call(act.asker, `DELETE ${path}`)).status, 204);
    return [{ action: 'delete', record: id, body: asked }];
  }
  const change = world.filled(asMerge(act.edits));
  const answer = await world.call(act.asker, `PATCH ${path}`, { body: change, type: mergePatchType });
  assert.equal(answer.status, 200, answer.text);
  const isChanged = answer.headers.get('causeway-event') !== null;
  assert.equal(isChanged, JSON.stringify(common(answer.body)) !== JSON.stringify(common(record)));
  return isChanged ? [{ action: 'update', record: id, body: { ...asked, change } }] : [];
}

async function explainAll(world: OpenWorld, calls: readonly AskedAgain[]): Promise<readonly boolean[]> {
  const allowed: boolean[] = [];
  for (const { body } of calls) {
    const explained = await world.call('admin', 'POST /v1/rules/explain', {
      body: { collection: world.name, ...body },
    });
    assert.equal(explained.status, 200, explained.text);
    allowed.push((explained.body as unknown as { readonly allowed: boolean }).allowed);
  }
  return allowed;
}
