import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ChildSpec } from '../processes/child-spec.ts';
import { services } from '../topology.ts';
import { inWaves } from './start-platform.ts';

describe('inWaves', () => {
  const named = (names: readonly string[]) => names.map((name) => ({ name }) as ChildSpec);
  const after = new Map(services.map((service) => [service.name, service.after]));
  const waves = (names: readonly string[]) => inWaves(named(names), after).map((wave) => wave.map(({ name }) => name));

  it('starts each service after those that it needs', () => {
    assert.deepEqual(waves(['auth', 'user', 'data', 'gateway']), [['auth'], ['user', 'data'], ['gateway']]);
  });

  it('does not wait for services that are not there', () => {
    assert.deepEqual(waves(['data', 'gateway']), [['data'], ['gateway']]);
  });

  it('refuses a circle', () => {
    const circle = new Map([['a', ['b']] as const, ['b', ['a']] as const]);
    assert.throws(() => inWaves(named(['a', 'b']), circle), /wait for each other: a, b/);
  });
});
