import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { networksOf } from './networks.ts';

void describe('the networks of addresses', () => {
  it('say where calls came from, and nobody in particular', () => {
    const addresses = ['192.0.2.7', '192.0.2.200', '::ffff:198.51.100.4', '2001:db8::17', '2001:DB8:0:99::1%eth0'];
    assert.deepEqual(networksOf(addresses), ['192.0.2.0/24', '198.51.100.0/24', '2001:db8::/48']);
  });

  it('are none of what is no address', () => {
    assert.deepEqual(networksOf(['', 'localhost', '192.0.2', 'ada@example.com']), []);
  });
});
