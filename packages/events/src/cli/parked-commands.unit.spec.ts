import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { CliError } from './cli-error.ts';
import type { Gateway } from './gateway.ts';
import type { Output } from './output.ts';
import { discard, listParked } from './parked-commands.ts';

const row = (eventId: string) => ({
  ...{ id: `id-${eventId}`, service: 'user', handler: 'h', eventId, subject: 'note/1', attempts: 1 },
  parkedAt: '2026-01-01T00:00:00.000Z',
});

/** A gateway with more parked than anybody lists, and `wanted` at its end. */
const platform = (unavailable: readonly string[] = [], parked: readonly string[] = ['wanted']) => {
  const said: string[] = [];
  const shown: string[] = [];
  const called: string[] = [];
  const gateway: Gateway = {
    call(method, target, { query = {} } = {}) {
      called.push(`${method} ${target}`);
      const { eventId, cursor = '0' } = query;
      const page =
        eventId === undefined
          ? { items: Array.from({ length: 200 }, () => row('other')), nextCursor: String(Number(cursor) + 1) }
          : { items: parked.filter((each) => each === eventId).map(row), nextCursor: null };
      return Promise.resolve({ headers: new Headers(), body: { ...page, unavailable } });
    },
  };
  const out: Output = {
    json: false,
    value: (_value, human) => void shown.push(human()),
    note: (text) => void said.push(text),
  };
  return { gateway, out, said, shown, called };
};

describe('what is parked, from a terminal', () => {
  it('is found by the id of its event, however much is parked before it', async () => {
    const { gateway, out, called } = platform();
    assert.equal(await discard(gateway, out, 'wanted', { reason: 'None.' }), 0);
    assert.equal(called.at(-1), 'POST /v1/parked/id-wanted/discard');
    await assert.rejects(discard(gateway, out, 'nowhere', { reason: 'None.' }), /nowhere is not parked/);
  });

  it('is not said to be nowhere where a service gives no answer', async () => {
    const { gateway, out } = platform(['data', 'auth']);
    await assert.rejects(
      discard(gateway, out, 'nowhere', { reason: 'None.' }),
      (error: unknown) => error instanceof CliError && error.message.includes('no answer from data, auth'),
    );
    assert.equal(await discard(gateway, out, 'wanted', { reason: 'None.' }), 0);
  });

  it('is listed with which services did not say, and then ends with 1', async () => {
    const away = platform(['user']);
    assert.equal(await listParked(away.gateway, away.out, {}), 1);
    assert.ok(away.said.includes('no answer from user: what is parked there is not known'), String(away.said));
    const whole = platform();
    assert.equal(await listParked(whole.gateway, whole.out, {}), 0);
    assert.deepEqual(whole.said, ['there is more; the first 1000 are shown']);
  });
});
