import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { portSetting, readSettings } from './settings.ts';
import { StackError } from './stack-error.ts';

describe('readSettings', () => {
  it('has the ports that the documentation names', () => {
    const { ports, home } = readSettings('/checkout', {});
    assert.equal(home, '/checkout/.causeway');
    assert.deepEqual(ports, {
      CAUSEWAY_PORT: 8080,
      CAUSEWAY_AUTH_PORT: 8081,
      CAUSEWAY_USER_PORT: 8082,
      CAUSEWAY_DATA_PORT: 8083,
      CAUSEWAY_GATEWAY_OPS_PORT: 9464,
      CAUSEWAY_AUTH_OPS_PORT: 9465,
      CAUSEWAY_USER_OPS_PORT: 9466,
      CAUSEWAY_DATA_OPS_PORT: 9467,
      CAUSEWAY_MONGODB_PORT: 27117,
      CAUSEWAY_KAFKA_PORT: 9192,
      CAUSEWAY_KAFKA_CONTROLLER_PORT: 9193,
      CAUSEWAY_REDIS_PORT: 6479,
    });
  });

  it('moves all ports by the offset but those that are set', () => {
    const { ports } = readSettings('/checkout', { CAUSEWAY_PORT: '80' }, 100);
    assert.equal(ports[portSetting('gateway')], 80);
    assert.equal(ports[portSetting('auth')], 8181);
    assert.equal(ports[portSetting('kafkaController')], 9293);
  });

  it('names every bad port at once', () => {
    assert.throws(
      () => readSettings('/checkout', { CAUSEWAY_PORT: 'http', CAUSEWAY_REDIS_PORT: '70000' }),
      (error) => {
        assert.ok(error instanceof StackError);
        assert.match(error.message, /CAUSEWAY_PORT must be a port, not http/);
        assert.match(error.message, /CAUSEWAY_REDIS_PORT must be a port, not 70000/);
        return true;
      },
    );
  });

  it('takes an empty variable for one that is not set', () => {
    assert.deepEqual(readSettings('/checkout', { MONGODB_URL: '', REDIS_URL: 'redis://r' }).external, {
      redis: 'redis://r',
    });
  });

  it('keeps downloads where the user keeps caches', () => {
    assert.equal(readSettings('/checkout', { XDG_CACHE_HOME: '/c' }).cache, '/c/causeway');
  });
});
