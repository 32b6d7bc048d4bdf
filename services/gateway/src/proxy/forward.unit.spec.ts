import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, it } from 'node:test';
import type { Dispatcher } from 'undici';

import { Forward } from './forward.ts';

describe('a call that is passed on', () => {
  const answered = (head: Readonly<Record<string, string>>): IncomingMessage => {
    const request = new IncomingMessage(new Socket());
    request.headers = { authorization: 'Bearer token' };
    request.rawHeaders = ['Authorization', 'Bearer token'];
    const controller = { abort: () => undefined } as unknown as Dispatcher.DispatchController;
    const forward = new Forward(
      {
        dispatcher: { dispatch: () => true },
        ...{ response: new ServerResponse(request), headers: {}, extra: {}, repeatable: true },
        ...{ upgrade: undefined, silenceMs: 1_000 },
      },
      { path: '/', method: 'GET', headers: { authorization: 'Bearer token' } },
    );
    void forward.run(() => undefined);
    forward.onRequestStart(controller);
    forward.onResponseStart(controller, 200, head);
    return request;
  };

  it('keeps nothing of what its caller has sent while an answer goes on of which nobody knows the end', () => {
    const { headers, rawHeaders } = answered({ 'content-type': 'text/event-stream' });
    assert.deepEqual([headers, rawHeaders], [{}, []]);
  });

  it('has begun once its answer has, and is over with that, once', async () => {
    const request = new IncomingMessage(new Socket());
    const response = new ServerResponse(request);
    const controller = { abort: () => undefined } as unknown as Dispatcher.DispatchController;
    const forward = new Forward(
      {
        dispatcher: { dispatch: () => true },
        ...{ response, headers: {}, extra: {}, repeatable: true, upgrade: undefined, silenceMs: 1_000 },
      },
      { path: '/', method: 'GET' },
    );
    let over = 0;
    const begun = forward.run(() => (over += 1));
    forward.onRequestStart(controller);
    forward.onResponseStart(controller, 200, { 'content-type': 'text/event-stream' });
    await begun;
    assert.equal(over, 0);
    response.emit('close');
    forward.finish();
    assert.equal(over, 1);
  });

  it('says what its caller has sent while it is answered at once', () => {
    const { headers } = answered({ 'content-length': '10' });
    assert.deepEqual(headers, { authorization: 'Bearer token' });
  });
});
