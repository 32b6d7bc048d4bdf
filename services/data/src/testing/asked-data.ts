import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import type { Answered, Person, TestReplica } from './test-data.ts';

/** A record as a list answers it. */
export type Listed = Readonly<Record<string, unknown>> & { readonly id: string };

/** A page as it is answered. */
export interface AskedPage {
  readonly items: readonly Listed[];
  readonly nextCursor: string | null;
  readonly count?: number;
}

/** What a query of a list was answered. @throws AssertionError where it was refused */
export function pageOf(answer: Answered): AskedPage {
  assert.equal(answer.status, 200, answer.text);
  return answer.body as unknown as AskedPage;
}

/** Status, code, and where which faults are. */
export function faultsOf({ status, body }: Answered): readonly [number, unknown, readonly (readonly unknown[])[]] {
  const { code, errors = [] } = body as unknown as {
    code: unknown;
    errors?: readonly { parameter?: string; pointer?: string; code: string }[];
  };
  return [status, code, errors.map(({ parameter, pointer, code: own }) => [parameter ?? '', pointer ?? '', own])];
}

/** Makes what defines collections, fills and asks them. */
export function createAsking(replica: TestReplica, admin: Person) {
  const define = async (name: string, definition: object): Promise<void> => {
    const defined = await replica.call(`PUT /v1/collections/${name}`, { body: definition, token: admin.token });
    assert.ok(defined.status === 200 || defined.status === 201, defined.text);
  };
  const fill = async (name: string, rows: readonly object[], by: Person = admin): Promise<void> => {
    const body = rows.map((row) => JSON.stringify(row)).join('\n');
    const type = 'application/x-ndjson';
    const imported = await replica.call(`POST /v1/data/${name}`, { body, type, token: by.token });
    assert.equal(imported.body.created, rows.length, imported.text);
  };
  /** A collection of its own with these records; its definition may need its name. @returns the name */
  const filled = async (definition: object | ((name: string) => object), rows: readonly object[]): Promise<string> => {
    const name = `c${randomUUID().slice(0, 8)}`;
    await define(name, typeof definition === 'function' ? (definition as (own: string) => object)(name) : definition);
    if (rows.length > 0) await fill(name, rows);
    return name;
  };
  const query = (name: string, body: object, by: Person): Promise<Answered> =>
    replica.call(`POST /v1/data/${name}/query`, { body, token: by.token });
  const list = (name: string, parameters: Record<string, string>, by: Person, accept?: string): Promise<Answered> =>
    replica.call(`GET /v1/data/${name}?${new URLSearchParams(parameters).toString()}`, {
      token: by.token,
      ...(accept === undefined ? {} : { headers: { accept } }),
    });
  /** All pages of a query, one after the other; `between` is done after each. */
  const all = async (
    name: string,
    body: object,
    by: Person,
    between: () => Promise<unknown> = () => Promise.resolve(),
  ): Promise<Listed[]> => {
    const items: Listed[] = [];
    let cursor: string | null = null;
    do {
      const asked: object = cursor === null ? body : { ...body, cursor };
      const page: AskedPage = pageOf(await query(name, asked, by));
      items.push(...page.items);
      cursor = page.nextCursor;
      await between();
    } while (cursor !== null);
    return items;
  };
  return { define, fill, filled, query, list, all };
}
