import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { assertNoEvents } from '../bad-input/changes-nothing.ts';
import { type Answer, apiDocument, call } from '../harness/client.ts';
import { expectStatus } from '../harness/expectations.ts';
import { admin, newEmail, type Person, signUp } from '../harness/people.ts';

/** A JSON Schema, as far as the bodies of auth need it. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
}

/** A call of auth's that takes a body. */
interface Target {
  readonly method: string;
  readonly path: string;
  readonly schema: Schema;
  /** Whether the body is looked at first, and has one form: then what is wrong with it is told by name. */
  readonly isTold: boolean;
}

/** Values that drivers, parsers and templates have been made to act upon. */
const injections: readonly unknown[] = [
  { $gt: '' },
  { $ne: null },
  { $regex: '.*' },
  { $where: 'sleep(1000)' },
  [''],
  [{ $gt: '' }],
  true,
  { toString: 'x' },
];

/** What nobody may give themselves. */
const assigned: Readonly<Record<string, unknown>> = {
  roles: ['admin'],
  id: 'acc_1',
  _id: 'acc_1',
  emailVerified: true,
  accessVersion: 99,
  sessionsFrom: 0,
  passwordHash: 'x',
  accountId: 'acc_1',
  disabledAt: null,
  outbox: [],
  revision: 0,
  $set: { roles: ['admin'] },
};

const good = (name: string): unknown => {
  if (/email/i.test(name)) return newEmail();
  if (/password/i.test(name)) return `password-${randomUUID()}`;
  return 'text';
};

describe('every body that auth takes', () => {
  let targets: readonly Target[];
  let person: Person;
  let administrator: string;
  const refused: Answer[] = [];

  before(async () => {
    [person, administrator] = await Promise.all([signUp(), admin()]);
    const { document } = await apiDocument();
    const resolve = (schema: Schema): Schema => {
      if (schema.$ref === undefined) return schema;
      const steps = schema.$ref.replace(/^#\//, '').split('/');
      return resolve(steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)[step], document) as Schema);
    };
    targets = Object.entries(document.paths)
      .filter(([path]) => path.startsWith('/v1/auth/'))
      .flatMap(([path, operations]) =>
        Object.entries(operations).flatMap(([method, { requestBody }]) => {
          const schema = requestBody?.content?.['application/json']?.schema;
          if (schema === undefined) return [];
          const whole = resolve(schema as Schema);
          const alternatives = whole.anyOf ?? whole.oneOf ?? [whole];
          const isTold = alternatives.length === 1 && !path.includes('{');
          return alternatives.map((each) => ({ method: method.toUpperCase(), path, schema: resolve(each), isTold }));
        }),
      );
    assert.ok(targets.length >= 4, 'sign-up, sign-in, refresh and the like');
  });

  const send = async ({ method, path }: Target, body: string): Promise<Answer> => {
    const answer = await call(method, path.replaceAll(/\{[^}]+\}/g, 'abc'), { token: person.accessToken, body });
    refused.push(answer);
    return answer;
  };
  const expectRefusal = (answer: Answer, what: string): void => {
    // 401 and 404 for a call whose caller or target is refused before its body is read.
    assert.ok(
      [400, 401, 403, 404, 413, 422].includes(answer.status),
      `${answer.method} ${answer.target}, ${what}: ${answer.status} ${answer.text}`,
    );
  };
  /** Refused for this field: another one that is wrong too would hide that it is taken. */
  const expectRefusalOf = (answer: Answer, { isTold }: Target, name: string, value: unknown): void => {
    expectRefusal(answer, `${name} as ${JSON.stringify(value)}`);
    if (!isTold || answer.status === 403) return;
    const { errors = [] } = answer.json<{ errors?: readonly { readonly pointer?: string }[] }>();
    const isNamed = errors.some(({ pointer = '' }) => pointer === `/${name}`);
    assert.ok(isNamed, `${answer.method} ${answer.target}: ${name} as ${JSON.stringify(value)}: ${answer.text}`);
  };
  const bodyOf = ({ schema }: Target, spoiled: Readonly<Record<string, unknown>>): string => {
    const names = Object.keys(schema.properties ?? {});
    return JSON.stringify({ ...Object.fromEntries(names.map((name) => [name, good(name)])), ...spoiled });
  };

  it('refuses operators and lists where a text belongs, wherever', async () => {
    for (const target of targets) {
      for (const [name, schema] of Object.entries(target.schema.properties ?? {})) {
        if (schema.type !== 'string') continue;
        for (const value of injections) {
          expectRefusalOf(await send(target, bodyOf(target, { [name]: value })), target, name, value);
        }
      }
    }
  });

  it('refuses what nobody may give themselves', async () => {
    for (const target of targets) {
      for (const [name, value] of Object.entries(assigned)) {
        if (target.schema.properties?.[name] !== undefined) continue;
        expectRefusalOf(await send(target, bodyOf(target, { [name]: value })), target, name, value);
      }
    }
    const account = expectStatus(await call('GET', '/v1/auth/account', { token: person.accessToken }), 200).json();
    assert.deepEqual([account.id, account.roles, account.emailVerified], [person.id, ['member'], false]);
  });

  it('refuses keys that are more than names', async () => {
    for (const target of targets) {
      const body = bodyOf(target, {});
      for (const key of ['__proto__', 'constructor', 'prototype', '$where', 'a.b', '']) {
        expectRefusal(await send(target, body.replace('{', `{${JSON.stringify(key)}:{"roles":["admin"]},`)), key);
      }
    }
    assert.equal(({} as Record<string, unknown>).roles, undefined);
  });

  it('refuses a megabyte, whichever field it stands in', async () => {
    const megabyte = 'x'.repeat(2 ** 20);
    for (const target of targets) {
      for (const name of Object.keys(target.schema.properties ?? {})) {
        expectRefusal(await send(target, bodyOf(target, { [name]: megabyte })), `${name} of a megabyte`);
      }
    }
  });

  it('has changed nothing by it', () => assertNoEvents(refused, administrator));
});
