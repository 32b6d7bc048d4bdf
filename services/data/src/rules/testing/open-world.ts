import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import type { Answered, Person, TestCall, TestData, TestReplica } from '../../testing/test-data.ts';
import type { Asker, GeneratedEntry, GeneratedWorld } from './generate-world.ts';
import { authors, worldSchema } from './generate-world.ts';

/** A generated world that is served, and whoever asks of it. */
export interface OpenWorld {
  /** The collection's name. */
  readonly name: string;
  readonly replica: TestReplica;
  /** Ids of its records, in their order. */
  readonly ids: readonly string[];
  /** Somebody; undefined for nobody. */
  person(asker: Asker): (Person & { readonly roles: readonly string[]; readonly org?: string }) | undefined;
  /** Calls as somebody; where the call has no collection's name, `*` stands for it. */
  call(asker: Asker, methodAndPath: string, options?: TestCall): Promise<Answered>;
  /** Puts the persons' ids in their places. */
  filled<Value>(value: Value): Value;
  /** Has their authors send records, and gives their ids. */
  send(entries: readonly GeneratedEntry[]): Promise<readonly string[]>;
  /** Puts rules in the place of those that there are. */
  define(rules: unknown, fields: unknown): Promise<Answered>;
}

const open = { read: 'signed-in', create: 'signed-in', update: 'signed-in', delete: 'signed-in' };
const indexes = [{ keys: { key: 1 }, unique: true }];

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
  const filled: OpenWorld['filled'] = (value) => {
    const text = authors.reduce(
      (before, author) => before.replaceAll(`"@${author}"`, JSON.stringify(persons.get(author)?.id)),
      JSON.stringify(value),
    );
    return JSON.parse(text) as typeof value;
  };
  const call: OpenWorld['call'] = (asker, methodAndPath, options = {}) =>
    replica.call(methodAndPath.replace('*', name), { ...options, token: persons.get(asker)?.token });
  const define: OpenWorld['define'] = (rules, fields) =>
    call('admin', 'PUT /v1/collections/*', { body: { schema: worldSchema, indexes, rules, fields } });
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
  assert.equal((await define(open, {})).status, 201);
  const ids = await send(world.records);
  const defined = await define(filled(world.rules), filled(world.fields));
  if (defined.status !== 200) return undefined;
  return { name, replica, ids, person: (asker) => persons.get(asker), call, filled, send, define };
}
