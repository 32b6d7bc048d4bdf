import assert from 'node:assert/strict';

import { createAsking } from '../../testing/asked-data.ts';
import type { Answered, Person, TestData, TestReplica } from '../../testing/test-data.ts';

/** An object, as it is answered. */
export type Json = Readonly<Record<string, unknown>>;

const text = { type: 'string' } as const;
const id = { type: ['string', 'null'] } as const;
const ids = { type: 'array', items: text } as const;
const to = (collection: string): object => ({ reference: { collection } });
const writes = { create: 'signed-in', update: 'signed-in', delete: 'signed-in' } as const;

/** Collections that refer to each other: tasks to projects and people, projects to people, people to themselves. */
export interface ExpandWorld {
  readonly asking: ReturnType<typeof createAsking>;
  readonly admin: Person;
  readonly ada: Person;
  readonly eve: Person;
  /** Creates a record as an administrator. @returns its id */
  create(collection: string, body: object): Promise<string>;
  patch(collection: string, id: string, body: object): Promise<Answered>;
  /** Calls as somebody, or nobody. */
  get(path: string, by?: Person, headers?: Record<string, string>, at?: TestReplica): Promise<Answered>;
  /** The records of a list, as somebody sees them. */
  items(path: string, by?: Person): Promise<readonly Json[]>;
}

/** Of a collection whose `salary` is seen by the one it is of, and some of whose records nobody sees. */
export const people = {
  schema: { properties: { name: text, who: text, salary: { type: 'number' }, boss: id, hidden: { type: 'boolean' } } },
  fields: { salary: { read: [{ who: { $auth: 'sub' } }] }, boss: to('people') },
  rules: { ...writes, read: [{ hidden: { $ne: true } }] },
};

const projects = {
  schema: { properties: { name: text, open: { type: 'boolean' }, owner: id, members: ids, sponsor: id } },
  fields: { owner: to('people'), members: to('people'), sponsor: { ...to('people'), read: [] } },
  rules: { ...writes, read: [{ open: true }] },
};

const tasks = {
  schema: {
    properties: {
      title: text,
      n: { type: 'integer' },
      project: id,
      reviewers: ids,
      meta: { type: 'object', properties: { author: id } },
      // Seen by who is named in the record, and by nobody.
      guide: id,
      shown: text,
      spy: id,
    },
  },
  indexes: [{ keys: { n: 1 } }],
  fields: {
    project: to('projects'),
    reviewers: to('people'),
    'meta.author': to('people'),
    guide: { ...to('people'), read: [{ shown: { $auth: 'sub' } }] },
    spy: { ...to('people'), read: [] },
  },
  rules: { ...writes, read: 'public' },
};

/** Defines the collections. */
export async function openExpandWorld(data: TestData, replica: TestReplica): Promise<ExpandWorld> {
  const [admin, ada, eve] = await Promise.all([data.person({ roles: ['admin'] }), data.person(), data.person()]);
  const asking = createAsking(replica, admin);
  await asking.define('people', people);
  await asking.define('projects', projects);
  await asking.define('tasks', tasks);
  const get: ExpandWorld['get'] = (path, by, headers = {}, at = replica) =>
    at.call(`GET /v1/data/${path}`, { token: by?.token, headers });
  return {
    asking,
    admin,
    ada,
    eve,
    get,
    async create(collection, body) {
      const created = await replica.call(`POST /v1/data/${collection}`, { body, token: admin.token });
      assert.equal(created.status, 201, created.text);
      return String(created.body.id);
    },
    async patch(collection, record, body) {
      const type = 'application/merge-patch+json';
      const patched = await replica.call(`PATCH /v1/data/${collection}/${record}`, { body, type, token: admin.token });
      assert.equal(patched.status, 200, patched.text);
      return patched;
    },
    async items(path, by) {
      const { status, body, text: told } = await get(path, by);
      assert.equal(status, 200, told);
      return body.items as unknown as readonly Json[];
    },
  };
}

/** What is shown beside a record. */
export const besideOf = (record: Json | undefined): Json => (record?._expand ?? {}) as Json;

/** The names of records that are shown, in their order; null for none. */
export const namesOf = (shown: unknown): unknown => {
  if (Array.isArray(shown)) return shown.map(namesOf);
  return shown === null || shown === undefined ? shown : (shown as Json).name;
};
