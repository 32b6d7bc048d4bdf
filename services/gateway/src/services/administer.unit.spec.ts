import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault, type ServiceName } from '@causeway/contracts';
import { replayFaults } from '@causeway/events';

import { administration } from './administer.ts';
import { ServiceAway, type ServiceClient } from './service-client.ts';

const answers: Readonly<Record<ServiceName, { readonly status: number; readonly json: unknown }>> = {
  auth: { status: 404, json: { code: 'not-found' } },
  user: { status: 422, json: { code: 'unknown-handler', detail: 'It has create-profile.' } },
  data: { status: 200, json: { id: 'rpl_1' } },
};

const clientOf = (given: Partial<typeof answers> = {}): ServiceClient => ({
  ask: (service) => Promise.resolve({ ...answers, ...given }[service]),
  position: () => undefined,
  close: () => Promise.resolve(),
});

const question = { method: 'GET', path: '/internal/replays/rpl_1' } as const;
const own = { about: 'replays', known: replayFaults };

describe('what administrators do in a service', () => {
  it('is refused in the words of the service, where it is known that it may', async () => {
    const replays = administration(clientOf(), own);
    await assert.rejects(replays.ask('user', question), (error: unknown) => {
      assert.ok(error instanceof Fault);
      assert.deepEqual([error.code, error.detail], ['unknown-handler', 'It has create-profile.']);
      return true;
    });
    const odd = administration(clientOf({ user: { status: 418, json: undefined } }), own);
    await assert.rejects(odd.ask('user', question), ServiceAway);
  });

  it('is not found where the service has nothing of the kind', async () => {
    const replays = administration(clientOf(), own);
    assert.equal(await replays.ask('auth', question), undefined);
    await assert.rejects(
      replays.tell('auth', question),
      (error: unknown) => error instanceof Fault && error.status === 404,
    );
  });

  it('is found in whichever service it is; where one does not say, nobody can tell that it is nowhere', async () => {
    const missing = { status: 404, json: undefined };
    const found = await administration(clientOf({ user: missing }), own).find(question);
    assert.deepEqual(found, { service: 'data', id: 'rpl_1' });
    const nowhere = administration(clientOf({ user: missing, data: missing }), own);
    assert.equal(await nowhere.find(question), undefined);
    const away: ServiceClient = {
      ...clientOf(),
      ask: (service) =>
        service === 'auth' ? Promise.reject(new ServiceAway('auth', 'gone')) : Promise.resolve(missing),
    };
    await assert.rejects(administration(away, own).find(question), ServiceAway);
  });
});
