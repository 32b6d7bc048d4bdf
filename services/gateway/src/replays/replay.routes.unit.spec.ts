import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@causeway/contracts';

import type { ServiceClient } from '../services/service-client.ts';
import { replayRoutes } from './replay.routes.ts';

describe('POST /v1/replays', () => {
  it('says so where the service handles no events', async () => {
    const client: ServiceClient = {
      ask: () => Promise.resolve({ status: 404, json: undefined }),
      position: () => undefined,
      close: () => Promise.resolve(),
    };
    const [route] = replayRoutes(client);
    const call = {
      body: { service: 'data', since: '2026-01-01T00:00:00Z', external: false, dryRun: false },
      principal: { type: 'app_user', id: 'usr_1' },
      requestId: 'r',
    };
    await assert.rejects(
      async () => route?.handle(call as never),
      (error: unknown) => error instanceof Fault && error.code === 'no-handlers' && error.status === 422,
    );
  });
});

describe('DELETE /v1/replays/{id}', () => {
  const replay = { id: 'rpl_1', stopped: true };
  const stop = async (answer: { readonly status: number; readonly json: unknown }, id = 'rpl_1') => {
    const asked: string[] = [];
    const client: ServiceClient = {
      ask(service, { method, path, body }) {
        if (method === 'POST') asked.push(`${service} ${path} ${JSON.stringify(body)}`);
        const has = service === 'user' && path.startsWith('/internal/replays/rpl_1');
        if (!has) return Promise.resolve({ status: 404, json: undefined });
        return Promise.resolve(method === 'GET' ? { status: 200, json: { id: 'rpl_1' } } : answer);
      },
      position: () => undefined,
      close: () => Promise.resolve(),
    };
    const route = replayRoutes(client).find(({ method }) => method === 'delete');
    const call = { params: { id }, principal: { type: 'app_user', id: 'usr_1' }, requestId: 'r' };
    return { answer: await route?.handle(call as never), asked };
  };
  const isFault = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

  it('has the service that has it stop it, on behalf of who asks', async () => {
    const { answer, asked } = await stop({ status: 202, json: { replay, eventId: 'evt' } });
    assert.deepEqual(asked, ['user /internal/replays/rpl_1/stop {"principal":{"type":"app_user","id":"usr_1"}}']);
    assert.deepEqual(answer, {
      status: 202,
      headers: { Location: '/v1/replays/rpl_1', 'Causeway-Event': 'evt' },
      body: { service: 'user', ...replay },
    });
    const again = await stop({ status: 202, json: { replay } });
    assert.deepEqual(again.answer?.headers, { Location: '/v1/replays/rpl_1' });
  });

  it('is refused where it has ended, and where there is none', async () => {
    await assert.rejects(stop({ status: 409, json: { code: 'replay-ended' } }), isFault('replay-ended'));
    await assert.rejects(stop({ status: 202, json: { replay } }, 'rpl_none'), isFault('not-found'));
  });
});
