import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { addressBlock } from './address-block.ts';

describe('address blocks', () => {
  it('count a site as one', () => {
    assert.equal(addressBlock('2001:0db8:0:1:aaaa::1'), addressBlock('2001:DB8::1:bbbb:0:0:2'));
    assert.notEqual(addressBlock('2001:db8:0:1::1'), addressBlock('2001:db8:0:2::1'));
    assert.equal(addressBlock('fe80::1%eth0'), 'fe80:0:0:0::/64');
    assert.equal(addressBlock('::1'), '0:0:0:0::/64');
    assert.equal(addressBlock('::'), '0:0:0:0::/64');
  });

  it('count an address of IPv4 as itself, however it is written', () => {
    for (const written of ['192.0.2.7', '::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:192.0.2.7']) {
      assert.equal(addressBlock(written), '192.0.2.7', written);
    }
    assert.notEqual(addressBlock('::ffff:192.0.2.7'), addressBlock('::ffff:192.0.2.8'));
  });

  it('leave alone what is no address', () => assert.equal(addressBlock('unknown'), 'unknown'));
});
