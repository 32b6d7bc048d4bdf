import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { servicesToRestart, usesOf } from './dev-watch.ts';

describe('servicesToRestart', () => {
  const manifest = (name: string, ...uses: string[]) =>
    JSON.stringify({
      name: `@causeway/${name}`,
      dependencies: Object.fromEntries(uses.map((use) => [`@causeway/${use}`, '*'])),
    });
  const uses = usesOf(
    new Map([
      ['services/auth', manifest('auth', 'events')],
      ['services/gateway', manifest('gateway', 'service')],
      ['packages/events', manifest('events', 'contracts')],
      ['packages/service', manifest('service')],
      ['packages/contracts', manifest('contracts')],
    ]),
  );
  const running = ['auth', 'gateway'];

  it('takes the service whose source has changed', () => {
    assert.deepEqual(servicesToRestart('services/auth/src/sessions/sign-in.ts', running, uses), ['auth']);
  });

  it('takes each service that uses the package, also through another', () => {
    assert.deepEqual(servicesToRestart('packages/contracts/src/id.ts', running, uses), ['auth']);
    assert.deepEqual(servicesToRestart('packages/service/src/index.ts', running, uses), ['gateway']);
  });

  it('leaves alone what does not run: tests, documents, other packages', () => {
    for (const file of [
      'services/auth/src/sign-in.unit.spec.ts',
      'services/auth/README.md',
      'services/auth/.test/unit.json',
      'packages/service/src/testing/harness.ts',
      'packages/sdk/src/index.ts',
      'services/user/src/main.ts',
    ]) {
      assert.deepEqual(servicesToRestart(file, running, uses), [], file);
    }
  });
});
