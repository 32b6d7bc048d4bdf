import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

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
    const promised: Record<string, string[]> = {
      'POST /v1/auth/sign-up': ['201', '400', '409', '413', '415', '422', '503'],
      'POST /v1/auth/sign-in': ['200', '400', '401', '403', '413', '415', '429', '503'],
      'POST /v1/auth/refresh': ['200', '400', '401', '413', '415', '503'],
      'POST /v1/auth/sign-out': ['204', '400', '401', '503'],
      'GET /v1/auth/sessions': ['200', '400', '401', '503'],
      'DELETE /v1/auth/sessions': ['204', '400', '401', '503'],
      'DELETE /v1/auth/sessions/{id}': ['204', '400', '401', '404', '503'],
      'GET /v1/auth/account': ['200', '304', '400', '401', '503'],
      'DELETE /v1/auth/account': ['202', '400', '401', '409', '413', '415', '503'],
      'GET /v1/auth/mailbox': ['200', '400', '401', '403', '503'],
      'GET /v1/auth/mailbox/{id}': ['200', '400', '401', '403', '404', '503'],
      'GET /.well-known/jwks.json': ['200'],
    };
    assert.deepEqual([...documented.keys()].sort(), Object.keys(promised).sort());
    for (const [call, expected] of Object.entries(promised)) {
      const missing = expected.filter((status) => documented.get(call)?.includes(status) === false);
      assert.deepEqual(missing, [], call);
    }
  });

  it('documents what a body holds', () => {
    const { content } = paths['/v1/auth/sign-up']!.post!.requestBody!;
    const schema = content['application/json']!.schema as { properties: object; required: string[] };
    assert.deepEqual(Object.keys(schema.properties), ['email', 'password', 'name']);
    assert.deepEqual(schema.required, ['email', 'password']);
  });

  it('routes none of what a later issue brings', async () => {
    for (const call of ['GET /v1/auth/activity', 'POST /v1/auth/reset']) {
      const { status } = await auth.call(call);
      assert.ok([404, 405].includes(status), `${call}: ${status}`);
    }
  });
});
