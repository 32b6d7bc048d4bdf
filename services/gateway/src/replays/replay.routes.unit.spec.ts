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
