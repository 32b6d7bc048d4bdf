import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { text } from 'node:stream/consumers';

import { Tunnel } from './tunnel.ts';

describe('a tunnel', () => {
  const open = () => {
    const sent: string[] = [];
    let closes = 0;
    const tunnel = new Tunnel({
      send: (bytes) => void sent.push(Buffer.from(bytes).toString()),
      onClose: () => (closes += 1),
    });
    return { tunnel, sent, closes: () => closes };
  };

  it('is read to its end, also where that comes with the last of it', async () => {
    const { tunnel, closes } = open();
    tunnel.arrive(Buffer.from('HTTP/1.1 '));
    tunnel.arrive(Buffer.from('200 OK'));
    tunnel.arrive(Buffer.alloc(0));
    tunnel.arrive(Buffer.from('more'));
    assert.equal(await text(tunnel), 'HTTP/1.1 200 OK');
    if (!tunnel.closed) await once(tunnel, 'close');
    assert.equal(closes(), 1);
  });

  it('sends what is written, until it is destroyed', async () => {
    const { tunnel, sent, closes } = open();
    tunnel.write('GET /');
    tunnel.destroy(new Error('no more'));
    tunnel.arrive(Buffer.from('late'));
    await new Promise((resolve) => tunnel.once('close', resolve));
    assert.deepEqual([sent, closes()], [['GET /'], 1]);
  });
});
