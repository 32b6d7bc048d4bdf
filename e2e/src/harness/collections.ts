import { randomBytes } from 'node:crypto';
import { call } from './client.ts';
import { expectStatus } from './expectations.ts';

/** A rule: a list of alternatives, or a word. */
export type Rule = 'public' | 'signed-in' | readonly unknown[];

export interface CollectionOptions {
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly required?: readonly string[];
  readonly indexes?: readonly unknown[];
  readonly onErase?: 'keep' | 'delete';
  /** What the definition says of fields beside the schema. */
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly rules?: Readonly<Partial<Record<'read' | 'create' | 'update' | 'delete', Rule>>>;
}

const openToMembers = { read: 'signed-in', create: 'signed-in', update: 'signed-in', delete: 'signed-in' } as const;

/**
 * Defines a collection that nobody else uses.
 *
 * @param token - an administrator's
 * @returns its name
 */
export async function defineCollection(token: string, options: CollectionOptions = {}): Promise<string> {
  const name = `e2e-${randomBytes(6).toString('hex')}`;
  const { properties, required = ['title'], indexes = [], rules = openToMembers, onErase, fields } = options;
  const schema = {
    type: 'object',
    required,
    properties: properties ?? {
      title: { type: 'string', maxLength: 200 },
      status: { enum: ['draft', 'published'] },
      score: { type: 'number' },
      tags: { type: 'array', items: { type: 'string' } },
      author: { type: 'string' },
    },
  };
  const json = { schema, indexes, rules, onErase, fields };
  expectStatus(await call('PUT', `/v1/collections/${name}`, { token, json }), 201);
  return name;
}

/** A record as it is answered. */
export type StoredRecord = Readonly<Record<string, unknown>> & { readonly id: string; readonly revision: number };

/** Creates a record and returns it. */
export async function createRecord(collection: string, token: string, json: unknown): Promise<StoredRecord> {
  return expectStatus(await call('POST', `/v1/data/${collection}`, { token, json }), 201).json<StoredRecord>();
}

/** A page of a collection. */
export interface Page {
  readonly items: readonly StoredRecord[];
  readonly nextCursor: string | null;
  readonly count?: number;
}

/** Reads one page. */
export async function listRecords(
  collection: string,
  token: string,
  query: Readonly<Record<string, string | undefined>> & { readonly filter?: never } = {},
  filter?: unknown,
): Promise<Page> {
  const all = { ...query, filter: filter === undefined ? undefined : JSON.stringify(filter) };
  return expectStatus(await call('GET', `/v1/data/${collection}`, { token, query: all }), 200).json<Page>();
}

/** Reads all that somebody sees of a collection. */
export async function exportRecords(collection: string, token: string | undefined): Promise<readonly StoredRecord[]> {
  const headers = { accept: 'application/x-ndjson' };
  const { text } = expectStatus(await call('GET', `/v1/data/${collection}`, { token, headers }), 200);
  return text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as StoredRecord]));
}
