import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import type { Answered, Person, TestCall, TestData, TestReplica } from '../../testing/test-data.ts';
import type { Asker, GeneratedEntry, GeneratedWorld } from './generate-world.ts';
import { authors, worldIndexes, worldSchema } from './generate-world.ts';
import { projectsDefinition } from './generate-projects.ts';

/** A generated world that is served, and whoever asks of it. */
export interface OpenWorld {
  /** The collection's name. */
  readonly name: string;
  readonly replica: TestReplica;
  /** Ids of its records, in their order. */
  readonly ids: readonly string[];
  /** What its records refer to: the collection's name, and the ids. */
  readonly projects: { readonly name: string; readonly ids: readonly string[] };
  /** Somebody; undefined for nobody. */
  person(asker: Asker): (Person & { readonly roles: readonly string[]; readonly org?: string }) | undefined;
  /** Calls as somebody; where the call has no collection's name, `*` stands for it. */
  call(asker: Asker, methodAndPath: string, options?: TestCall): Promise<Answered>;
  /** Puts the ids of persons and of projects in their places. */
  filled<Value>(value: Value): Value;
  /** Has their authors send records, and gives their ids. */
  send(entries: readonly GeneratedEntry[]): Promise<readonly string[]>;
  /** Puts rules in the place of those that there are. */
  define(rules: unknown, fields: unknown): Promise<Answered>;
}

const open = { read: 'signed-in', create: 'signed-in', update: 'signed-in', delete: 'signed-in' };

type Persons = ReadonlyMap<Asker, NonNullable<ReturnType<OpenWorld['person']>>>;

/** What the tokens of those who ask say of them. */
export const claims: Readonly<
  Record<Exclude<Asker, 'nobody'>, { readonly roles: readonly string[]; readonly org?: string }>
> = {
  ada: { roles: ['member'], org: 'org_1' },
  bob: { roles: ['member', 'editor'] },
  eve: { roles: ['member'], org: 'org_2' },
  stranger: { roles: [] },
  admin: { roles: ['admin'] },
};

/** Rules that no generated world has: whoever follows a feed is told that they are others. */
export const ofNobody = { read: [{ key: 'of no record' }] };

/** What a definition says of fields, whatever its rules. */
const optionsOf = (projects: string, { isSealed }: GeneratedWorld): Readonly<Record<string, object>> => ({
  project: { reference: { collection: projects } },
  ref: { reference: { collection: projects, onDelete: 'null' } },
  ...(isSealed ? { secret: { encrypted: true } } : {}),
});

/** Makes what records refer to, for all to see until {@link closeProjects}. */
async function makeProjects(
  call: OpenWorld['call'],
  name: string,
  projects: readonly object[],
): Promise<readonly string[]> {
  const defined = await call('admin', `PUT /v1/collections/${name}`, { body: { ...projectsDefinition, rules: open } });
  assert.equal(defined.status, 201, defined.text);
  const operations = projects.map((fields) => ({ op: 'create', collection: name, fields }));
  const made = await call('admin', 'POST /v1/batch', { body: { operations } });
  assert.equal(made.status, 200, made.text);
  return (made.body.results as unknown as readonly { readonly id: string }[]).map(({ id }) => id);
}

async function closeProjects(call: OpenWorld['call'], name: string): Promise<void> {
  const closed = await call('admin', `PUT /v1/collections/${name}`, { body: projectsDefinition });
  assert.equal(closed.status, 200, closed.text);
}

async function makePersons(data: TestData): Promise<Persons> {
  const made = Object.entries(claims).map(
    async ([asker, own]) => [asker as Asker, { ...(await data.person(own)), ...own }] as const,
  );
  return new Map(await Promise.all(made));
}

/**
 * Has a world served: its records are sent by their authors, before its rules hold.
 *
 * @returns undefined where its definition is refused, as that of one may be that was made smaller
 */
export async function openWorld(
  { data, replica }: { readonly data: TestData; readonly replica: TestReplica },
  world: GeneratedWorld,
): Promise<OpenWorld | undefined> {
  const name = `c${randomUUID().slice(0, 8)}`;
  const persons = await makePersons(data);
  const names = new Map(authors.map((author) => [`"@${author}"`, JSON.stringify(persons.get(author)?.id)]));
  const filled: OpenWorld['filled'] = (value) => {
    const text = [...names].reduce((before, [own, id]) => before.replaceAll(own, id), JSON.stringify(value));
    return JSON.parse(text) as typeof value;
  };
  const call: OpenWorld['call'] = (asker, methodAndPath, options = {}) =>
    replica.call(methodAndPath.replace('*', name), { ...options, token: persons.get(asker)?.token });
  const projectsName = `${name}p`;
  const options = optionsOf(projectsName, world);
  const define: OpenWorld['define'] = (rules, fields) => {
    const given = fields as Readonly<Record<string, object>>;
    const declared = Object.keys({ ...options, ...given }).map((path) => [path, { ...options[path], ...given[path] }]);
    const body = { schema: worldSchema, indexes: worldIndexes, rules, fields: Object.fromEntries(declared) as unknown };
    return call('admin', 'PUT /v1/collections/*', { body });
  };
  const send: OpenWorld['send'] = async (entries) => {
    for (const author of new Set(entries.map(({ by }) => by))) {
      const own = filled(entries.filter(({ by }) => by === author)).map(({ fields }) => JSON.stringify(fields));
      const type = 'application/x-ndjson';
      const sent = await call(author as Asker, 'POST /v1/data/*', { body: own.join('\n'), type });
      assert.equal(sent.body.created, own.length, sent.text);
    }
    const keys = entries.map(({ fields }) => fields.key);
    const found = await call('admin', 'POST /v1/data/*/query', {
      body: { filter: { key: { $in: keys } }, limit: 200 },
    });
    const items = found.body.items as unknown as readonly { readonly id: string; readonly key: string }[];
    return keys.map((key) => items.find((each) => each.key === key)?.id ?? assert.fail(`${String(key)} is not there`));
  };
  const projectIds = await makeProjects(call, projectsName, filled(world.projects));
  for (const [index, id] of projectIds.entries()) names.set(`"@project${index}"`, JSON.stringify(id));
  const made = await define(open, {});
  assert.equal(made.status, 201, made.text);
  const ids = await send(world.records);
  await closeProjects(call, projectsName);
  const defined = await define(filled(world.rules), filled(world.fields));
  if (defined.status !== 200) return undefined;
  const projects = { name: projectsName, ids: projectIds };
  return { name, replica, ids, projects, person: (asker) => persons.get(asker), call, filled, send, define };
}
