import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { promisedRoutes } from './testing/promised-routes.ts';
import { openTestAuth } from './testing/test-auth.ts';
import type { TestAuth, TestReplica } from './testing/test-auth.ts';

interface Operation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: Record<string, { readonly schema: unknown }> };
  readonly responses: Readonly<Record<string, unknown>>;
}

interface Documentation {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

describe('auth', () => {
  let world: TestAuth;
  let auth: TestReplica;
  let paths: Documentation['paths'];

  before(async () => {
    world = await openTestAuth();
    auth = await world.replica();
    const answer = await auth.call('GET /internal/openapi.json', { headers: auth.service.internalHeaders });
    assert.equal(answer.status, 200);
    paths = (answer.body as unknown as Documentation).paths;
  });
  after(() => world.stop());

  it('documents every call with every status that its specs see', () => {
    const statuses = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, operation]) => [
        `${method.toUpperCase()} ${path}`,
        Object.keys(operation.responses).sort(),
      ]),
    ) as [string, string[]][];
    const documented = new Map(statuses);
    assert.deepEqual([...documented.keys()].sort(), Object.keys(promisedRoutes).sort());
    for (const [call, expected] of Object.entries(promisedRoutes)) {
      const missing = expected.filter((status) => documented.get(call)?.includes(status) === false);
      assert.deepEqual(missing, [], call);
    }
  });

  it('documents what a body holds', () => {
    const { content } = paths['/v1/auth/sign-up']!.post!.requestBody!;
    const schema = content['application/json']!.schema as { properties: object; required: string[] };
    assert.deepEqual(Object.keys(schema.properties), ['email', 'password', 'name', 'delivery']);
    assert.deepEqual(schema.required, ['email']);
  });

  it('routes none of what a later issue brings', async () => {
    for (const call of ['POST /v1/auth/token', 'GET /v1/auth/authorize', 'GET /v1/auth/api-keys']) {
      const { status } = await auth.call(call);
      assert.ok([404, 405].includes(status), `${call}: ${status}`);
    }
  });
});
