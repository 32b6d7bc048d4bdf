import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { recordsCollection } from '../collections/collection.model.ts';
import type { RecordDocument } from '../records/record.model.ts';
import { openTestData } from './test-data.ts';
import type { Answered, Person, TestCall, TestData, TestReplica } from './test-data.ts';

/** A collection with encrypted fields: one of its own, a part of an object, and whole values. */
export const patients = {
  schema: {
    type: 'object',
    required: ['name'],
    properties: {
      name: { type: 'string' },
      ssn: { type: ['string', 'null'], maxLength: 80 },
      visits: { type: 'integer' },
      tags: { type: 'array', items: { type: 'string' } },
      contact: { type: 'object', properties: { phone: { type: 'string' }, city: { type: 'string' } } },
    },
  },
  fields: {
    ssn: { encrypted: true },
    visits: { encrypted: true },
    tags: { encrypted: true },
    'contact.phone': { encrypted: true },
  },
  rules: { read: 'public', create: 'signed-in', update: 'signed-in', delete: 'signed-in' },
} as const;

/** The same without what is encrypted. */
export const plainPatients = { schema: patients.schema, rules: patients.rules } as const;

/** What came of a call, as text: its status, and of a problem each place with its code. */
export const outcomeOf = ({ status, body }: Answered): string => {
  const { errors = [] } = body as unknown as {
    readonly errors?: readonly { readonly pointer?: string; readonly parameter?: string; readonly code: string }[];
  };
  return [status, ...errors.map(({ pointer, parameter, code }) => `${pointer ?? parameter ?? ''} ${code}`)].join(' ');
};

/** A world with such collections. */
export interface TestPatients {
  readonly data: TestData;
  readonly replica: TestReplica;
  readonly admin: Person;
  readonly ada: Person;
  call(methodAndPath: string, options?: TestCall, by?: Person): Promise<Answered>;
  /** Defines a collection, and gives its name and id. */
  define(definition?: object, name?: string): Promise<{ readonly name: string; readonly id: string }>;
  /** Sends a definition, of a new collection where no name is given. */
  put(definition: object, name?: string, query?: string): Promise<Answered>;
  /** Creates a record, and gives its id. */
  create(name: string, fields: object): Promise<string>;
  read(name: string, id: string): Promise<Record<string, unknown>>;
  /** The document as it lies in MongoDB. */
  raw(collectionId: string, id: string): Promise<RecordDocument>;
  rawAll(collectionId: string): Promise<RecordDocument[]>;
}

/** Opens one. */
export async function openTestPatients(): Promise<TestPatients> {
  const data = await openTestData();
  const replica = await data.replica();
  const [admin, ada] = [await data.person({ roles: ['admin'] }), await data.person()];
  const call: TestPatients['call'] = (methodAndPath, options = {}, by = admin) =>
    replica.call(methodAndPath, { token: by.token, ...options });
  const recordsOf = (id: string) => data.db.collection<RecordDocument>(recordsCollection(id));
  const newName = (): string => `p${randomUUID().slice(0, 8)}`;
  const put: TestPatients['put'] = (definition, name = newName(), query = '') =>
    call(`PUT /v1/collections/${name}${query}`, { body: definition });
  const majority = { readConcern: { level: 'majority' } } as const;
  return {
    ...{ data, replica, admin, ada, call },
    put,
    async define(definition = patients, name = newName()) {
      const answer = await put(definition, name);
      assert.ok(answer.status < 300, answer.text);
      return { name, id: String(answer.body.id) };
    },
    async create(name, fields) {
      const answer = await call(`POST /v1/data/${name}`, { body: fields });
      assert.equal(answer.status, 201, answer.text);
      return String(answer.body.id);
    },
    async read(name, id) {
      const answer = await call(`GET /v1/data/${name}/${id}`);
      assert.equal(answer.status, 200, answer.text);
      return answer.body;
    },
    async raw(collectionId, id) {
      return (await recordsOf(collectionId).findOne({ _id: id }, majority)) ?? assert.fail('it is not there');
    },
    rawAll: (collectionId) => recordsOf(collectionId).find({}, majority).sort({ _id: 1 }).toArray(),
  };
}

/** The fields of a record as it is answered. */
export const fieldsOf = (record: Readonly<Record<string, unknown>>): Record<string, unknown> => {
  const own = ['id', 'revision', 'createdAt', 'updatedAt', 'createdBy', 'updatedBy'];
  return Object.fromEntries(Object.entries(record).filter(([name]) => !own.includes(name)));
};
